//! Where each Prometheus listens, so that nginx finds it where its configuration says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::sockets::Sockets;
use super::{World, WorldError};
use crate::deployment::{Address, Deployment, HostPort, Prometheus, Upstream};

/// Where one Prometheus listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where it is reached for sure.
    pub(super) at: SocketAddr,
    /// Whether it listens there alone, and not on every address of the Pod.
    pub(super) alone: bool,
}

/// The first port for a Prometheus whose own port is not for it.
const FIRST_PORT: u16 = 59_090;

/// What leads to a Prometheus, by its number.
pub(super) fn ways_to(deployment: &Deployment, prometheus: usize) -> Vec<&Address> {
    let routes = deployment.routes.iter().filter(|route| route.prometheus == prometheus);
    let mut found: Vec<&Address> = Vec::new();
    for address in routes.flat_map(|route| std::iter::once(&route.upstream).chain(&route.peers)) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// The upstreams that are no Prometheus.
pub(super) fn others(deployment: &Deployment) -> impl Iterator<Item = &Upstream> {
    let all = |route| ways_to(deployment, route);
    let known: Vec<&Address> = (0..deployment.prometheus.len()).flat_map(all).collect();
    deployment.upstreams.iter().filter(move |upstream| !known.contains(&&upstream.address))
}

impl World {
    /// Finds a place for each Prometheus: every address of the Pod, unless somebody else needs its port too.
    pub(super) fn place_prometheus(
        &self,
        deployment: &Deployment,
        sockets: &Sockets,
    ) -> Result<Vec<Place>, WorldError> {
        let wanted: Vec<SocketAddr> =
            (0..deployment.prometheus.len()).map(|number| self.wanted(deployment, number)).collect();
        let each = wanted.iter().enumerate().map(|(number, at)| {
            let route = deployment.routes.iter().find(|route| route.prometheus == number);
            let own_port = FIRST_PORT + u16::try_from(number).unwrap_or(0);
            let elsewhere = Place { at: (Ipv4Addr::LOCALHOST, own_port).into(), alone: true };
            let port = at.port();
            let another = wanted.iter().enumerate().any(|(other, at)| other != number && at.port() == port);
            let stub = others(deployment).any(|other| other.address.host_port().is_some_and(|at| at.port == port));
            let target = deployment.prometheus.iter().flat_map(|prometheus| &prometheus.targets);
            let scraped = target.into_iter().any(|target| target.address.port == port);
            let alone = another || stub || scraped || sockets.uses(port);
            match sockets.at(at.ip(), port) {
                Some(listen) if is_here(at.ip()) => Err(WorldError::PortTwice {
                    port,
                    address: at.ip(),
                    listen: listen.clone(),
                    prometheus: route.map(|route| route.proxy_pass.clone()).unwrap_or_else(|| listen.clone()),
                }),
                Some(_) => Ok(elsewhere),
                None => Ok(Place { at: *at, alone }),
            }
        });
        each.collect()
    }

    /// Where the deployment says that it listens; else where nginx looks for it first.
    fn wanted(&self, deployment: &Deployment, number: usize) -> SocketAddr {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let first = ways_to(deployment, number).into_iter().find_map(Address::host_port);
        let address = first.and_then(|address| self.address_of(&address.host)).unwrap_or(local);
        let port = first.map_or(9090, |address| address.port);
        match given(&deployment.prometheus[number]) {
            Some((Some(own), port)) => (own, port).into(),
            Some((None, port)) => (address, port).into(),
            None => (address, port).into(),
        }
    }
}

/// Whether an address means the machine itself, on which nobody can have nginx's port beside it.
pub(super) fn is_here(address: IpAddr) -> bool {
    address == IpAddr::V4(Ipv4Addr::LOCALHOST) || address == IpAddr::V6(Ipv6Addr::LOCALHOST)
}

/// The address, unless it is every one, and the port that its flags give it.
fn given(prometheus: &Prometheus) -> Option<(Option<IpAddr>, u16)> {
    let flag = prometheus.flag("web.listen-address")?;
    if let Some(port) = flag.strip_prefix(':') {
        return Some((None, port.parse().ok()?));
    }
    let HostPort { host, port } = flag.parse().ok()?;
    Some((host.parse().ok().filter(|address: &IpAddr| !address.is_unspecified()), port))
}
