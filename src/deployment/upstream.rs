//! The programs behind nginx: what every `…_pass` and every `upstream` block names.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use super::directive::Directive;
use super::host_port::HostPort;
use super::pass::Pass;
use super::{Nginx, pass};
use crate::location::Location;

/// Where a program behind nginx listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// On a port.
    Tcp(HostPort),
    /// On a unix socket.
    Unix(String),
}

impl Address {
    /// The host and port, if it is one.
    pub fn host_port(&self) -> Option<&HostPort> {
        match self {
            Self::Tcp(address) => Some(address),
            Self::Unix(_) => None,
        }
    }

    /// The name or address, or the path of the socket.
    pub fn name(&self) -> &str {
        match self {
            Self::Tcp(address) => &address.host,
            Self::Unix(path) => path,
        }
    }

    /// The port; for a socket the one that Prometheus has where nobody says otherwise.
    pub fn port(&self) -> u16 {
        self.host_port().map_or(PROMETHEUS_PORT, |address| address.port)
    }

    /// Reads `HOST`, `HOST:PORT` or `unix:/PATH`.
    fn read(text: &str, default_port: u16) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some(path) => Some(Self::Unix(path.to_owned())).filter(|_| !path.is_empty() && !path.contains('$')),
            None => HostPort::with_default_port(text, default_port).map(Self::Tcp),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

/// The port that Prometheus listens on if nobody says otherwise.
pub(super) const PROMETHEUS_PORT: u16 = 9090;

/// A program behind nginx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Where nginx connects to.
    pub address: Address,
    /// What it speaks: `http`, `https`, `grpc`, `fastcgi`, `tcp`, …; `http` for an `upstream` block's server that nothing uses.
    pub scheme: String,
    /// What names it: a `…_pass`, or the `server` in an `upstream` block.
    pub location: Location,
}

/// What a `…_pass` leads to, in its parts.
pub(super) struct Target {
    pub(super) scheme: String,
    /// A host with or without a port, `unix:` and a path, or the name of an `upstream` block.
    pub(super) authority: String,
    /// The URI behind it, which takes the place of what the location matched.
    pub(super) uri: Option<String>,
}

impl Target {
    /// Reads `http://host:port/uri` or `http://unix:/socket:/uri`; none for a variable that could be any host.
    pub(super) fn parse(directive: &Directive, text: &str) -> Option<Self> {
        let protocol = directive.name.strip_suffix("_pass")?;
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => (if protocol == "proxy" { "http" } else { protocol }, text),
        };
        let (authority, uri) = match rest.strip_prefix("unix:") {
            Some(path) => {
                let end = path.find(':').unwrap_or(path.len());
                (&rest[.."unix:".len() + end], path[end..].trim_start_matches(':'))
            }
            None => rest.split_at(rest.find(['/', '?', '$']).unwrap_or(rest.len())),
        };
        let known = !authority.is_empty() && !authority.contains('$') && !scheme.contains('$');
        known.then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            authority: authority.to_owned(),
            uri: (!uri.is_empty()).then(|| uri.to_owned()),
        })
    }

    fn default_port(&self) -> u16 {
        if matches!(self.scheme.as_str(), "https" | "grpcs") { 443 } else { 80 }
    }
}

/// An address, and the directive that names it.
#[derive(Clone)]
pub(super) struct Named<'a> {
    pub(super) address: Address,
    directive: &'a Directive,
}

impl Named<'_> {
    fn speaking(&self, scheme: &str) -> Upstream {
        Upstream { address: self.address.clone(), scheme: scheme.to_owned(), location: self.directive.location.clone() }
    }
}

/// The `upstream` blocks of `http` or `stream`.
pub(super) struct Upstreams<'a> {
    blocks: HashMap<&'a str, Vec<Named<'a>>>,
}

impl<'a> Upstreams<'a> {
    pub(super) fn of(blocks: impl Iterator<Item = &'a Directive>) -> Self {
        let upstreams = blocks.flat_map(|block| block.children_named("upstream"));
        Self { blocks: upstreams.filter_map(|upstream| Some((upstream.arg(0)?, servers(upstream)))).collect() }
    }

    /// The addresses that a target leads to: those of the `upstream` block of that name, or its own.
    pub(super) fn resolve(&self, target: &Target, pass: &'a Directive) -> Cow<'_, [Named<'a>]> {
        // nginx refuses a port behind the name of a block: it is not the address of another program.
        let name = target.authority.rsplit_once(':').map_or(target.authority.as_str(), |(name, _)| name);
        if let Some(servers) = self.blocks.get(target.authority.as_str()).or_else(|| self.blocks.get(name)) {
            return Cow::Borrowed(servers);
        }
        let own = Address::read(&target.authority, target.default_port());
        Cow::Owned(own.into_iter().map(|address| Named { address, directive: pass }).collect())
    }
}

fn servers(upstream: &Directive) -> Vec<Named<'_>> {
    let servers = upstream.children_named("server");
    let named =
        servers.filter_map(|directive| Some(Named { address: Address::read(directive.arg(0)?, 80)?, directive }));
    named.collect()
}

/// Every address that the configuration leads to, once, in the order of the places that name them.
pub(super) fn upstreams(nginx: &Nginx) -> Vec<Upstream> {
    let mut found: HashMap<Address, Upstream> = HashMap::new();
    for block in nginx.directives.iter().filter(|block| block.is("http") || block.is("stream")) {
        let blocks = Upstreams::of(std::iter::once(block));
        let unused_scheme = if block.is("stream") { "tcp" } else { "http" };
        let mut seen = HashSet::new();
        let passes: Vec<Pass<'_>> = match block.is("http") {
            true => pass::in_servers(nginx).into_iter().map(|(_, pass)| pass).collect(),
            false => pass::passes(block),
        };
        for pass in passes {
            let Some(target) = Target::parse(pass.directive, &pass.text).filter(|t| seen.insert(t.authority.clone()))
            else {
                continue;
            };
            let scheme = if block.is("stream") { "tcp" } else { &target.scheme };
            for named in blocks.resolve(&target, pass.directive).iter() {
                found.entry(named.address.clone()).or_insert_with(|| named.speaking(scheme));
            }
        }
        // nginx looks up the names of all blocks when it starts, used or not.
        for named in blocks.blocks.values().flatten() {
            found.entry(named.address.clone()).or_insert_with(|| named.speaking(unused_scheme));
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|a, b| a.location.cmp(&b.location));
    found
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    #[test]
    fn every_address_is_found_once() {
        let main =
            "http { upstream a { server x:1; server unix:/s; server y weight=2; } upstream unused { server z:3; }
            server { location / { proxy_pass http://a/b; } location /c { proxy_pass https://h; }
            location /d { proxy_pass http://unix:/s:/; } location /e { fastcgi_pass php:9000; }
            location /f { proxy_pass http://$host:1; } location /g { proxy_pass http://x:1; }
            location /h { proxy_pass http://a:9; } } }
            stream { server { proxy_pass tcp:5; } }";
        let nginx = Files::of(&[("nginx.conf", main)]).nginx().unwrap();
        let found = super::upstreams(&nginx);
        let shown: Vec<_> = found.iter().map(|u| format!("{} {}", u.scheme, u.address)).collect();
        assert_eq!(
            shown,
            ["http x:1", "http unix:/s", "http y:80", "http z:3", "https h:443", "fastcgi php:9000", "tcp tcp:5"]
        );
    }
}
