//! The container engine, and how its Pods are reached.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs, UdpSocket};

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::core::client::docker_client_instance;

use crate::runtime::error::RuntimeError;

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// A connected engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(super) docker: Docker,
    /// How clients come into a Pod.
    pub(super) way_in: WayIn,
    /// The engine's processor architecture in Debian's terms, such as `amd64`.
    pub(crate) architecture: String,
    /// The engine's own version.
    pub(crate) version: String,
    /// Where it listens.
    pub(crate) host: String,
}

/// How clients come into a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WayIn {
    /// To the Pod's own address and ports: the engine's networks are this machine's.
    Direct,
    /// Through ports that the engine publishes at this address: its networks are in a virtual machine or elsewhere.
    Published(IpAddr),
}

impl WayIn {
    /// This machine's address for an engine on another one: where answers have to find their way back to.
    pub(super) fn client(self) -> Option<IpAddr> {
        let Self::Published(engine) = self else { return None };
        if engine.is_loopback() {
            return None;
        }
        let any = if engine.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).ok()?;
        // Connecting a UDP socket sends nothing: the kernel chooses the address.
        socket.connect((engine, 9)).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    }
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or the one at the usual place.
    pub(crate) async fn connect() -> Result<Self, RuntimeError> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| DEFAULT_HOST.to_owned());
        let absent = |reason: String| RuntimeError::NoEngine { at: host.clone(), reason };
        let docker = docker_client_instance().await.map_err(|error| absent(error.to_string()))?;
        let version = docker.version().await.map_err(|error| absent(root_cause(&error)))?;
        Ok(Self {
            docker,
            way_in: way_in(&host),
            architecture: version.arch.unwrap_or_else(|| "amd64".to_owned()),
            version: version.version.unwrap_or_default(),
            host,
        })
    }
}

/// The innermost reason of an error: the layers above it say only that a request failed.
pub(super) fn root_cause(error: &BollardError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// An error of the engine, with what was asked of it.
pub(super) fn refused(doing: impl Into<String>) -> impl FnOnce(BollardError) -> RuntimeError {
    let doing = doing.into();
    move |error| RuntimeError::Engine {
        doing,
        reason: match error {
            BollardError::DockerResponseServerError { message, .. } => message,
            other => root_cause(&other),
        },
    }
}

/// Whether the engine says that a thing is not there (any more).
pub(super) fn is_gone(error: &BollardError) -> bool {
    matches!(error, BollardError::DockerResponseServerError { status_code: 404, .. })
}

/// Whether the engine says that a thing can't go right now: it is still used, is just going, or a file of it is held.
pub(super) fn is_busy(error: &BollardError) -> bool {
    matches!(error, BollardError::DockerResponseServerError { status_code: 403 | 409 | 500, .. })
}

/// Container addresses are this machine's only with an engine that runs on this very kernel as root: the socket at its
/// usual place on Linux. Docker Desktop, rootless engines and remote ones publish ports instead.
fn way_in(host: &str) -> WayIn {
    let usual = matches!(host, "unix:///var/run/docker.sock" | "unix:///run/docker.sock");
    if cfg!(target_os = "linux") && usual {
        return WayIn::Direct;
    }
    let remote = host.split_once("://").and_then(|(scheme, rest)| {
        (scheme != "unix").then(|| rest.trim_end_matches('/'))?.to_socket_addrs().ok()?.next()
    });
    WayIn::Published(remote.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_engine_is_reached_at_its_own_address() {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
        assert_eq!(way_in("tcp://127.0.0.9:2375"), WayIn::Published(address));
    }

    #[test]
    fn an_engine_behind_another_socket_publishes_on_loopback() {
        let loopback = WayIn::Published(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(way_in("unix:///home/me/.docker/desktop/docker.sock"), loopback);
    }
}
