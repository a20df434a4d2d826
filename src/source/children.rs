//! The tools of the machine that a build runs, such that they end when this process does.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::SourceError;
use super::auto::find_program;

/// A tool of the machine, and the package that brings it.
#[derive(Clone, Copy)]
pub(super) struct Tool {
    pub name: &'static str,
    pub package: &'static str,
}

pub(super) const APT_GET: Tool = Tool { name: "apt-get", package: "apt" };
pub(super) const APT_CONFIG: Tool = Tool { name: "apt-config", package: "apt" };
pub(super) const APT_HELPER: Tool = Tool { name: "/usr/lib/apt/apt-helper", package: "apt" };
pub(super) const DPKG_DEB: Tool = Tool { name: "dpkg-deb", package: "dpkg" };

impl Tool {
    /// The tool, to be given its arguments: no input, plain messages, and killed by the kernel when the thread that
    /// started it goes, so that a killed harness leaves no download running.
    pub(super) fn command(self) -> Result<Command, SourceError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let program = find_program(self.name, env::split_paths(&path))
            .ok_or(SourceError::NoTool { tool: self.name, package: self.package })?;
        let mut command = mortal(&program);
        command.stdin(Stdio::null()).env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        Ok(command)
    }

    /// Runs it to its end.
    pub(super) fn run(self, prepare: impl FnOnce(&mut Command)) -> Result<Output, SourceError> {
        let mut command = self.command()?;
        prepare(&mut command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = SourceError::io("run", Path::new(self.name));
        begin(&mut command).and_then(|(child, _running)| child.wait_with_output()).map_err(failed)
    }
}

/// Starts a tool, and holds with [`Running`] that it runs.
pub(super) fn begin(command: &mut Command) -> io::Result<(Child, Running)> {
    let mut builds = lock();
    if builds.abandoned {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let child = command.spawn()?;
    let pid = child.id().cast_signed();
    builds.tools.insert(pid);
    Ok((child, Running(pid)))
}

/// That a tool runs.
pub(super) struct Running(i32);

impl Drop for Running {
    fn drop(&mut self) {
        lock().tools.remove(&self.0);
    }
}

/// That something is being built.
pub(super) struct Build(());

impl Build {
    /// Begins, unless all builds were abandoned.
    pub(super) fn begin() -> io::Result<Self> {
        let mut builds = lock();
        if builds.abandoned {
            return Err(io::ErrorKind::Interrupted.into());
        }
        builds.count += 1;
        Ok(Self(()))
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        lock().count -= 1;
        ENDED.notify_all();
    }
}

/// Ends the tools that builds of this process run, so that the builds fail, and waits a moment until they have removed
/// what they began. No further build can begin: it is for a process that is about to end.
pub fn abandon_builds() {
    let mut builds = lock();
    builds.abandoned = true;
    for pid in builds.tools.iter().copied().filter_map(Pid::from_raw) {
        // One that has just ended is what is wanted.
        let _ = kill_process(pid, Signal::KILL);
    }
    // What is left after that is for the run's janitor.
    let _ = ENDED.wait_timeout_while(builds, Duration::from_secs(5), |builds| builds.count > 0);
}

/// Whether builds have to end: those that run no tool look now and then.
#[cfg(target_os = "linux")]
pub(super) fn are_abandoned() -> bool {
    lock().abandoned
}

/// What this process builds right now.
struct Builds {
    abandoned: bool,
    tools: BTreeSet<i32>,
    count: usize,
}

static BUILDS: Mutex<Builds> = Mutex::new(Builds { abandoned: false, tools: BTreeSet::new(), count: 0 });
static ENDED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Builds> {
    BUILDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `program` under `setpriv --pdeathsig`, where there is one; it belongs to util-linux, which every Debian and Ubuntu has.
pub(super) fn mortal(program: &Path) -> Command {
    static SETPRIV: OnceLock<bool> = OnceLock::new();
    if *SETPRIV.get_or_init(setpriv_works) {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn setpriv_works() -> bool {
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
