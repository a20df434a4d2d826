//! What Prometheus connects to: a stub answers each of its targets, so that it is up.

use super::super::placement::Place;
use super::super::sockets::Sockets;
use super::super::stubs::{Listener, Speaks, Stub};
use super::super::{Substitution, SubstitutionKind, World};
use crate::deployment::{Deployment, ScrapeTarget, TargetKind};

/// What any Prometheus of the deployment connects to.
pub(in crate::world) fn targets(deployment: &Deployment) -> impl Iterator<Item = &ScrapeTarget> {
    deployment.prometheus.iter().flat_map(|prometheus| &prometheus.targets)
}

impl World {
    /// Lets the hosts of the targets be found in the Pod. Those that nginx serves are where nginx is.
    pub(in crate::world) fn add_target_hosts(&mut self, deployment: &Deployment, sockets: &Sockets) {
        let served = |host: &str| {
            let mut names = deployment.servers.iter().flat_map(|server| &server.names);
            names.any(|name| name.text.eq_ignore_ascii_case(host))
        };
        for target in targets(deployment) {
            let host = &target.address.host;
            if served(host) && self.address_of(host).is_none() {
                self.hosts.push((host.to_ascii_lowercase(), std::net::Ipv4Addr::LOCALHOST.into()));
            }
            let _known_by_its_target = self.find_place(host, deployment, sockets);
        }
    }

    /// Puts a stub in the place of each target that is neither nginx nor a Prometheus.
    pub(in crate::world) fn add_target_stubs(&mut self, deployment: &Deployment, sockets: &Sockets, places: &[Place]) {
        for target in targets(deployment) {
            let is_prometheus = |at: &std::net::SocketAddr| {
                places.iter().any(|place| place.at == *at || (!place.alone && place.at.port() == at.port()))
            };
            let mut at = self.listeners(&target.address);
            at.retain(|at| sockets.at(at.ip(), at.port()).is_none() && !is_prometheus(at));
            let at: Vec<Listener> = at.into_iter().map(Listener::Tcp).collect();
            if at.is_empty() {
                continue;
            }
            let scheme = if target.tls { "https" } else { "http" };
            let metrics = Vec::from_iter((target.kind == TargetKind::Scrape).then(|| target.path.clone()));
            let speaks = if target.tls { Speaks::Https } else { Speaks::Http };
            let name = format!("{scheme}://{}", target.address);
            self.push_or_extend(Stub { name, speaks, at, metrics });
            self.substitutions.push(Substitution {
                kind: SubstitutionKind::Target,
                what: format!("{scheme}://{}{}", target.address, target.path),
                by: format!("a stub that answers {}", wanted(target.kind)),
                location: Some(target.location.clone()),
            });
        }
    }
}

fn wanted(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Scrape => "with one metric",
        TargetKind::Alertmanager => "and takes the alerts",
        TargetKind::RemoteWrite => "and takes the samples",
        TargetKind::RemoteRead => "and has no samples",
    }
}
