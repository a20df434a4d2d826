//! Which runtime runs a Pod.

use std::sync::Arc;

use super::PodPlan;
use super::docker::{self, Engine};
use super::error::RuntimeError;
use super::pod::Pod;
use super::run::Run;
#[cfg(target_os = "linux")]
use super::sandbox;
use crate::source::{Arch, SourceError};

/// What boots the programs of a Lab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// Docker where an engine answers, else the sandbox.
    #[default]
    Auto,
    /// Containers of a Docker engine.
    Docker,
    /// Namespaces of this kernel, without a daemon. On Linux alone.
    Sandbox,
}

/// A runtime that works here.
#[derive(Clone, Debug)]
pub(crate) enum Bed {
    /// An engine that answers.
    Docker(Engine),
    /// This kernel.
    #[cfg(target_os = "linux")]
    Sandbox,
}

impl Bed {
    /// The runtime that is asked for, if it works here.
    pub(crate) async fn find(runtime: Runtime) -> Result<Self, RuntimeError> {
        match runtime {
            Runtime::Docker => Engine::connect().await.map(Self::Docker),
            Runtime::Sandbox => sandbox(),
            Runtime::Auto => match Engine::connect().await {
                Ok(engine) => Ok(Self::Docker(engine)),
                Err(docker) => match Self::examine_sandbox().await {
                    Ok(_) => sandbox(),
                    Err(sandbox) => {
                        let (docker, sandbox) = (docker.to_string(), sandbox.to_string());
                        Err(RuntimeError::NoRuntime { docker, sandbox })
                    }
                },
            },
        }
    }

    /// Whether the sandbox works here, and what there is or is missing.
    pub(crate) async fn examine_sandbox() -> Result<String, RuntimeError> {
        #[cfg(target_os = "linux")]
        return sandbox::examine().await;
        #[cfg(not(target_os = "linux"))]
        return sandbox().map(|_| String::new());
    }

    /// The runtime that it is.
    pub(crate) fn runtime(&self) -> Runtime {
        match self {
            Self::Docker(_) => Runtime::Docker,
            #[cfg(target_os = "linux")]
            Self::Sandbox => Runtime::Sandbox,
        }
    }

    /// The engine that has images, if there is one.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Docker(engine) => Some(engine),
            #[cfg(target_os = "linux")]
            Self::Sandbox => None,
        }
    }

    /// The processor that programs are built for.
    pub(crate) fn arch(&self) -> Result<Arch, SourceError> {
        match self {
            Self::Docker(engine) => Arch::named(&engine.architecture),
            #[cfg(target_os = "linux")]
            Self::Sandbox => Arch::host(),
        }
    }

    /// Boots a Pod and waits until its programs serve, or nginx has refused to.
    pub(crate) async fn boot(self, run: Arc<Run>, infrastructure: &str, plan: PodPlan) -> Result<Pod, RuntimeError> {
        match self {
            Self::Docker(engine) => docker::boot(engine, run, infrastructure, plan).await,
            #[cfg(target_os = "linux")]
            Self::Sandbox => sandbox::boot(run, infrastructure, plan).await,
        }
    }
}

#[cfg(target_os = "linux")]
fn sandbox() -> Result<Bed, RuntimeError> {
    // What forbids it is said when the Pod is made.
    Ok(Bed::Sandbox)
}

#[cfg(not(target_os = "linux"))]
fn sandbox() -> Result<Bed, RuntimeError> {
    Err(RuntimeError::Sandbox { doing: "run".to_owned(), reason: "it is made of Linux namespaces".to_owned() })
}
