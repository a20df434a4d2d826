//! Boots a Pod: nginx and Prometheus in one network namespace, with nothing left behind whatever happens.

mod archive;
mod backend;
mod bed;
mod change;
mod commons;
mod directory;
pub(crate) mod docker;
mod entrance;
mod error;
mod host;
mod janitor;
mod ledger;
mod owner;
mod pod;
mod program;
mod reach;
mod run;
#[cfg(target_os = "linux")]
pub(crate) mod sandbox;
mod saying;
mod serving;
mod task;
mod wait;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::world::PodFile;

pub(crate) use bed::Bed;
pub use bed::Runtime;
pub(crate) use commons::Shareable;
pub use commons::{Commons, CommonsStatistics};
pub(crate) use directory::{RunDirectory, remove as remove_directory};
pub(crate) use entrance::Entrances;
pub use error::RuntimeError;
pub use janitor::all_gone;
pub(crate) use pod::{BootTimes, Pod};
pub(crate) use program::PROMETHEUS;
pub(crate) use reach::Reach;
pub(crate) use run::Run;
pub(crate) use task::unfinished;

/// How long a Pod may take until both programs answer.
pub(crate) const BOOT_TIME: Duration = Duration::from_secs(60);

/// What a runtime boots, as plain data.
#[derive(Debug)]
pub(crate) struct PodPlan {
    /// The reverse proxy.
    pub nginx: ProgramPlan,
    /// What it stands in front of.
    pub prometheus: Vec<ProgramPlan>,
    /// What is used together with other Pods, if anything: by each Prometheus that may be.
    pub commons: Option<(Commons, Vec<Option<Shareable>>)>,
    /// What stands for everything else that nginx talks to, and what it says once it can be asked.
    pub stubs: Option<(ProgramPlan, &'static str)>,
    /// Directories that nginx and the stubs share, for sockets.
    pub shared_directories: Vec<String>,
    /// Names that mean an address inside the Pod.
    pub hosts: Vec<(String, IpAddr)>,
    /// Where connections to an address and port go instead, which nginx itself has in this one network.
    pub redirects: Vec<(SocketAddr, SocketAddr)>,
    /// Addresses that the deployment speaks of and that are the Pod's own here.
    pub addresses: Vec<IpAddr>,
    /// The TCP ports that nginx listens on, and 80: clients come in there.
    pub ports: Vec<u16>,
    /// Those among them at which nothing but nginx listens: who gets in there knows that nginx serves.
    pub telling: Vec<u16>,
    /// Further TCP ports at which clients come in: those of relays, which say nothing of nginx.
    pub relays: Vec<u16>,
}

/// How one program is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProgramPlan {
    /// The image's reference; in the sandbox the directory of its root.
    pub image: String,
    /// The command line; empty for the image's own.
    pub arguments: Vec<String>,
    /// What its environment holds beside what every program's does.
    pub environment: Vec<(String, String)>,
    /// Directories that it writes to, kept in memory.
    pub in_memory: Vec<String>,
    /// Files that are put into it before it starts.
    pub files: Vec<PodFile>,
    /// How many files it may hold open, where the engine's own limit does not do.
    pub open_files: Option<u32>,
}

/// What came of telling nginx to read its configuration again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// New workers run with it.
    Done,
    /// nginx goes on with the one that it had.
    Refused {
        /// What it says is wrong.
        log: String,
    },
}

/// Why nginx does not run, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// All that nginx wrote before it ended.
    pub(crate) log: String,
}
