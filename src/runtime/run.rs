//! A run: the name that everything bears which is created for one Lab.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::directory::RunDirectory;
use super::error::RuntimeError;
use super::janitor::Janitor;
use super::owner::Owner;

/// The label by which everything that a run creates is found again.
pub(crate) const RUN_LABEL: &str = "proxyproof.run";
/// The label that says whose it is.
pub(crate) const OWNER_LABEL: &str = "proxyproof.owner";

/// A run under way. Its janitor takes away what it created, unless the run has ended in order.
#[derive(Debug)]
pub(crate) struct Run {
    id: RunId,
    directory: Mutex<Option<RunDirectory>>,
    janitor: Janitor,
}

impl Run {
    /// Begins a run, with its janitor.
    pub(crate) fn begin() -> Result<Self, RuntimeError> {
        let id = RunId::new();
        let janitor = Janitor::start(&id)?;
        Ok(Self { id, directory: Mutex::new(None), janitor })
    }

    /// Its id.
    pub(crate) fn id(&self) -> &RunId {
        &self.id
    }

    /// Runs a request that has the engine create the thing of this name, which the janitor knows of before it exists.
    pub(crate) async fn creating<T>(&self, name: &str, request: impl Future<Output = T>) -> Result<T, RuntimeError> {
        self.janitor.guard(name, request).await
    }

    /// Tells the janitor of a directory that is to go with this process, before it exists.
    pub(crate) fn guard_directory(&self, directory: &Path) -> Result<(), RuntimeError> {
        self.janitor.guard_directory(directory)
    }

    /// The run's directory, which is created when it is first asked for.
    pub(crate) fn directory(&self) -> Result<PathBuf, RuntimeError> {
        self.in_directory(|directory| Ok(directory.path().to_owned()))
    }

    /// Writes a file into the run's directory, and says where it is.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, RuntimeError> {
        self.in_directory(|directory| directory.write(name, content))
    }

    fn in_directory<T>(&self, work: impl FnOnce(&RunDirectory) -> Result<T, RuntimeError>) -> Result<T, RuntimeError> {
        let mut directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        let there = match directory.take() {
            Some(there) => there,
            None => {
                self.janitor.guard_directory(&RunDirectory::place(&self.id))?;
                RunDirectory::create(&self.id)?
            }
        };
        work(directory.insert(there))
    }

    /// Leaves the run's directory for a look, and says where it is.
    pub(crate) fn keep_directory(&self) -> Option<PathBuf> {
        let mut directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        directory.as_mut().map(|directory| directory.keep().to_owned())
    }

    /// All that the engine held is gone: nothing is left for the janitor.
    pub(crate) fn end(&self) {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.janitor.dismiss();
    }
}

/// The id of a run: unique among all runs that share an engine or a temporary directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunId(String);

impl RunId {
    /// A new one, from the operating system's randomness.
    pub(crate) fn new() -> Self {
        // `RandomState` is seeded by the operating system; with the process id two runs can't meet.
        let random = RandomState::new().build_hasher().finish();
        Self(format!("{:x}-{random:016x}", std::process::id()))
    }

    /// One that was read from a label or a file name.
    pub(crate) fn from_label(label: &str) -> Self {
        Self(label.to_owned())
    }

    /// The name of a thing of this run.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("proxyproof-{}-{what}", self.0)
    }

    /// The labels of everything that this process creates for this run.
    pub(crate) fn labels(&self) -> HashMap<String, String> {
        HashMap::from([
            (RUN_LABEL.to_owned(), self.0.clone()),
            (OWNER_LABEL.to_owned(), Owner::this_process().to_string()),
        ])
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
