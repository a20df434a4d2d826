//! A program of the user's that is let into a Pod: it has the Pod's network and names, and the host's files.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::stage::Stage;

/// Names the Pod's first process, in the environment of this program on its way in.
const FIRST: &str = "PROXYPROOF_POD_FIRST";

/// These words as a command that goes into the Pod of this first process.
pub(super) fn command(first: u32, words: &[OsString]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(words).env(FIRST, first.to_string());
    Stage::Guest.mark(&mut command);
    command
}

/// Goes in, and becomes the program.
pub(super) fn run(stage: &str) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let first = std::env::var(FIRST).map_err(io::Error::other)?;
    let here = std::env::current_dir();
    let kinds =
        [("user", LinkNameSpaceType::User), ("net", LinkNameSpaceType::Network), ("mnt", LinkNameSpaceType::Mount)];
    let opened = kinds.map(|(name, kind)| Ok((File::open(format!("/proc/{first}/ns/{name}"))?, name, kind)));
    for namespace in opened.into_iter().collect::<io::Result<Vec<_>>>()? {
        let (file, name, kind) = namespace;
        // Nobody may enter the namespace of users that it is in.
        if file.metadata()?.ino() != fs::metadata(format!("/proc/self/ns/{name}"))?.ino() {
            move_into_link_name_space(file.as_fd(), Some(kind))?;
        }
    }
    // A directory that is no more has no way back to it.
    let _ = here.and_then(std::env::set_current_dir);
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
    let error = Command::new(&program).args(words).env_remove(stage).env_remove(FIRST).exec();
    // As shells say it.
    let _ = writeln!(io::stderr(), "{}: {error}", program.display());
    Err(error)
}
