//! The walls of a program, put up between its `fork` and its `exec`.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

use rustix::process::{Gid, Resource, Rlimit, Signal, Uid, setrlimit};
use rustix::thread::{self, CapabilitySet, CapabilitySets};
use seccompiler::BpfProgram;

use super::messages::Launch;
use super::names::HOSTNAME;
use super::seccomp;
use super::tree::OldRoot;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// As many files as a program may hold open that says nothing of it, where the host allows as many.
const OPEN_FILES: u64 = 1 << 20;
/// Processes and threads of the Pod, where no control group counts them.
const PROCESSES: u64 = 1024;

/// What a program may do.
pub(super) struct Walls {
    user: u32,
    environment: Vec<(String, String)>,
    capabilities: CapabilitySet,
    limits: Vec<(Resource, Rlimit)>,
    filters: Vec<BpfProgram>,
}

impl Walls {
    pub(super) fn of(launch: &Launch) -> io::Result<Self> {
        let one_user = has_one_user();
        let mut limits = vec![
            (Resource::Core, fixed(0)),
            (Resource::Data, fixed(launch.memory)),
            (Resource::Nofile, fixed(open_files(launch.open_files))),
        ];
        if one_user {
            // Counted in this namespace alone. As root the control group counts, and root's processes are the host's too.
            limits.push((Resource::Nproc, fixed(PROCESSES)));
        }
        Ok(Self {
            user: if one_user { 0 } else { launch.user },
            environment: launch.environment.clone(),
            capabilities: CapabilitySet::from_bits_retain(launch.capabilities),
            limits,
            filters: seccomp::filters(one_user)?,
        })
    }

    /// A command that runs behind these walls; with the old root, as the first process of its own.
    #[expect(unsafe_code, reason = "what is done between fork and exec can be done by no other way")]
    pub(super) fn command(self: &std::sync::Arc<Self>, words: &[String], old: Option<OldRoot>) -> io::Result<Command> {
        use std::os::unix::process::CommandExt;
        let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", PATH).env("HOSTNAME", HOSTNAME).env("HOME", "/");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        let walls = std::sync::Arc::clone(self);
        // SAFETY: the launcher has one thread, so nothing is half done or locked in the copy of it that runs this.
        unsafe {
            command.pre_exec(move || {
                if let Some(old) = &old {
                    old.leave()?;
                }
                walls.put_up()
            });
        }
        Ok(command)
    }

    fn put_up(&self) -> io::Result<()> {
        rustix::process::setsid()?;
        for (resource, limit) in &self.limits {
            setrlimit(*resource, *limit)?;
        }
        for number in 0..u64::BITS {
            let capability = CapabilitySet::from_bits_retain(1 << number);
            // Those that the kernel does not know come last.
            if !self.capabilities.contains(capability)
                && thread::remove_capability_from_bounding_set(capability).is_err()
            {
                break;
            }
        }
        thread::clear_ambient_capability_set()?;
        if self.user != 0 {
            let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.user));
            thread::set_thread_groups(&[])?;
            thread::set_thread_res_gid(group, group, group)?;
            thread::set_thread_res_uid(user, user, user)?;
        } else {
            let own = self.capabilities;
            let sets = CapabilitySets { effective: own, permitted: own, inheritable: CapabilitySet::empty() };
            thread::set_capabilities(None, sets)?;
        }
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        thread::set_no_new_privs(true)?;
        self.filters.iter().try_for_each(|filter| seccompiler::apply_filter(filter)).map_err(io::Error::other)
    }
}

fn fixed(limit: u64) -> Rlimit {
    Rlimit { current: Some(limit), maximum: Some(limit) }
}

fn open_files(wanted: Option<u32>) -> u64 {
    let most = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(OPEN_FILES);
    wanted.map_or(OPEN_FILES, u64::from).min(most)
}

/// Whether users can't be told from each other here: an ordinary user has a namespace with nobody else in it.
fn has_one_user() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().nth(2) == Some("1")
}
