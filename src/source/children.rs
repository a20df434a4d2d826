//! The tools of the machine that a build runs, such that they end when this process does.

use std::env;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

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
        command.output().map_err(SourceError::io("run", Path::new(self.name)))
    }
}

/// `program` under `setpriv --pdeathsig`, where there is one; it belongs to util-linux, which every Debian has.
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
