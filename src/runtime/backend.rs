//! A Prometheus behind the nginx of a Pod: its own, or one that other Pods use too.

#[cfg(target_os = "linux")]
use super::commons::Borrowed;
use super::error::RuntimeError;
#[cfg(target_os = "linux")]
use super::pod::tail;
use super::program::Program;
#[cfg(target_os = "linux")]
use super::sandbox::Relay;

/// A Prometheus behind the nginx of a Pod.
#[derive(Debug)]
pub(super) enum Backend {
    /// In the Pod itself.
    Own(Program),
    /// In a Pod that others use too.
    #[cfg(target_os = "linux")]
    Shared(Shared),
}

/// The way to a shared Prometheus.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(super) struct Shared {
    // Dropped in this order: who gives it back has no connection to it any more.
    _relay: Relay,
    borrowed: std::sync::Arc<Borrowed>,
}

impl Backend {
    /// What it has written so far.
    pub(super) fn log(&self) -> String {
        match self {
            Self::Own(program) => program.log(),
            #[cfg(target_os = "linux")]
            Self::Shared(shared) => shared.borrowed.log(),
        }
    }

    /// The program beside which others may be run with its files, that change nothing.
    pub(super) fn beside(&self) -> Program {
        match self {
            Self::Own(program) => program.clone(),
            #[cfg(target_os = "linux")]
            Self::Shared(shared) => Program::Sandbox(shared.borrowed.program().clone()),
        }
    }

    /// The Pod's own program, which alone may be stopped and started.
    pub(super) fn own(&self) -> Result<&Program, RuntimeError> {
        match self {
            Self::Own(program) => Ok(program),
            #[cfg(target_os = "linux")]
            Self::Shared(_) => Err(RuntimeError::Shared),
        }
    }
}

#[cfg(target_os = "linux")]
impl Shared {
    pub(super) fn of(borrowed: Borrowed, relay: Relay) -> Self {
        Self { _relay: relay, borrowed: std::sync::Arc::new(borrowed) }
    }

    /// What tells whether it has run all the time.
    pub(super) fn watch(&self) -> Watch {
        Watch(std::sync::Arc::clone(&self.borrowed))
    }
}

/// Tells whether a shared Prometheus has run all the time.
#[cfg(target_os = "linux")]
pub(super) struct Watch(std::sync::Arc<Borrowed>);

#[cfg(target_os = "linux")]
impl Watch {
    /// Whether it answers still: it is never started again.
    pub(super) async fn check(&self) -> Result<(), RuntimeError> {
        match self.0.answers().await {
            true => Ok(()),
            false => Err(RuntimeError::SharedEnded { log: tail(&self.0.log()) }),
        }
    }
}
