//! Control groups: how many processes and how much memory a Pod may have, where this user may make them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::runtime::error::RuntimeError;
use crate::runtime::run::Run;

const ROOT: &str = "/sys/fs/cgroup";
/// Of all programs of a Pod together; what they write into memory counts.
const MEMORY: u64 = 2 << 30;
const PROCESSES: u64 = 1024;

/// The control groups of a Pod: one, or one for each kind of limit with the older interface.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<PathBuf>);

impl Groups {
    /// Makes those that can be made, and tells the janitor before.
    pub(super) fn create(run: &Run) -> Result<Self, RuntimeError> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut groups = Self::default();
        for (parent, limits) in parents(&own) {
            let group = parent.join(run.id().name("pod"));
            if !parent.join("cgroup.procs").exists() {
                continue;
            }
            run.guard_directory(&group)?;
            if fs::create_dir(&group).is_err() {
                continue;
            }
            for (file, limit) in limits {
                // A kernel that counts no such thing has no such file.
                let _ = fs::write(group.join(file), limit.to_string());
            }
            groups.0.push(group);
        }
        Ok(groups)
    }

    /// The files through which a process joins.
    pub(super) fn doors(&self) -> Vec<PathBuf> {
        self.0.iter().map(|group| group.join("cgroup.procs")).collect()
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for group in &self.0 {
            // The janitor tries again.
            let _ = fs::remove_dir(group);
        }
    }
}

/// Those of processes that are no more, whose janitor was killed too.
pub(crate) fn groups_of_dead_runs() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = parents(&own).into_iter().flat_map(|(parent, _)| fs::read_dir(parent).into_iter().flatten().flatten());
    let dead = groups.filter(|group| {
        let name = group.file_name().to_string_lossy().into_owned();
        let id = name.strip_prefix("proxyproof-").and_then(|rest| rest.strip_suffix("-pod")?.split('-').next());
        let pid = id.and_then(|id| u32::from_str_radix(id, 16).ok());
        pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    });
    dead.map(|group| group.path()).collect()
}

type Limits = Vec<(&'static str, u64)>;

/// Where groups go that are below this process's own, by `/proc/self/cgroup`.
fn parents(own: &str) -> Vec<(PathBuf, Limits)> {
    let lines = own.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?, parts.next()?.trim_start_matches('/')))
    });
    let found = lines.filter_map(|(kind, path)| match kind {
        "" => Some((
            Path::new(ROOT).join(path),
            vec![("pids.max", PROCESSES), ("memory.max", MEMORY), ("memory.swap.max", 0)],
        )),
        "pids" => Some((Path::new(ROOT).join(kind).join(path), vec![("pids.max", PROCESSES)])),
        "memory" => Some((Path::new(ROOT).join(kind).join(path), vec![("memory.limit_in_bytes", MEMORY)])),
        _ => None,
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_interfaces_are_known() {
        let parents = |text| parents(text).into_iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>();
        assert_eq!(parents("0::/user.slice/a:b\n"), ["/sys/fs/cgroup/user.slice/a:b"]);
        assert_eq!(parents("8:pids:/\n4:memory:/x\n1:cpu:/\n"), ["/sys/fs/cgroup/pids/", "/sys/fs/cgroup/memory/x"]);
    }
}
