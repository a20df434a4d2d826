//! Names and addresses that a deployment speaks of, and what they mean inside the Pod.

use std::net::{IpAddr, Ipv4Addr};

use super::{Substitution, SubstitutionKind, World};
use crate::deployment::{Deployment, HostPort, Upstream};

/// Where Prometheus is for its own names: it listens on every address of the Pod.
const PROMETHEUS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl World {
    /// Lets every host that the configuration names be found in the Pod, and nothing outside of it.
    pub(super) fn add_hosts(&mut self, deployment: &Deployment) {
        let public = &deployment.route().server_name;
        self.hosts.push((public.clone(), PROMETHEUS));
        for upstream in &deployment.upstreams {
            self.add_host(upstream, deployment);
        }
    }

    fn add_host(&mut self, upstream: &Upstream, deployment: &Deployment) {
        let Some(HostPort { host, .. }) = upstream.address.host_port() else { return };
        if host == "localhost" || self.hosts.iter().any(|(known, _)| known == host) {
            return;
        }
        let by = match host.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() || self.addresses.contains(&address) => return,
            Ok(address) => {
                self.addresses.push(address);
                "an address of the Pod itself".to_owned()
            }
            Err(_) => {
                let address = self.address_of(upstream, deployment);
                self.hosts.push((host.clone(), address));
                format!("{address} in the Pod")
            }
        };
        self.substitutions.push(Substitution {
            kind: SubstitutionKind::Host,
            what: host.clone(),
            by,
            location: Some(upstream.location.clone()),
        });
    }

    /// Prometheus's host is where Prometheus listens. Every other host has a loopback address of its own.
    fn address_of(&self, upstream: &Upstream, deployment: &Deployment) -> IpAddr {
        if upstream.address.name() == deployment.route().upstream.name() {
            return PROMETHEUS;
        }
        let [high, low] = u16::try_from(self.hosts.len()).unwrap_or(u16::MAX).to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(127, 1, high, low))
    }
}
