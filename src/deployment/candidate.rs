//! Which `proxy_pass` leads to Prometheus: every one that could, and the best of them.

use std::fmt;

use super::directive::Directive;
use super::host_port::HostPort;
use super::location_path::{self, Kind, Mapping};
use super::pass::{self, Pass};
use super::server::Server;
use super::upstream::{Named, Target, Upstreams};
use super::{Nginx, Options};

/// A `proxy_pass` that may lead to Prometheus.
pub(super) struct Candidate<'a> {
    pub(super) server: usize,
    pub(super) location: &'a Directive,
    pub(super) proxy_pass: &'a Directive,
    target: Target,
    pub(super) upstream: HostPort,
    pub(super) mapping: Mapping,
    pub(super) why: Why,
}

/// The best candidate, with the other servers of its `upstream` block.
pub(super) struct Best<'a> {
    pub(super) candidate: Candidate<'a>,
    pub(super) peers: Vec<HostPort>,
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
            Self::Port => write!(f, "its port is {PORT}"),
            Self::Path(path) => write!(f, "its location is `{path}`"),
        }
    }
}

/// The port that Prometheus listens on if nobody says otherwise.
const PORT: u16 = 9090;

/// The best candidate; of equals the first in the file.
pub(super) fn best<'a>(nginx: &'a Nginx, servers: &[(&'a Directive, Server)], options: &Options) -> Option<Best<'a>> {
    let upstreams = Upstreams::of(nginx.directives.iter().filter(|directive| directive.is("http")));
    let found = servers.iter().enumerate().flat_map(|(index, (block, _))| {
        let passes = pass::passes(block).into_iter().filter(|pass| pass.directive.is("proxy_pass"));
        passes.map(move |pass| (index, pass))
    });
    let candidates = found.filter_map(|(index, pass)| candidate(index, &pass, &upstreams, options));
    let candidate = candidates.min_by_key(|candidate| rank(candidate, &servers[candidate.server].1, options))?;
    let named = upstreams.resolve(&candidate.target, candidate.proxy_pass);
    let addresses = named.iter().map(|named| named.address.clone());
    let peers = addresses.filter(|address| *address != candidate.upstream).collect();
    Some(Best { candidate, peers })
}

fn candidate<'a>(
    server: usize,
    pass: &Pass<'a>,
    upstreams: &Upstreams<'a>,
    options: &Options,
) -> Option<Candidate<'a>> {
    let location = pass.location?;
    let target = Target::parse(pass.directive, &pass.text)?;
    let named = upstreams.resolve(&target, pass.directive);
    let (upstream, why) = identify(&named, &target.authority, location, options.upstream.as_ref())?;
    let mapping = Mapping::of(location, target.uri.as_deref());
    Some(Candidate { server, location, proxy_pass: pass.directive, target, upstream, mapping, why })
}

/// Which of the addresses is Prometheus, and what tells it.
fn identify(
    named: &[Named<'_>],
    authority: &str,
    location: &Directive,
    wanted: Option<&HostPort>,
) -> Option<(HostPort, Why)> {
    let mut addresses = named.iter().map(|named| &named.address);
    if let Some(wanted) = wanted {
        return addresses.find(|address| address.same_as(wanted)).map(|address| (address.clone(), Why::Option));
    }
    let first = addresses.next()?;
    let block = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
    let path = location_path::written(location);
    let why = if let Some(name) = [block, &first.host].into_iter().find(|name| is_prometheus(name)) {
        Why::Name(name.to_owned())
    } else if first.port == PORT {
        Why::Port
    } else if path.to_ascii_lowercase().contains("prometheus") && !is_another_program(&first.host) {
        Why::Path(path.to_owned())
    } else {
        return None;
    };
    Some((first.clone(), why))
}

/// Whether a host's or an `upstream` block's name says Prometheus, and not one of the programs around it.
fn is_prometheus(name: &str) -> bool {
    const OTHER_WORDS: [&str; 4] = ["promtail", "promlens", "promscale", "promo"];
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let says_so = name.contains("prometheus")
        || words.any(|word| word.starts_with("prom") && !OTHER_WORDS.iter().any(|other| word.starts_with(other)));
    says_so && !is_another_program(&name)
}

fn is_another_program(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["alertmanager", "pushgateway", "grafana", "exporter", "karma"].iter().any(|other| name.contains(other))
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
    (other_name, other_prefix, why, !server.tls(), mapping.endpoint_only, kind, candidate.upstream.port != PORT)
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
