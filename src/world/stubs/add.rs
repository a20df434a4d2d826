//! Which stubs a deployment needs, and where they listen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Listener, SOCKETS, Speaks, Stub};
use crate::deployment::{Address, Deployment, HostPort, Upstream};
use crate::location::Location;
use crate::world::names::is_localhost;
use crate::world::pki::Authority;
use crate::world::placement::{Place, is_here, others, ways_to};
use crate::world::prometheus::targets;
use crate::world::sockets::Sockets;
use crate::world::{PodFile, Substitution, SubstitutionKind, World, WorldError};

/// The first port of listeners to which connections are led that are to a port of nginx.
const FIRST_DIVERTED: u16 = 58_000;

impl World {
    /// Puts a stub in the place of every upstream that is no Prometheus, and passes on what comes to a Prometheus at
    /// another place than where it listens.
    pub(in crate::world) fn add_stubs(
        &mut self,
        deployment: &Deployment,
        sockets: &Sockets,
        places: &[Place],
        authority: &Authority,
    ) -> Result<(), WorldError> {
        for (number, place) in places.iter().enumerate() {
            self.forward(deployment, sockets, number, place);
        }
        for upstream in others(deployment) {
            self.stub(deployment, sockets, places, upstream);
        }
        for place in places.iter().filter(|place| place.alone) {
            self.forward_loopback(sockets, places, place);
        }
        self.add_target_stubs(deployment, sockets, places);
        self.add_resolvers(deployment);
        self.share_sockets_of_nginx();
        let speak_tls = || self.stubs.stubs.iter().filter(|stub| stub.speaks.needs_certificate());
        if speak_tls().next().is_some() {
            let leaf = authority.issue(&certificate_names(deployment))?;
            self.stubs.certificate = Some((leaf.certificate, leaf.key));
        }
        Ok(())
    }

    /// What nginx asks a Prometheus by, where that is not where it listens.
    fn forward(&mut self, deployment: &Deployment, sockets: &Sockets, number: usize, place: &Place) {
        let speaks = Speaks::Forward { to: place.at };
        let mut at = Vec::new();
        for address in ways_to(deployment, number) {
            match address {
                Address::Tcp(address) => {
                    let reached = |place: &Place, at: &SocketAddr| match place.alone {
                        true => *at == place.at,
                        false => at.port() == place.at.port(),
                    };
                    // On its own machine Prometheus is where its command line says, or not there.
                    let known = deployment.prometheus[number].flag("web.listen-address").is_some();
                    let is_wrong = |at: &SocketAddr| known && !place.alone && is_here(at.ip());
                    let others = self.listeners(address).into_iter().filter(|at| !reached(place, at) && !is_wrong(at));
                    let others: Vec<SocketAddr> = others.collect();
                    at.extend(others.into_iter().filter_map(|at| self.room(sockets, at)).map(Listener::Tcp));
                }
                Address::Unix(path) => at.push(self.socket(path)),
            }
        }
        self.push(Stub { name: "Prometheus".to_owned(), speaks, at, metrics: Vec::new() });
    }

    /// A Prometheus scrapes itself at `localhost`, most often.
    fn forward_loopback(&mut self, sockets: &Sockets, places: &[Place], place: &Place) {
        let localhost = HostPort { host: "localhost".to_owned(), port: place.at.port() };
        let is_free = |at: &SocketAddr| {
            places.iter().all(|place| place.at != *at && (place.alone || place.at.port() != at.port()))
                && sockets.at(at.ip(), at.port()).is_none()
        };
        let at = self.listeners(&localhost).into_iter().filter(is_free).map(Listener::Tcp).collect();
        self.push(Stub {
            name: "Prometheus".to_owned(),
            speaks: Speaks::Forward { to: place.at },
            at,
            metrics: Vec::new(),
        });
    }

    fn stub(&mut self, deployment: &Deployment, sockets: &Sockets, places: &[Place], upstream: &Upstream) {
        let name = match &upstream.address {
            Address::Tcp(address) => format!("{}://{address}", upstream.scheme),
            Address::Unix(path) => format!("{}://unix:{path}", upstream.scheme),
        };
        let at = match &upstream.address {
            Address::Tcp(address) => {
                let all = self.listeners(address).into_iter();
                all.filter_map(|at| self.room(sockets, at)).map(Listener::Tcp).collect()
            }
            Address::Unix(path) if listens_on(deployment, path) => Vec::new(),
            Address::Unix(path) => vec![self.socket(path)],
        };
        let is_prometheus = |at: &Listener| matches!(at, Listener::Tcp(at) if places.iter().any(|place| place.at == *at && place.alone));
        let at: Vec<Listener> = at.into_iter().filter(|at| !is_prometheus(at)).collect();
        let speaks = Speaks::of_scheme(&upstream.scheme);
        if self.push(Stub { name: name.clone(), speaks, at, metrics: Vec::new() }) {
            let by = "a stub that answers, and writes down what it received".to_owned();
            self.substitute_upstream(name, by, &upstream.location);
        }
    }

