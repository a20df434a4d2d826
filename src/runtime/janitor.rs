//! The janitor: a process that outlives the harness and takes away what killed runs leave behind.
//!
//! The lifeline (see [`super::docker`]) makes the kernel end a dead run's containers, but neither a container that was
//! created and not yet started nor a temporary file hangs on it. So the first of a process's runs starts a janitor before
//! it creates anything: this very program once more, reading [`Ledgers`] from a pipe, for all runs that are under way.
//! When the harness ends, however it ends, the kernel closes the pipe; the janitor then removes what stands in the
//! ledgers and what bears the runs' labels. With the last run the janitor ends too.
//!
//! In a `cargo test` this very program is the test binary, which is why the janitor begins before `main`.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{interval, timeout};

use super::docker::sweep;
use super::error::RuntimeError;
use super::ledger::{Entry, Ledger, Ledgers};
use super::run::RunId;

/// In the environment of a janitor, and of nothing else.
const JANITOR: &str = "PROXYPROOF_JANITOR";

/// When a janitor gives up, and leaves the rest to `doctor --clean`.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the names of directories begin that a janitor removes. What else it may be told is none of its business.
const OURS: [&str; 2] = ["proxyproof-", "building-"];

/// The janitor of the runs that are under way, if any is.
static AT_WORK: Mutex<Weak<Process>> = Mutex::new(Weak::new());

/// How many janitors of this process are at work, or are being waited for.
static AT_WORK_YET: AtomicUsize = AtomicUsize::new(0);

/// Returns when no run of this process is under way any more, and nothing of any is left; or when a janitor would give up.
///
/// A Lab that belongs to a task goes when the runtime gets round to dropping that task. Who has dropped the future of an
/// [`Upgrade`](crate::upgrade::Upgrade), a [`Matrix`](crate::matrix::Matrix) or a [`Batch`](crate::Batch) waits for that
/// with this, before the process ends.
pub async fn all_gone() {
    let mut ticks = interval(Duration::from_millis(5));
    let waiting = async {
        while AT_WORK_YET.load(Ordering::SeqCst) > 0 {
            ticks.tick().await;
        }
    };
    // What is left then is for `doctor --clean`.
    let _ = timeout(PATIENCE, waiting).await;
}

/// What one run tells the janitor. Dropping it takes away what the run has left, and returns when that is gone.
#[derive(Debug)]
pub(crate) struct Janitor {
    run: RunId,
    process: Arc<Process>,
    /// What it was told of this run.
    told: Mutex<Vec<u8>>,
    dismissed: AtomicBool,
}

/// The process, and the harness's end of the pipe.
#[derive(Debug)]
struct Process {
    child: Mutex<Child>,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Janitor {
    /// Starts the janitor, or lets the one that is at work know of one run more. What is to be guarded is created after
    /// this.
    pub(crate) fn start(run: &RunId) -> Result<Self, RuntimeError> {
        let mut at_work = lock(&AT_WORK);
        let process = match at_work.upgrade().filter(|process| process.is_at_work()) {
            Some(process) => process,
            None => {
                let process = Arc::new(Process::start().map_err(RuntimeError::Janitor)?);
                *at_work = Arc::downgrade(&process);
                process
            }
        };
        Ok(Self { run: run.clone(), process, told: Mutex::default(), dismissed: AtomicBool::new(false) })
    }

    /// Puts a directory into the ledger, before it is created.
    pub(crate) fn guard_directory(&self, directory: &Path) -> Result<(), RuntimeError> {
        let directory = std::path::absolute(directory).map_err(RuntimeError::Janitor)?;
        self.tell(Entry::Directory(&directory))
    }

    /// Runs a request that has the engine create the thing of this name. A harness that ends before the engine has
    /// answered leaves the thing to the janitor, which waits for it.
    pub(crate) async fn guard<T>(&self, name: &str, request: impl Future<Output = T>) -> Result<T, RuntimeError> {
        self.tell(Entry::Asked(name))?;
        let answer = request.await;
        self.tell(Entry::Answered(name))?;
        Ok(answer)
    }

    /// Everything was taken away by the run itself: the janitor may forget it.
    pub(crate) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Relaxed);
        // A janitor that has ended already has nothing to forget.
        let _ = self.process.tell(&Entry::Done.record(&self.run));
    }

    fn tell(&self, entry: Entry<'_>) -> Result<(), RuntimeError> {
        let record = entry.record(&self.run);
        lock(&self.told).extend(&record);
        self.process.tell(&record).map_err(RuntimeError::Janitor)
    }
}

