//! What nginx itself listens on in the Pod, and what that leaves to the others.

use std::net::IpAddr;

use crate::deployment::{Deployment, Interface, Listen, stream_listens};
use crate::location::Location;

/// The TCP ports of nginx.
pub(super) struct Sockets {
    listens: Vec<Listen>,
}

impl Sockets {
    pub(super) fn of(deployment: &Deployment) -> Self {
        let http = deployment.servers.iter().flat_map(|server| server.listens.iter().cloned());
        let listens = http.chain(stream_listens(&deployment.nginx)).filter(|listen| !listen.quic).collect();
        Self { listens }
    }

    /// The names that nginx looks up to listen there.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &Location)> {
        self.listens.iter().filter_map(|listen| match &listen.interface {
            Interface::Named(name) => Some((name.as_str(), &listen.location)),
            _ => None,
        })
    }

    /// The `listen` by which nginx takes what comes to this address and port. Nobody else can listen there: a socket for
    /// every address of a kind leaves none of them to others.
    pub(super) fn at(&self, address: IpAddr, port: u16) -> Option<&Location> {
        let takes = |interface: &Interface| match interface {
            Interface::EveryIpv4 => address.is_ipv4(),
            Interface::EveryIpv6 => address.is_ipv6(),
            Interface::Every => true,
            Interface::One(own) => *own == address,
            Interface::Named(_) => false,
        };
        let mut on_port = self.listens.iter().filter(|listen| listen.port == port);
        on_port.find(|listen| takes(&listen.interface)).map(|listen| &listen.location)
    }

    /// Whether nginx listens on this port of any address.
    pub(super) fn uses(&self, port: u16) -> bool {
        self.listens.iter().any(|listen| listen.port == port)
    }
}
