//! Names and addresses that a deployment speaks of, and what they mean inside the Pod.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::prometheus::targets;
use super::sockets::Sockets;
use super::{Substitution, SubstitutionKind, World};
use crate::deployment::{Address, Deployment, HostPort};
use crate::location::Location;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl World {
    /// Lets every host that the configuration names be found in the Pod, and nothing outside of it.
    pub(super) fn add_hosts(&mut self, deployment: &Deployment, sockets: &Sockets) {
        for upstream in &deployment.upstreams {
            let Some(HostPort { host, .. }) = upstream.address.host_port() else { continue };
            self.add_host(host, &upstream.location, deployment, sockets);
        }
        for resolver in &deployment.resolvers {
            self.add_host(&resolver.address.host, &resolver.location, deployment, sockets);
        }
        for (name, location) in sockets.names() {
            self.add_host(name, location, deployment, sockets);
        }
        for route in &deployment.routes {
            if self.address_of(&route.server_name).is_none() {
                self.hosts.push((route.server_name.clone(), LOCALHOST));
            }
        }
        self.add_target_hosts(deployment, sockets);
    }

    /// The address of a host in the Pod: that of a name that it knows, or the one that is written there.
    pub(super) fn address_of(&self, host: &str) -> Option<IpAddr> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(reached_at(address));
        }
        let mut known = self.hosts.iter().filter(|(name, _)| name.eq_ignore_ascii_case(host));
        known.next().map(|(_, address)| *address).or_else(|| (is_localhost(host)).then_some(LOCALHOST))
    }

    fn add_host(&mut self, host: &str, location: &Location, deployment: &Deployment, sockets: &Sockets) {
        let Some(by) = self.find_place(host, deployment, sockets) else { return };
        self.substitutions.push(Substitution {
            kind: SubstitutionKind::Host,
            what: host.to_owned(),
            by,
            location: Some(location.clone()),
        });
    }

    /// Lets a host be found in the Pod. What it is there, unless it was known.
    pub(super) fn find_place(&mut self, host: &str, deployment: &Deployment, sockets: &Sockets) -> Option<String> {
        match host.parse::<IpAddr>() {
            Ok(address) => {
                let known = self.addresses.len();
                self.add_address(address);
                (self.addresses.len() > known).then(|| "an address of the Pod itself".to_owned())
            }
            Err(_) if self.address_of(host).is_some() => None,
            Err(_) => {
                let address = self.address_for(host, deployment, sockets);
                self.hosts.push((host.to_ascii_lowercase(), address));
                Some(format!("{address} in the Pod"))
            }
        }
    }

    /// Every host has an address of its own, and all names of one Prometheus have one. It is of the kind that leaves the
    /// host's ports to it: where nginx listens on a port of every IPv4 address, others can have it on IPv6 alone.
    fn address_for(&mut self, host: &str, deployment: &Deployment, sockets: &Sockets) -> IpAddr {
        let names = names_of_one_host(host, deployment);
        if let Some(address) = names.iter().find_map(|name| self.address_of(name)) {
            return address;
        }
        let upstreams = deployment.upstreams.iter().filter_map(|upstream| upstream.address.host_port());
        let all = upstreams.chain(targets(deployment).map(|target| &target.address));
        let ports = all.filter(|address| names.iter().any(|name| name.eq_ignore_ascii_case(&address.host)));
        let ports: Vec<u16> = ports.map(|address| address.port).collect();
        let number = u16::try_from(self.hosts.len() + 1).unwrap_or(u16::MAX);
        let [high, low] = number.to_be_bytes();
        let ipv4 = IpAddr::V4(Ipv4Addr::new(127, 1, high, low));
        let ipv6 = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, number));
        let is_free = |address: &IpAddr| ports.iter().all(|port| sockets.at(*address, *port).is_none());
        let chosen = [ipv4, ipv6].into_iter().find(is_free).unwrap_or(ipv4);
        self.add_address(chosen);
        chosen
    }
}

/// The name, with those of the other servers of its `upstream` block if it is a Prometheus.
fn names_of_one_host(host: &str, deployment: &Deployment) -> Vec<String> {
    let mut names = vec![host.to_owned()];
    for route in &deployment.routes {
        let all = || std::iter::once(&route.upstream).chain(&route.peers).filter_map(Address::host_port);
        if all().any(|address| address.host.eq_ignore_ascii_case(host)) {
            names.extend(all().map(|address| address.host.clone()).filter(|name| name.parse::<IpAddr>().is_err()));
        }
    }
    names.retain(|name| !is_localhost(name));
    names
}

pub(super) fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
}

/// Who connects to no address in particular gets to this machine.
fn reached_at(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => LOCALHOST,
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    }
}
