//! Every way a run ends without a verdict, by stage, with the exit code of each.

use std::io::ErrorKind;

use reqwest::Url;

use crate::check::UnknownCheck;
use crate::deployment::DeploymentError;
use crate::probe::ProbeError;
use crate::report::MergeError;
use crate::runtime::RuntimeError;
use crate::source::SourceError;
use crate::upgrade::{BaselineError, WrongSide};
use crate::world::WorldError;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input or the call is wrong.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// A check was named that does not exist.
    #[error(transparent)]
    Check(#[from] UnknownCheck),
    /// The World could not be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A program is not to be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What was recorded can't be compared with.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The programs of an upgrade are named wrongly.
    #[error(transparent)]
    Side(#[from] WrongSide),
    /// What runs can't be probed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The Pod could not be run.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// nginx does not start with the configuration. `check` makes this a finding; a booted Lab has a running nginx.
    #[error("nginx refuses to start with this configuration; it said:\n{log}")]
    NginxRefused {
        /// All that nginx wrote.
        log: String,
    },
    /// The Lab gave no answer to a request.
    #[error("no answer from {url}: {error}")]
    NoAnswer {
        /// What was asked for.
        url: Url,
        /// What the client says.
        #[source]
        error: reqwest::Error,
    },
    /// Reports can't be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// What was found could not be kept until all is there.
    #[error(
        "could not keep the report in the temporary directory: {0}; free some space there, or let TMPDIR name another"
    )]
    Gather(std::io::Error),
    /// No client could be made.
    #[error("no client could be made: {0}; is the file of --cacert a PEM certificate?")]
    Client(String),
    /// A file could not be written.
    #[error("could not write {path}: {error}{}", way_to_write(.error))]
    Output {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The harness itself is at fault: it has panicked, and said so on standard error.
    #[error("proxyproof itself is at fault here: please report what it said on standard error, with the configuration")]
    Bug,
    /// One Lab alone can be held.
    #[error("--keep holds one Lab, and there are {deployments} deployments here: name one of them")]
    ManyToKeep {
        /// How many there are.
        deployments: usize,
    },
    /// Somebody pressed Ctrl-C or asked the process to end.
    #[error("interrupted by {0}; everything that was started has been removed")]
    Interrupted(&'static str),
}

impl Error {
    /// The process's exit code: 2 for wrong input, 3 for an environment that can't run it, 130, 143 and 129 for signals.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Deployment(_)
            | Self::Check(_)
            | Self::World(_)
            | Self::Client(_)
            | Self::Baseline(_)
            | Self::Side(_)
            | Self::ManyToKeep { .. } => 2,
            // Its flags and its configuration are the deployment's.
            Self::Runtime(RuntimeError::Ended { program: "prometheus", .. }) => 2,
            Self::NginxRefused { .. } | Self::NoAnswer { .. } => 1,
            Self::Source(error) => error.exit_code(),
            Self::Probe(error) => error.exit_code(),
            Self::Merge(error) => error.exit_code(),
            Self::Output { error, .. } => match error.kind() {
                ErrorKind::NotFound
                | ErrorKind::PermissionDenied
                | ErrorKind::IsADirectory
                | ErrorKind::NotADirectory => 2,
                _ => 3,
            },
            Self::Runtime(_) | Self::Gather(_) | Self::Bug => 3,
            Self::Interrupted("SIGHUP") => 129,
            Self::Interrupted("SIGTERM") => 143,
            Self::Interrupted(_) => 130,
        }
    }
}

/// What helps where a file can't be written.
fn way_to_write(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => "; name a file in a directory that exists",
        ErrorKind::IsADirectory => "; name a file in it",
        ErrorKind::PermissionDenied => "; name a file that this user may write",
        ErrorKind::StorageFull => "; free some space there, or name a file elsewhere",
        _ => "",
    }
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
