//! What the harness says to the processes of a Pod, and what they answer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the keeper is started for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Keep {
    /// The files through which it joins its control groups.
    pub(super) groups: Vec<PathBuf>,
}

/// What the first process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Make the Pod. Comes first, and once.
    Begin(Begin),
    /// Hand out so many TCP sockets.
    Sockets(usize),
    /// Hand out a TCP socket that listens there.
    Listen(SocketAddr),
    /// Start a launcher, with the two files that come along: its connection, and where its program writes.
    Launch,
    /// Let names mean these addresses and no others.
    Names(Vec<(String, IpAddr)>),
    /// Make ready for a program of the user's, for which names mean these addresses, and say how it gets in.
    LetIn(Vec<(String, IpAddr)>),
}

/// What a Pod is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begin {
    /// An empty directory of the host, where things are mounted that the host does not see.
    pub(super) place: PathBuf,
    /// The addresses that are the Pod's own.
    pub(super) addresses: Vec<IpAddr>,
    /// What names mean.
    pub(super) hosts: Vec<(String, IpAddr)>,
    /// How many directories programs share.
    pub(super) shared: usize,
}

/// What a launcher is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Task {
    /// Start the program, with the files in the archive that comes along. Comes first, and once.
    Begin(Launch),
    /// Put the files in the archive that comes along.
    Put,
    /// Run something beside it, which writes to the file that comes along.
    Exec(Vec<String>),
    /// Send it a signal, by its number.
    Signal(i32),
    /// Say which workers nginx has.
    Workers,
}

/// A program, and its walls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Launch {
    /// The Pod's directory, as in [`Begin`].
    pub(super) place: PathBuf,
    /// The directory that is the lowest layer of its file system.
    pub(super) root: PathBuf,
    /// Its command line.
    pub(super) words: Vec<String>,
    /// What its environment holds beside what every program's does.
    pub(super) environment: Vec<(String, String)>,
    /// The user and group that it runs as.
    pub(super) user: u32,
    /// The directory that it starts in.
    pub(super) directory: String,
    /// The capabilities that are left to it, as the kernel's bits.
    pub(super) capabilities: u64,
    /// Directories that it writes to, in memory.
    pub(super) in_memory: Vec<String>,
    /// Directories that it shares with others, by their number.
    pub(super) shared: Vec<String>,
    /// How many files it may hold open.
    pub(super) open_files: Option<u32>,
    /// How many bytes of memory each of its processes may have.
    pub(super) memory: u64,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It is done.
    Done,
    /// It could not be done.
    Failed {
        /// What was being done.
        doing: String,
        /// What the kernel said.
        reason: String,
    },
    /// The ids of workers.
    Workers(Vec<String>),
    /// The id of the first process, as the host has it: its namespaces are the Pod's.
    At(u32),
}

/// Something that failed, and what was being done.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) doing: String,
    pub(super) error: io::Error,
}

impl From<Failed> for Answer {
    fn from(Failed { doing, error }: Failed) -> Self {
        Self::Failed { doing, reason: error.to_string() }
    }
}

/// Says what was being done when something failed.
pub(super) fn doing<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Failed {
    let what = what.into();
    move |error| Failed { doing: what, error: error.into() }
}
