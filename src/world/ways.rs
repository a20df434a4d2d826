//! How clients come to a route: straight to nginx's own port, or by a relay where that port is not for them.

use std::net::IpAddr;

use super::World;
use super::relay::Relay;
use crate::deployment::{Access, Deployment, Interface, Listen, Route};

/// The way of clients to one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The TCP port of the Pod that they connect to.
    pub(crate) port: u16,
    /// As whom they come, where the deployment refuses others.
    pub(crate) client: Option<IpAddr>,
    /// An address that the deployment refuses, and the port by which clients come from there.
    pub(crate) refused: Option<(IpAddr, u16)>,
}

/// The first port for relays. No deployment listens that high; one that does is gone around.
const FIRST_PORT: u16 = 61001;

impl World {
    /// Works out how clients come to each route, and makes the relays that it takes.
    pub(super) fn add_ways(&mut self, deployment: &Deployment) {
        for listen in deployment.servers.iter().flat_map(|server| &server.listens) {
            if let Interface::One(address) = listen.interface {
                self.add_address(address);
            }
        }
        for route in &deployment.routes {
            let client = client_of(&route.access);
            let port = self.entrance(deployment, route, client);
            let refused =
                route.access.denied_client().map(|client| (client, self.entrance(deployment, route, Some(client))));
            self.ways.push(Way { port, client, refused });
        }
    }

    /// The port at which a client gets in that nginx takes for `client`.
    fn entrance(&mut self, deployment: &Deployment, route: &Route, client: Option<IpAddr>) -> u16 {
        let listen = &route.listen;
        let socket = socket_of(deployment, route);
        if client.is_none() && socket.is_none() && !listen.proxy_protocol && listen.interface.takes_any_ipv4() {
            return listen.port;
        }
        let to = socket.unwrap_or_else(|| place(listen, client));
        let wanted = relay(to, listen.proxy_protocol, &route.access, client);
        if let Some(known) = self.relays.iter().find(|known| Relay { port: wanted.port, ..(*known).clone() } == wanted)
        {
            return known.port;
        }
        [wanted.client, wanted.peer].into_iter().flatten().for_each(|address| self.add_address(address));
        let port = self.free_port(deployment);
        self.relays.push(Relay { port, ..wanted });
        port
    }

    fn free_port(&self, deployment: &Deployment) -> u16 {
        let listens = || deployment.servers.iter().flat_map(|server| &server.listens);
        let upstreams = || deployment.upstreams.iter().map(|upstream| upstream.address.port());
        let is_free = |port: &u16| {
            !self.relays.iter().any(|relay| relay.port == *port)
                && !listens().any(|listen| listen.port == *port)
                && !upstreams().any(|used| used == *port)
        };
        (FIRST_PORT..u16::MAX).find(is_free).unwrap_or(u16::MAX)
    }

    /// Makes an address the Pod's own.
    pub(super) fn add_address(&mut self, address: IpAddr) {
        if !address.is_loopback() && !address.is_unspecified() && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }
}

/// As whom clients have to come, where some are refused by their address.
fn client_of(access: &Access) -> Option<IpAddr> {
    access.denied_client().and(access.allowed_client())
}

/// The socket of a server that listens on nothing else, unless a `stream` server is before it.
fn socket_of(deployment: &Deployment, route: &Route) -> Option<String> {
    let server = &deployment.servers[route.server];
    let socket = server.unix_listens.first().filter(|_| server.listens.is_empty())?;
    (route.listen.location == socket.location).then(|| format!("unix:{}", socket.path))
}

/// Where nginx listens, as seen in the Pod, for a client of this kind of address.
fn place(listen: &Listen, client: Option<IpAddr>) -> String {
    let host = match &listen.interface {
        Interface::EveryIpv4 => "127.0.0.1".to_owned(),
        Interface::EveryIpv6 => "[::1]".to_owned(),
        Interface::Every if client.is_some_and(|client| client.is_ipv6()) => "[::1]".to_owned(),
        Interface::Every => "127.0.0.1".to_owned(),
        Interface::One(IpAddr::V4(address)) => address.to_string(),
        Interface::One(IpAddr::V6(address)) => format!("[{address}]"),
        Interface::Named(name) => name.clone(),
    };
    format!("{host}:{}", listen.port)
}

/// nginx takes the connection's own address for the client's, unless it is told to believe the PROXY protocol.
fn relay(to: String, proxy_protocol: bool, access: &Access, client: Option<IpAddr>) -> Relay {
    let same_family = |address: &IpAddr| address.is_ipv6() == to.starts_with('[') || to.starts_with("unix:");
    let believes = proxy_protocol && access.real_ip_header.as_deref() == Some("proxy_protocol");
    let proxy = access.trusted_proxies.first().filter(|_| believes).and_then(|network| network.hosts().next());
    let client = client.filter(|client| proxy.is_some() || same_family(client));
    Relay { port: 0, proxy_protocol, client, peer: proxy.or(client).filter(|_| proxy_protocol).filter(same_family), to }
}
