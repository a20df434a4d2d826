//! The keeper: makes the namespaces of a Pod and starts the first process in them, and ends when that has ended.

use std::fs;
use std::io;

use rustix::process::{Signal, WaitOptions, getegid, geteuid, set_parent_process_death_signal, waitpid};
use rustix::thread::UnshareFlags;

use super::messages::{Answer, Failed, Keep, doing};
use super::wire::Wire;
use super::{first, stage};

pub(super) fn run() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let connection = stage::connection()?;
    let kept = stage::keep_only(&connection).map_err(doing("close what the caller had open"));
    let wire = Wire::of(connection);
    let keep: Keep = wire.receive()?.message;
    if let Err(failed) = kept.and_then(|()| begin(&keep)) {
        return wire.send(&Answer::from(failed), &[], &[]);
    }
    let first = stage::fork(c"pod-first", || first::run(&wire))?;
    drop(wire);
    rustix::io::retry_on_intr(|| waitpid(Some(first), WaitOptions::empty()))?;
    Ok(())
}

fn begin(keep: &Keep) -> Result<(), Failed> {
    for group in &keep.groups {
        // Who may make a group may not always move into it.
        let _ = fs::write(group, "0");
    }
    let own =
        UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    // Who is root needs no users of the Pod's own, unless somebody took that power away.
    if geteuid().is_root() && unshare(own).is_ok() {
        return Ok(());
    }
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER).map_err(doing("make a user namespace"))?;
    let map = |file: &str, text: String| fs::write(file, text).map_err(doing(format!("write {file}")));
    map("/proc/self/setgroups", "deny".to_owned())?;
    map("/proc/self/gid_map", format!("0 {group} 1"))?;
    map("/proc/self/uid_map", format!("0 {user} 1"))?;
    unshare(own).map_err(doing("make namespaces for the Pod"))
}

#[expect(unsafe_code, reason = "it is unsafe for CLONE_FILES alone, which is never asked for")]
pub(super) fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: no flag of these splits the table of open files from that of another thread; there is no other thread.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}
