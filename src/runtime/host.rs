//! What holds the programs of a Pod together, by the runtime that runs it.

use std::ffi::OsString;
use std::net::IpAddr;
use std::process::Command;

use super::ProgramPlan;
use super::docker;
use super::error::RuntimeError;
use super::program::{Program, Role};
use super::reach::Reach;
use super::run::Run;
#[cfg(target_os = "linux")]
use super::sandbox;

/// What holds the programs of a Pod together. Dropping it ends the Pod.
#[derive(Debug)]
pub(super) enum Host {
    /// A network of the engine, and the container whose end is the end of all.
    Docker(docker::Host),
    /// Namespaces of this kernel, and their first process.
    #[cfg(target_os = "linux")]
    Sandbox(sandbox::Host),
}

impl Host {
    /// The runtime's name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Docker(_) => "docker",
            #[cfg(target_os = "linux")]
            Self::Sandbox(_) => "sandbox",
        }
    }

    /// How clients outside the Pod get to a TCP port of it.
    pub(super) fn reach(&self, port: u16) -> Reach {
        match self {
            Self::Docker(host) => Reach::at(host.address(port)),
            #[cfg(target_os = "linux")]
            Self::Sandbox(host) => host.reach(port),
        }
    }

    /// The same of those ports where a connection tells that somebody in the Pod listens.
    pub(super) fn telling(&self, ports: &[u16]) -> Vec<Reach> {
        let tells = match self {
            Self::Docker(host) => host.is_direct(),
            #[cfg(target_os = "linux")]
            Self::Sandbox(_) => true,
        };
        ports.iter().filter(|_| tells).map(|port| self.reach(*port)).collect()
    }

    /// Starts a program again, beside the stubs with which nginx shares its sockets.
    pub(super) async fn start(
        &self,
        role: Role,
        plan: &ProgramPlan,
        run: &Run,
        stubs: Option<&Program>,
        again: usize,
    ) -> Result<Program, RuntimeError> {
        match self {
            Self::Docker(host) => {
                let stubs = match stubs {
                    Some(Program::Docker(stubs)) => Some(&**stubs),
                    _ => None,
                };
                host.start(role, plan, run, stubs, again).await.map(Box::new).map(Program::Docker)
            }
            #[cfg(target_os = "linux")]
            Self::Sandbox(host) => host.start(role, plan).await.map(Program::Sandbox),
        }
    }

    /// Lets names mean these addresses from now on, and no others any more.
    pub(super) async fn name_all(&self, hosts: &[(String, IpAddr)]) -> Result<(), RuntimeError> {
        match self {
            Self::Docker(host) => host.name_all(hosts).await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(host) => host.name_all(hosts).await,
        }
    }

    /// A command of this machine that runs in the Pod's network, where these names mean the Pod.
    pub(super) fn inside(
        &self,
        words: &[OsString],
        names: &[String],
        hosts: &[(String, IpAddr)],
    ) -> Result<Command, RuntimeError> {
        match self {
            Self::Docker(_) => Err(RuntimeError::NoGuests),
            #[cfg(target_os = "linux")]
            Self::Sandbox(host) => host.inside(words, names, hosts),
        }
    }

    /// Ends it, and all that runs in it.
    pub(super) async fn end(&self) -> Result<(), RuntimeError> {
        match self {
            Self::Docker(host) => host.end().await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(host) => host.end().await,
        }
    }

    /// Removes what is left when its programs are gone.
    pub(super) async fn remove(&self) -> Result<(), RuntimeError> {
        match self {
            Self::Docker(host) => host.remove().await,
            #[cfg(target_os = "linux")]
            Self::Sandbox(_) => Ok(()),
        }
    }
}
