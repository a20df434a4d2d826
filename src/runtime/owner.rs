//! Who a run belongs to, in a form from which a later run can see that the owner is dead.

use std::fmt;
use std::str::FromStr;

/// The process that owns what a run created.
///
/// A process id alone can be used again by another process and means nothing on another machine or in another PID
/// namespace, so the kernel's boot id, the namespace and the start time go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    machine: String,
    pid: i32,
    started: u64,
}

impl Owner {
    /// This process.
    pub(crate) fn this_process() -> Self {
        let pid = std::process::id().cast_signed();
        Self { machine: machine(), pid, started: start_time(pid).unwrap_or(0) }
    }

    /// Whether the owner has ended. An owner on another machine or in another PID namespace can't be seen from here,
    /// and what can't be seen is not called dead.
    pub(crate) fn is_dead(&self) -> bool {
        self.machine == machine() && start_time(self.pid) != Some(self.started)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.machine, self.pid, self.started)
    }
}

impl FromStr for Owner {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.trim().rsplitn(3, '/');
        let started = parts.next().and_then(|part| part.parse().ok()).ok_or(())?;
        let pid = parts.next().and_then(|part| part.parse().ok()).ok_or(())?;
        let machine = parts.next().ok_or(())?.to_owned();
        Ok(Self { machine, pid, started })
    }
}

/// The machine since its last boot, and the PID namespace in it.
#[cfg(target_os = "linux")]
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let inode: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("{}-{inode}", boot.trim())
}

/// When the process was started, in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)).
#[cfg(target_os = "linux")]
fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything, a parenthesis included.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(target_os = "linux"))]
fn start_time(pid: i32) -> Option<u64> {
    let pid = rustix::process::Pid::from_raw(pid)?;
    rustix::process::test_kill_process(pid).ok().map(|()| 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_survives_being_written_and_read() {
        let owner = Owner::this_process();
        assert_eq!(owner.to_string().parse(), Ok(owner));
    }

    #[test]
    fn this_process_is_alive_and_one_with_another_start_time_is_not() {
        let owner = Owner::this_process();
        assert!(!owner.is_dead());
        let earlier = Owner { started: owner.started + 1, ..owner };
        assert!(earlier.is_dead());
    }

    #[test]
    fn an_owner_on_another_machine_is_never_called_dead() {
        let stranger: Owner = "elsewhere/1/1".parse().expect("an owner");
        assert!(!stranger.is_dead());
    }
}
