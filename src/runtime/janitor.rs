//! The janitor: a process that outlives the harness and takes away what a killed run leaves behind.
//!
//! The lifeline (see [`super::docker`]) makes the kernel end a dead run's containers, but neither a container that was
//! created and not yet started nor a temporary file hangs on it. So each run starts a janitor before it creates
//! anything: this very program once more, reading a ledger from a pipe. When the harness ends, however it ends, the
//! kernel closes the pipe; the janitor then removes what stands in the ledger and what bears the run's label.
//!
//! In a `cargo test` this very program is the test binary, which is why the janitor begins before `main`.

use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::docker::sweep;
use super::error::RuntimeError;
use super::run::RunId;

/// Holds the run's id in the environment of a janitor, and of nothing else.
const JANITOR: &str = "PROXYPROOF_JANITOR";

/// The harness's end of the pipe. Dropping it makes the janitor sweep, and waits until it has.
#[derive(Debug)]
pub(crate) struct Janitor {
    child: Mutex<Child>,
    ledger: Mutex<Option<ChildStdin>>,
}

impl Janitor {
    /// Starts the janitor of a run. What is to be guarded is created after this.
    pub(crate) fn start(run: &RunId) -> Result<Self, RuntimeError> {
        let program = this_program().map_err(RuntimeError::Janitor)?;
        let mut child = Command::new(program)
            // Not the program's own name: `pkill` of the harness must not take its janitor along.
            .arg0("janitor")
            .env(JANITOR, run.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A process group of its own: Ctrl-C on the terminal and a kill of the harness's group are not for it.
            .process_group(0)
            .spawn()
            .map_err(RuntimeError::Janitor)?;
        let ledger = child.stdin.take();
        Ok(Self { child: Mutex::new(child), ledger: Mutex::new(ledger) })
    }

    /// Puts a directory into the ledger, before it is created.
    pub(crate) fn guard_directory(&self, directory: &Path) -> Result<(), RuntimeError> {
        self.write(&format!("directory {}", directory.display()))
    }

    /// Puts what the container engine holds for this run into the ledger, before any of it is created.
    pub(crate) fn guard_engine(&self) -> Result<(), RuntimeError> {
        self.write("engine")
    }

    /// Everything was taken away by the run itself: the janitor may go.
    pub(crate) fn dismiss(&self) {
        // A janitor that has ended already is what is wanted.
        let _ = self.write("done");
        lock(&self.ledger).take();
    }

    fn write(&self, line: &str) -> Result<(), RuntimeError> {
        match lock(&self.ledger).as_mut() {
            Some(pipe) => writeln!(pipe, "{line}").map_err(RuntimeError::Janitor),
            None => Ok(()),
        }
    }
}

impl Drop for Janitor {
    /// Waits for the janitor, so that what it takes away is gone when this returns.
    fn drop(&mut self) {
        // This process lives: nothing comes late but a request that was given up just now.
        let _ = self.write("alive");
        lock(&self.ledger).take();
        let _ = lock(&self.child).wait();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The running program, also when its file was replaced by a newer build meanwhile.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// What a janitor was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ledger {
    directories: Vec<PathBuf>,
    engine: bool,
    alive: bool,
    done: bool,
}

impl Ledger {
    /// Reads until the other end of the pipe is closed, by the harness or by the kernel.
    fn read(lines: impl BufRead) -> Self {
        let mut ledger = Self::default();
        for line in lines.lines().map_while(Result::ok) {
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("directory", path) => ledger.directories.push(path.into()),
                ("engine", _) => ledger.engine = true,
                ("alive", _) => ledger.alive = true,
                ("done", _) => ledger.done = true,
                _ => {}
            }
        }
        ledger
    }
}

/// Runs before `main` in every program that links this crate, and returns at once in all but a janitor.
#[expect(clippy::exit, reason = "there is no `main` to return to, and a janitor holds nothing that needs dropping")]
#[ctor::ctor(unsafe)]
fn be_the_janitor_if_asked_to() {
    let Some(run) = std::env::var_os(JANITOR) else {
        return;
    };
    sweep_when_the_harness_ends(&RunId::from_label(&run.to_string_lossy()));
    std::process::exit(0);
}

fn sweep_when_the_harness_ends(run: &RunId) {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"janitor");
    let ledger = Ledger::read(std::io::stdin().lock());
    if ledger.done {
        return;
    }
    for directory in &ledger.directories {
        let _ = std::fs::remove_dir_all(directory);
    }
    if ledger.engine
        && let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build()
    {
        runtime.block_on(sweep::run_until_nothing_comes(run, ledger.alive));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_read_to_the_end_of_the_pipe() {
        let ledger = Ledger::read("directory /a b\nengine\ndirectory /c\n".as_bytes());
        assert_eq!(ledger.directories, [Path::new("/a b"), Path::new("/c")]);
        assert!(ledger.engine && !ledger.done);
    }

    #[test]
    fn a_line_that_was_cut_short_is_no_reason_to_sweep_less() {
        let ledger = Ledger::read("engine\ndirec".as_bytes());
        assert!(ledger.engine);
    }
}
