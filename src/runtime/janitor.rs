//! The janitor: a process that outlives the harness and takes away what a killed run leaves behind.
//!
//! The lifeline (see [`super::docker`]) makes the kernel end a dead run's containers, but neither a container that was
//! created and not yet started nor a temporary file hangs on it. So each run starts a janitor before it creates
//! anything: this very program once more, reading a [`Ledger`] from a pipe. When the harness ends, however it ends, the
//! kernel closes the pipe; the janitor then removes what stands in the ledger and what bears the run's label.
//!
//! In a `cargo test` this very program is the test binary, which is why the janitor begins before `main`.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join;
use tokio::time::{interval, timeout};

use super::docker::sweep;
use super::error::RuntimeError;
use super::ledger::{Entry, Ledger};
use super::run::RunId;

/// Holds the run's id in the environment of a janitor, and of nothing else.
const JANITOR: &str = "PROXYPROOF_JANITOR";

/// When a janitor gives up, and leaves the rest to `doctor --clean`.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the names of directories begin that a janitor removes. What else it may be told is none of its business.
const OURS: [&str; 2] = ["proxyproof-", "building-"];

/// The harness's end of the pipe. Dropping it makes the janitor sweep, and waits until it has.
#[derive(Debug)]
pub(crate) struct Janitor {
    run: RunId,
    child: Mutex<Child>,
    pipe: Mutex<Option<ChildStdin>>,
    /// What it was told, should it be killed before it acts on it.
    told: Mutex<Vec<u8>>,
}

impl Janitor {
    /// Starts the janitor of a run. What is to be guarded is created after this.
    pub(crate) fn start(run: &RunId) -> Result<Self, RuntimeError> {
        let program = this_program().map_err(RuntimeError::Janitor)?;
        let mut child = Command::new(program)
            // Not the program's own name: `pkill` of the harness must not take its janitor along.
            .arg0("janitor")
            .env(JANITOR, run.to_string())
            // The harness's directory may be unmounted or removed as soon as the harness is gone.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A process group of its own: Ctrl-C on the terminal and a kill of the harness's group are not for it.
            .process_group(0)
            .spawn()
            .map_err(RuntimeError::Janitor)?;
        let pipe = Mutex::new(child.stdin.take());
        Ok(Self { run: run.clone(), child: Mutex::new(child), pipe, told: Mutex::default() })
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

    /// Everything was taken away by the run itself: the janitor may go.
    pub(crate) fn dismiss(&self) {
        // A janitor that has ended already is what is wanted.
        let _ = self.tell(Entry::Done);
        lock(&self.pipe).take();
    }

    fn tell(&self, entry: Entry<'_>) -> Result<(), RuntimeError> {
        let record = entry.record();
        lock(&self.told).extend(&record);
        match lock(&self.pipe).as_mut() {
            Some(pipe) => pipe.write_all(&record).map_err(RuntimeError::Janitor),
            None => Ok(()),
        }
    }
}

impl Drop for Janitor {
    /// Waits for the janitor, so that what it takes away is gone when this returns. If somebody killed it, its work is
    /// done here.
    fn drop(&mut self) {
        lock(&self.pipe).take();
        let ended = lock(&self.child).wait();
        if !ended.is_ok_and(|status| status.success()) {
            let (run, ledger) = (self.run.clone(), Ledger::read(&lock(&self.told)));
            // On a thread of its own: this one may belong to a runtime, in which another can't block. What it can't
            // remove is for `doctor --clean`.
            let _ = std::thread::spawn(move || sweep(&run, ledger)).join();
        }
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
    let Some(run) = std::env::var_os(JANITOR) else {
        return;
    };
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"janitor");
    let mut told = Vec::new();
    // Until the other end of the pipe is closed, by the harness or by the kernel. What came before an error counts.
    let _ = std::io::stdin().lock().read_to_end(&mut told);
    sweep(&RunId::from_label(&run.to_string_lossy()), Ledger::read(&told));
    std::process::exit(0);
}

/// Takes away all that stands in the ledger.
fn sweep(run: &RunId, ledger: Ledger) {
    if ledger.done {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        let engine = async {
            if ledger.engine {
                sweep::until_nothing_comes(run, ledger.awaited).await;
            }
        };
        // Who finds something left after that is `doctor`.
        let _ =
            runtime.block_on(async { timeout(PATIENCE, join(remove_directories(ledger.directories), engine)).await });
    }
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