impl Drop for Janitor {
    /// Does the janitor's work for this run, while the harness can; the janitor knows of it until that is done.
    fn drop(&mut self) {
        if self.dismissed.load(Ordering::Relaxed) {
            return;
        }
        let mut ledgers = Ledgers::default();
        ledgers.read(&lock(&self.told));
        // On a thread of its own: this one may belong to a runtime, in which another can't block. What it can't remove is
        // for `doctor --clean`.
        let _ = std::thread::spawn(move || sweep(ledgers)).join();
        self.dismiss();
    }
}

impl Process {
    fn start() -> std::io::Result<Self> {
        let mut child = Command::new(this_program()?)
            // Not the program's own name: `pkill` of the harness must not take its janitor along.
            .arg0("janitor")
            .env(JANITOR, "1")
            // The harness's directory may be unmounted or removed as soon as the harness is gone.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A process group of its own: Ctrl-C on the terminal and a kill of the harness's group are not for it.
            .process_group(0)
            .spawn()?;
        AT_WORK_YET.fetch_add(1, Ordering::SeqCst);
        let pipe = Mutex::new(child.stdin.take());
        Ok(Self { child: Mutex::new(child), pipe })
    }

    /// Whether nobody has killed it.
    fn is_at_work(&self) -> bool {
        matches!(lock(&self.child).try_wait(), Ok(None))
    }

    fn tell(&self, record: &[u8]) -> std::io::Result<()> {
        match lock(&self.pipe).as_mut() {
            Some(pipe) => pipe.write_all(record),
            None => Ok(()),
        }
    }
}

impl Drop for Process {
    /// No run is under way: there is nothing left for it to do, and nothing of it is left when this returns.
    fn drop(&mut self) {
        lock(&self.pipe).take();
        let _ = lock(&self.child).wait();
        AT_WORK_YET.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The running program, also when its file was replaced by a newer build meanwhile.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Runs before `main` in every program that links this crate, and returns at once in all but a janitor.
#[expect(clippy::exit, reason = "there is no `main` to return to, and a janitor holds nothing that needs dropping")]
#[ctor::ctor(unsafe)]
fn be_the_janitor_if_asked_to() {
    if std::env::var_os(JANITOR).is_none() {
        return;
    }
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"janitor");
    let mut ledgers = Ledgers::default();
    let mut piece = [0; 4096];
    let mut pipe = std::io::stdin().lock();
    // Until the other end of the pipe is closed, by the harness or by the kernel. What came before an error counts.
    loop {
        match pipe.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => ledgers.read(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    sweep(ledgers);
    std::process::exit(0);
}

/// Takes away all that stands in the ledgers.
fn sweep(ledgers: Ledgers) {
    let mut runs = ledgers.into_runs().peekable();
    if runs.peek().is_none() {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        let sweeping = join_all(runs.map(|(run, ledger)| sweep_one(run, ledger)));
        // Who finds something left after that is `doctor`.
        let _ = runtime.block_on(async { timeout(PATIENCE, sweeping).await });
    }
}

async fn sweep_one(run: RunId, ledger: Ledger) {
    let engine = async {
        if ledger.engine {
            sweep::until_nothing_comes(&run, ledger.awaited).await;
        }
    };
    join(remove_directories(ledger.directories), engine).await;
}

/// Removes directories until they are gone: a program that the kernel is about to end may still write to them.
async fn remove_directories(mut directories: Vec<PathBuf>) {
    directories.retain(|directory| is_ours(directory));
    let mut ticks = interval(Duration::from_millis(20));
    while !directories.is_empty() {
        ticks.tick().await;
        // A control group is removed with the files in it, which nobody can remove.
        let remove =
            |directory: &PathBuf| std::fs::remove_dir(directory).or_else(|_| std::fs::remove_dir_all(directory));
        directories.retain(|directory| match remove(directory) {
            Ok(()) => false,
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        });
    }
}

fn is_ours(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    OURS.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_somebody_else_is_not_removed() {
        assert!(is_ours(Path::new("/tmp/proxyproof-1-2-run")) && is_ours(Path::new("/c/v1/building-1-2")));
        assert!(!is_ours(Path::new("/tmp")) && !is_ours(Path::new("/")) && !is_ours(Path::new("")));
    }
}
