//! How this program is run once more, as a process of a Pod: it begins before `main`, with one thread.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::{first, guest, keeper, launcher};

/// Says which process of a Pod this is, in its environment, and in that of nothing else.
const STAGE: &str = "PROXYPROOF_POD";

/// As shells say that a program could not be run.
const NOT_RUN: i32 = 127;

/// The processes of a Pod that are this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Keeper,
    First,
    Launcher,
    Guest,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Keeper, Self::First, Self::Launcher, Self::Guest];

    fn name(self) -> &'static str {
        match self {
            Self::Keeper => "pod-keeper",
            Self::First => "pod-first",
            Self::Launcher => "pod-launcher",
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
        Stage::First => first::run(),
        Stage::Launcher => launcher::run(),
        Stage::Guest => {
            let _ = guest::run(STAGE);
            std::process::exit(NOT_RUN)
        }
    };
    std::process::exit(i32::from(ended.is_err()));
}

/// The connection that this process was given as its input, which is nothing from now on.
pub(super) fn connection() -> io::Result<OwnedFd> {
    let connection = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(connection)
}