    /// Where a listener can be for an address and port: there, or where connections to it are led because nginx has that
    /// port of every address. Nowhere if the deployment means nginx itself.
    fn room(&mut self, sockets: &Sockets, at: SocketAddr) -> Option<SocketAddr> {
        if sockets.at(at.ip(), at.port()).is_none() {
            return Some(at);
        }
        if let Some((_, to)) = self.redirects.iter().find(|(from, _)| *from == at) {
            return Some(*to);
        }
        let port = FIRST_DIVERTED.saturating_add(u16::try_from(self.redirects.len()).unwrap_or(u16::MAX));
        let local: IpAddr = if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        let to = SocketAddr::new(local, port);
        (!is_here(at.ip())).then(|| {
            self.redirects.push((at, to));
            to
        })
    }

    /// Where a host's port is in the Pod. `localhost` is two addresses.
    pub(in crate::world) fn listeners(&self, address: &HostPort) -> Vec<SocketAddr> {
        let second = is_localhost(&address.host).then_some(IpAddr::V6(Ipv6Addr::LOCALHOST));
        let all = self.address_of(&address.host).into_iter().chain(second);
        all.map(|ip| SocketAddr::new(ip, address.port)).collect()
    }

    /// A socket that both containers see, and a link to it where nginx looks for one.
    fn socket(&mut self, path: &str) -> Listener {
        let own = format!("{SOCKETS}/{}", self.stubs.sockets);
        self.stubs.sockets += 1;
        self.nginx_files.push(PodFile::link(format!("/{}", path.trim_start_matches('/')), &own));
        Listener::Unix(own)
    }

    /// Adds a stub at those places that no other has, and says whether there are any.
    fn push(&mut self, mut stub: Stub) -> bool {
        let known = |at: &Listener| self.stubs.stubs.iter().any(|stub| stub.at.contains(at));
        stub.at.retain(|at| !known(at));
        let any = !stub.at.is_empty();
        self.stubs.stubs.extend(any.then_some(stub));
        any
    }

    /// Adds a stub, or what it answers to the one that listens there already.
    pub(in crate::world) fn push_or_extend(&mut self, stub: Stub) {
        for path in &stub.metrics {
            let there = self.stubs.stubs.iter_mut().filter(|known| known.at.iter().any(|at| stub.at.contains(at)));
            for known in there.filter(|known| !known.metrics.contains(path)) {
                known.metrics.push(path.clone());
            }
        }
        self.push(stub);
    }

    /// Answers DNS wherever nginx asks for it, and where the programs of the Pod do.
    fn add_resolvers(&mut self, deployment: &Deployment) {
        for resolver in &deployment.resolvers {
            for at in self.listeners(&resolver.address) {
                if !self.stubs.resolvers.contains(&at) {
                    self.stubs.resolvers.push(at);
                }
            }
            self.substitutions.push(Substitution {
                kind: SubstitutionKind::Resolver,
                what: resolver.address.to_string(),
                by: "a DNS server of the Pod, which knows its names alone".to_owned(),
                location: Some(resolver.location.clone()),
            });
        }
        let own = SocketAddr::from(([127, 0, 0, 1], 53));
        if !deployment.resolvers.is_empty() && !self.stubs.resolvers.contains(&own) {
            self.stubs.resolvers.push(own);
        }
    }

    /// Relays get to the sockets on which nginx listens.
    fn share_sockets_of_nginx(&mut self) {
        for relay in &self.relays {
            let path = relay.to.strip_prefix("unix:").and_then(|path| path.rsplit_once('/'));
            let Some((directory, _)) = path.filter(|(directory, _)| !directory.is_empty()) else { continue };
            if !self.stubs.nginx_sockets.iter().any(|known| known == directory) {
                self.stubs.nginx_sockets.push(directory.to_owned());
            }
        }
    }

    fn substitute_upstream(&mut self, what: String, by: String, location: &Location) {
        let location = Some(location.clone());
        self.substitutions.push(Substitution { kind: SubstitutionKind::Upstream, what, by, location });
    }
}

fn listens_on(deployment: &Deployment, path: &str) -> bool {
    deployment.servers.iter().flat_map(|server| &server.unix_listens).any(|listen| listen.path == path)
}

/// The names by which nginx may ask an upstream for its certificate: its host, or what a `proxy_ssl_name` says.
fn certificate_names(deployment: &Deployment) -> Vec<String> {
    let hosts = deployment.upstreams.iter().filter_map(|upstream| upstream.address.host_port());
    let mut names: Vec<String> = hosts.map(|address| address.host.clone()).collect();
    collect_names(&deployment.nginx.directives, &mut names);
    for target in targets(deployment).filter(|target| target.tls) {
        names.extend(std::iter::once(&target.address.host).chain(&target.server_name).cloned());
    }
    names.push("localhost".to_owned());
    names.retain(|name| name.chars().all(|c| c.is_ascii_graphic() && c != '$'));
    names.sort_unstable();
    names.dedup();
    names
}

fn collect_names(directives: &[crate::deployment::Directive], names: &mut Vec<String>) {
    for directive in directives {
        if directive.name.ends_with("_ssl_name") {
            names.extend(directive.arg(0).map(str::to_owned));
        }
        collect_names(directive.children(), names);
    }
}
