//! Which `proxy_pass` leads to Prometheus: every one that could, and the best of them.

use std::fmt;

use super::directive::Directive;
use super::host_port::HostPort;
use super::location_path::{self, Kind, Mapping};
use super::pass::{self, Pass};
use super::server::Server;
use super::upstream::{Address, Named, PROMETHEUS_PORT, Target, Upstreams};
use super::{Nginx, Options};

/// A `proxy_pass` that may lead to Prometheus.
pub(super) struct Candidate<'a> {
    /// The server, by its index among all.
    pub(super) server: usize,
    pub(super) location: &'a Directive,
    pub(super) proxy_pass: &'a Directive,
    /// What its `proxy_pass` says: `http` or `https`.
    pub(super) scheme: String,
    pub(super) upstream: Address,
    /// The other servers of the same `upstream` block.
    pub(super) peers: Vec<Address>,
    pub(super) mapping: Mapping,
    pub(super) why: Why,
}

impl Candidate<'_> {
    /// Whether it is for all of Prometheus below one path, not for an endpoint or for what a regex picks out.
    pub(super) fn is_whole(&self) -> bool {
        !self.mapping.endpoint_only && matches!(self.mapping.kind, Kind::Prefix | Kind::AnchoredRegex)
    }

    /// Whether both lead to the same Prometheus.
    pub(super) fn shares_upstream(&self, other: &Self) -> bool {
        same(&self.upstream, &other.upstream) || other.peers.iter().any(|peer| same(&self.upstream, peer))
    }
}

/// Whether two addresses are the same place: loopback has many names.
pub(super) fn same(a: &Address, b: &Address) -> bool {
    let host = |address: &Address| match address.name() {
        "localhost" | "::1" | "0.0.0.0" => "127.0.0.1".to_owned(),
        name => name.to_ascii_lowercase(),
    };
    a.port() == b.port() && host(a) == host(b)
}

/// What tells that an upstream is Prometheus; the earlier, the surer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Option,
    Name(String),
    Port,
    Path(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("`--upstream` names it"),
            Self::Name(name) => write!(f, "its upstream is called `{name}`"),
            Self::Port => write!(f, "its port is {PROMETHEUS_PORT}"),
            Self::Path(path) => write!(f, "its location is `{path}`"),
        }
    }
}

/// Every candidate, the best first; of equals the first in the file.
pub(super) fn all<'a>(nginx: &'a Nginx, servers: &[(&'a Directive, Server)], options: &Options) -> Vec<Candidate<'a>> {
    let upstreams = Upstreams::of(nginx.directives.iter().filter(|directive| directive.is("http")));
    let passes = pass::in_servers(nginx).into_iter().filter(|(_, pass)| pass.directive.is("proxy_pass"));
    let found = passes.filter_map(|(server, pass)| candidate(server, &pass, &upstreams, options));
    let mut candidates: Vec<Candidate<'_>> = found.take(MOST).collect();
    candidates.sort_by_cached_key(|candidate| rank(candidate, &servers[candidate.server].1, options));
    candidates
}

/// More than anybody asks about; a hostile file can have a million.
const MOST: usize = 10_000;

fn candidate<'a>(
    server: usize,
    pass: &Pass<'a>,
    upstreams: &Upstreams<'a>,
    options: &Options,
) -> Option<Candidate<'a>> {
    /// More servers of one `upstream` block than anybody runs.
    const MOST_PEERS: usize = 64;
    let location = pass.location?;
    let target = Target::parse(pass.directive, &pass.text)?;
    let named = upstreams.resolve(&target, pass.directive);
    let (upstream, why) = identify(&named, &target.authority, location, options.upstream.as_ref())?;
    let mapping = Mapping::of(location, target.uri.as_deref());
    let peers = named.iter().map(|named| &named.address).filter(|address| **address != upstream);
    let peers = peers.take(MOST_PEERS).cloned().collect();
    let scheme = target.scheme;
    Some(Candidate { server, location, proxy_pass: pass.directive, scheme, upstream, peers, mapping, why })
}

/// Which of the addresses is Prometheus, and what tells it.
fn identify(
    named: &[Named<'_>],
    authority: &str,
    location: &Directive,
    wanted: Option<&HostPort>,
) -> Option<(Address, Why)> {
    let mut addresses = named.iter().map(|named| &named.address);
    if let Some(wanted) = wanted {
        let is_wanted = |address: &&Address| address.host_port().is_some_and(|address| address.same_as(wanted));
        return addresses.find(is_wanted).map(|address| (address.clone(), Why::Option));
    }
    let first = addresses.next()?;
    let block = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
    let path = location_path::written(location);
    let why = if let Some(name) = [block, first.name()].into_iter().find(|name| is_prometheus(name)) {
        Why::Name(name.to_owned())
    } else if first.host_port().is_some_and(|first| first.port == PROMETHEUS_PORT) && !is_another_program(path) {
        Why::Port
    } else if path.to_ascii_lowercase().contains("prometheus") && !is_another_program(first.name()) {
        Why::Path(path.to_owned())
    } else {
        return None;
    };
    Some((first.clone(), why))
}

/// Whether a host's or an `upstream` block's name says Prometheus, and not one of the programs around it.
pub(super) fn is_prometheus(name: &str) -> bool {
    const OTHER_WORDS: [&str; 4] = ["promtail", "promlens", "promscale", "promo"];
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let says_so = name.contains("prometheus")
        || words.any(|word| word.starts_with("prom") && !OTHER_WORDS.iter().any(|other| word.starts_with(other)));
    says_so && !is_another_program(&name)
}

fn is_another_program(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["alertmanager", "pushgateway", "grafana", "exporter", "karma", "cockpit"].iter().any(|other| name.contains(other))
}

/// The smaller, the better.
fn rank(candidate: &Candidate<'_>, server: &Server, options: &Options) -> impl Ord + use<> {
    let mapping = &candidate.mapping;
    let other_name = options.server_name.as_ref().is_some_and(|name| !server.names.iter().any(|n| n.text == *name));
    let other_prefix = options.prefix.as_deref().is_some_and(|prefix| super::normal_prefix(prefix) != mapping.prefix);
    let why = match candidate.why {
        Why::Option => 0,
        Why::Name(_) => 1,
        Why::Port => 2,
        Why::Path(_) => 3,
    };
    let kind: Kind = mapping.kind;
    (
        other_name,
        other_prefix,
        why,
        !server.tls(),
        mapping.endpoint_only,
        kind,
        candidate.upstream.port() != PROMETHEUS_PORT,
    )
}

#[cfg(test)]
mod tests {
    use super::is_prometheus;

    #[test]
    fn names_around_prometheus_are_not_prometheus() {
        for name in
            ["prometheus", "prom", "Prometheus_backend", "prom1.internal", "team-prometheus-server.svc", "a.prom"]
        {
            assert!(is_prometheus(name), "{name}");
        }
        for name in ["promtail", "grafana", "prometheus-pushgateway", "prometheus-grafana", "compromise", "promo"] {
            assert!(!is_prometheus(name), "{name}");
        }
    }
}
