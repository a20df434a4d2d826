//! How this program is run once more, as a process of a Pod: it begins before `main`, with one thread. The first process
//! and the launchers are copies of it: to start it once more for each would take longer than nginx needs.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, setpgid};

use super::{guest, keeper};

/// Says which process of a Pod this is, in its environment, and in that of nothing else.
const STAGE: &str = "PROXYPROOF_POD";

/// As shells say that a program could not be run.
const NOT_RUN: i32 = 127;

/// The processes of a Pod that are this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Keeper,
    Guest,
}

impl Stage {
    const ALL: [Self; 2] = [Self::Keeper, Self::Guest];

    fn name(self) -> &'static str {
        match self {
            Self::Keeper => "pod-keeper",
            Self::Guest => "pod-guest",
        }
    }

    /// This program as that process, with its end of a connection as its input.
    pub(super) fn command(self, connection: OwnedFd) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.stdin(Stdio::from(connection));
        self.mark(&mut command);
        command
    }

    /// Has a command of this program be that process.
    pub(super) fn mark(self, command: &mut Command) {
        command.arg0(self.name()).env(STAGE, self.name());
    }
}

/// Runs before `main` in every program that links this crate, and returns at once in all but the processes of a Pod.
#[expect(clippy::exit, reason = "there is no `main` to return to, and these hold nothing that needs dropping")]
#[ctor::ctor(unsafe)]
fn be_of_a_pod_if_asked_to() {
    let Some(name) = std::env::var_os(STAGE) else {
        return;
    };
    let Some(stage) = Stage::ALL.into_iter().find(|stage| name == stage.name()) else {
        return;
    };
    let ended: io::Result<()> = match stage {
        Stage::Keeper => keeper::run(),
        Stage::Guest => {
            let _ = guest::run(STAGE);
            std::process::exit(NOT_RUN)
        }
    };
    std::process::exit(i32::from(ended.is_err()));
}

/// A copy of this process that does something else, and ends when that is done.
#[expect(clippy::exit, reason = "what is above it on the stack is the work of the process that it is a copy of")]
#[expect(unsafe_code, reason = "no safe function copies a process")]
pub(super) fn fork(name: &CStr, work: impl FnOnce() -> io::Result<()>) -> io::Result<Pid> {
    // SAFETY: the processes of a Pod have one thread, so nothing is half done or locked in the copy.
    match unsafe { libc::fork() } {
        0 => {
            let _ = rustix::thread::set_name(name);
            let ended = setpgid(None, None).map_err(io::Error::from).and_then(|()| work());
            std::process::exit(i32::from(ended.is_err()));
        }
        -1 => Err(io::Error::last_os_error()),
        child => Pid::from_raw(child).ok_or(io::ErrorKind::InvalidData.into()),
    }
}

/// Closes all files but the standard streams and this one: whoever called this program, and the process that this is a
/// copy of, had others open.
#[expect(unsafe_code, reason = "no safe function closes files that this program does not know of")]
pub(super) fn keep_only(file: &OwnedFd) -> io::Result<()> {
    let own = libc::c_uint::try_from(file.as_raw_fd()).map_err(io::Error::other)?;
    for (first, last) in [(3, own - 1), (own + 1, libc::c_uint::MAX)] {
        // SAFETY: nothing in this process uses any of these from here on.
        if first <= last && unsafe { libc::close_range(first, last, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The connection that this process was given as its input, which is nothing from now on.
pub(super) fn connection() -> io::Result<OwnedFd> {
    let connection = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(connection)
}
