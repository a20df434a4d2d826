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

/// Where groups go, by `/proc/self/cgroup`: below this process's own with the older interface, with the newer below the
/// nearest that passes limits on.
fn parents(own: &str) -> Vec<(PathBuf, Limits)> {
    let passes_on = |group: &Path| {
        let kinds = fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
        kinds.split_whitespace().any(|kind| kind == "pids")
    };
    let nearest = |(groups, limits): (Vec<PathBuf>, Limits)| match groups.as_slice() {
        [one] => Some((one.clone(), limits)),
        several => several.iter().find(|group| passes_on(group)).map(|group| (group.clone(), limits)),
    };
    candidates(own).into_iter().filter_map(nearest).collect()
}

/// The groups below which one may go for each kind of limits.
fn candidates(own: &str) -> Vec<(Vec<PathBuf>, Limits)> {
    let lines = own.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?, parts.next()?.trim_start_matches('/')))
    });
    let found = lines.filter_map(|(kind, path)| match kind {
        "" => {
            let limits = vec![("pids.max", PROCESSES), ("memory.max", MEMORY), ("memory.swap.max", 0)];
            Some((Path::new(path).ancestors().map(|group| Path::new(ROOT).join(group)).collect(), limits))
        }
        "pids" => Some((vec![Path::new(ROOT).join(kind).join(path)], vec![("pids.max", PROCESSES)])),
        "memory" => Some((vec![Path::new(ROOT).join(kind).join(path)], vec![("memory.limit_in_bytes", MEMORY)])),
        _ => None,
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_interfaces_are_known() {
        let places = |text| -> Vec<String> {
            let groups = candidates(text).into_iter().flat_map(|(groups, _)| groups);
            groups.map(|group| group.display().to_string()).collect()
        };
        assert_eq!(
            places("0::/user.slice/a:b\n"),
            ["/sys/fs/cgroup/user.slice/a:b", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup/"]
        );
        assert_eq!(places("8:pids:/\n4:memory:/x\n1:cpu:/\n"), ["/sys/fs/cgroup/pids/", "/sys/fs/cgroup/memory/x"]);
    }
}
