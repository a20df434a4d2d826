//! The programs behind nginx: what every `…_pass` and every `upstream` block names.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::directive::Directive;
use super::host_port::HostPort;
use super::{Nginx, pass};
use crate::location::Location;

/// A program behind nginx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Where nginx connects to.
    pub address: HostPort,
    /// What it speaks: `http`, `https`, `grpc`, `fastcgi`, `tcp`, …; `http` for an `upstream` block's server that nothing uses.
    pub scheme: String,
    /// What names it: a `…_pass`, or the `server` in an `upstream` block.
    pub location: Location,
}

/// What a `…_pass` leads to, in its parts.
pub(super) struct Target {
    pub(super) scheme: String,
    /// A host with or without a port, or the name of an `upstream` block.
    pub(super) authority: String,
    /// The URI behind it, which takes the place of what the location matched.
    pub(super) uri: Option<String>,
}

impl Target {
    /// Reads `http://host:port/uri`; none for a unix socket, or a variable that could be any host.
    pub(super) fn parse(directive: &Directive, text: &str) -> Option<Self> {
        let protocol = directive.name.strip_suffix("_pass")?;
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => (if protocol == "proxy" { "http" } else { protocol }, text),
        };
        let end = rest.find(['/', '?', '$']).unwrap_or(rest.len());
        let (authority, uri) = rest.split_at(end);
        let known = !authority.is_empty() && !authority.starts_with("unix:") && !scheme.contains('$');
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
    pub(super) address: HostPort,
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
        if let Some(servers) = self.blocks.get(target.authority.as_str()) {
            return Cow::Borrowed(servers);
        }
        let own = HostPort::with_default_port(&target.authority, target.default_port());
        Cow::Owned(own.into_iter().map(|address| Named { address, directive: pass }).collect())
    }
}

fn servers(upstream: &Directive) -> Vec<Named<'_>> {
    let servers = upstream.children_named("server");
    let named = servers.filter_map(|directive| {
        let place = directive.arg(0).filter(|place| !place.starts_with("unix:"))?;
        Some(Named { address: HostPort::with_default_port(place, 80)?, directive })
    });
    named.collect()
}

/// Every address that the configuration leads to, once, in the order of the places that name them.
pub(super) fn upstreams(nginx: &Nginx) -> Vec<Upstream> {
    let mut found: HashMap<HostPort, Upstream> = HashMap::new();
    for block in nginx.directives.iter().filter(|block| block.is("http") || block.is("stream")) {
        let blocks = Upstreams::of(std::iter::once(block));
        let unused_scheme = if block.is("stream") { "tcp" } else { "http" };
        let mut seen = HashSet::new();
        for pass in pass::passes(block) {
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
            location /f { proxy_pass http://$host:1; } location /g { proxy_pass http://x:1; } } }
            stream { server { proxy_pass tcp:5; } }";
        let nginx = Files::of(&[("nginx.conf", main)]).nginx().unwrap();
        let found = super::upstreams(&nginx);
        let shown: Vec<_> = found.iter().map(|u| format!("{} {}", u.scheme, u.address)).collect();
        assert_eq!(shown, ["http x:1", "http y:80", "http z:3", "https h:443", "fastcgi php:9000", "tcp tcp:5"]);
    }
}
