//! The programs of a Pod, whichever runtime runs them.

use std::collections::BTreeSet;

use rustix::process::Signal;

use super::docker;
use super::error::RuntimeError;
#[cfg(target_os = "linux")]
use super::sandbox;
use crate::world::PodFile;

/// What Prometheus is called in messages and errors.
pub(crate) const PROMETHEUS: &str = "prometheus";

/// The programs of a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The reverse proxy.
    Nginx,
    /// What it stands in front of, by its number: there may be several.
    Prometheus(usize),
    /// What stands for everything else that nginx talks to.
    Stubs,
}

impl Role {
    /// Its name, in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Prometheus(_) => PROMETHEUS,
            Self::Stubs => "stubs",
        }
    }
}

/// A program that was started, and what it has written so far.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// In a container.
    Docker(Box<docker::Program>),
    /// In namespaces of its own.
    #[cfg(target_os = "linux")]
    Sandbox(sandbox::Program),
}

impl Program {
    /// What it has written so far, its standard output and error as one.
    pub(super) fn log(&self) -> String {
        match self {
            Self::Docker(program) => program.log(),
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.log(),
        }
    }

    /// Whether it has ended. All that it wrote is in its log then.
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Docker(program) => program.has_ended(),
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.has_ended(),
        }
    }

    /// Returns when it has ended.
    pub(super) async fn until_ended(&self) {
        match self {
            Self::Docker(program) => program.until_ended().await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.until_ended().await,
        }
    }

    /// What another program says that is run beside it with these words, its standard output and error as one.
    pub(super) async fn exec(&self, words: &[&str]) -> Option<String> {
        match self {
            Self::Docker(program) => program.exec(words).await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.exec(words).await,
        }
    }

    /// Sends it a signal; one that has ended needs none.
    pub(super) async fn signal(&self, signal: Signal, doing: &str) -> Result<(), RuntimeError> {
        match self {
            Self::Docker(program) => program.signal(signal, doing).await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.signal(signal, doing).await,
        }
    }

    /// The ids of nginx's workers that take connections.
    pub(super) async fn workers(&self) -> BTreeSet<String> {
        match self {
            Self::Docker(program) => program.workers().await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.workers().await,
        }
    }

    /// Puts files into its file system, changed at a time in seconds.
    pub(super) async fn put(&self, files: &[PodFile], changed: u64) -> Result<(), RuntimeError> {
        match self {
            Self::Docker(program) => program.put(files, changed).await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.put(files, changed).await,
        }
    }

    /// Ends it if it runs, and returns when nothing is left of it.
    pub(super) async fn remove(&self) -> Result<(), RuntimeError> {
        match self {
            Self::Docker(program) => program.remove().await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(program) => program.remove().await,
        }
    }
}

/// A process whose title says that it is an nginx worker which takes connections.
pub(super) fn is_worker(title: &str) -> bool {
    title.contains("nginx: worker process") && !title.contains("shutting down")
}
