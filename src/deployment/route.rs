//! The route that leads to Prometheus: from the public URL to the path that Prometheus gets.

use reqwest::Url;

use super::candidate::{self, Best};
use super::directive::Directive;
use super::host_port::HostPort;
use super::location_path::split_endpoint;
use super::pass;
use super::public_name::{is_host_name, public_name};
use super::server::Server;
use super::upstream::{Target, Upstream};
use super::{DeploymentError, Nginx, Options, normal_prefix};
use crate::location::Location;

/// The way of a request through nginx to Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The name in the public URL.
    pub server_name: String,
    /// The public port.
    pub port: u16,
    /// Whether TLS is spoken on it.
    pub tls: bool,
    /// The public path below which Prometheus is, without a slash at its end: `/prometheus`; empty at the root.
    pub prefix: String,
    /// Where Prometheus is for nginx.
    pub upstream: HostPort,
    /// The other servers of the same `upstream` block: nginx takes them for Prometheus too.
    pub peers: Vec<HostPort>,
    /// What Prometheus gets for the prefix and a slash: `/` where nginx strips the prefix. Starts and ends with a slash.
    pub upstream_path: String,
    /// What tells that this upstream is Prometheus, as the end of a sentence: `its port is 9090`.
    pub why: String,
    /// The `location` directive.
    pub location: Location,
    /// The `proxy_pass` directive.
    pub proxy_pass: Location,
    /// The `server`, by its index among the deployment's.
    pub server: usize,
    /// The root of the public server.
    root: Url,
}

impl Route {
    pub(super) fn find(
        nginx: &Nginx,
        servers: &[(&Directive, Server)],
        upstreams: &[Upstream],
        options: &Options,
    ) -> Result<Self, DeploymentError> {
        match candidate::best(nginx, servers, options) {
            Some(best) => Self::through(best, servers, options),
            None => Err(no_route(nginx, servers, upstreams, options)),
        }
    }

    fn through(best: Best<'_>, servers: &[(&Directive, Server)], options: &Options) -> Result<Self, DeploymentError> {
        let Best { candidate, peers } = best;
        let server = &servers[candidate.server].1;
        let (port, tls) = public_port(server);
        let name = options.server_name.clone();
        let server_name = name.unwrap_or_else(|| public_name(server));
        let given = options.prefix.as_deref().map(normal_prefix);
        Ok(Self {
            root: root(&server_name, port, tls)?,
            server_name,
            port,
            tls,
            prefix: given.unwrap_or(candidate.mapping.prefix),
            upstream: candidate.upstream,
            peers,
            upstream_path: candidate.mapping.upstream_path,
            why: candidate.why.to_string(),
            location: candidate.location.location.clone(),
            proxy_pass: candidate.proxy_pass.location.clone(),
            server: candidate.server,
        })
    }

    /// `https://example.com`, with the port unless it is the scheme's own.
    pub fn origin(&self) -> String {
        origin(&self.server_name, self.port, self.tls)
    }

    /// The public URL of a path of the whole server, with its query if it has one.
    pub(crate) fn url_of(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// The URL that people open: `https://example.com/prometheus/`.
    pub fn public_url(&self) -> String {
        format!("{}{}/", self.origin(), self.prefix)
    }

    /// Whether there is a prefix, and nginx takes it off.
    pub fn strips_prefix(&self) -> bool {
        !self.prefix.is_empty() && self.upstream_path == "/"
    }

    /// The path below which Prometheus has to serve all of its own: `/prometheus`, or empty for the root.
    pub(super) fn served_below(&self) -> &str {
        split_endpoint(&self.upstream_path).0.trim_end_matches('/')
    }
}

fn origin(server_name: &str, port: u16, tls: bool) -> String {
    let (scheme, own_port) = if tls { ("https", 443) } else { ("http", 80) };
    match port == own_port {
        true => format!("{scheme}://{server_name}"),
        false => format!("{scheme}://{server_name}:{port}"),
    }
}

fn root(server_name: &str, port: u16, tls: bool) -> Result<Url, DeploymentError> {
    let url = origin(server_name, port, tls).parse().ok();
    let name = server_name.to_owned();
    url.filter(|_| is_host_name(server_name)).ok_or(DeploymentError::ServerName { name })
}

fn public_port(server: &Server) -> (u16, bool) {
    let tcp = || server.listens.iter().filter(|listen| !listen.quic);
    match tcp().find(|listen| listen.ssl).or_else(|| tcp().next()) {
        Some(listen) => (listen.port, listen.ssl),
        None => (443, server.tls()),
    }
}

fn no_route(
    nginx: &Nginx,
    servers: &[(&Directive, Server)],
    upstreams: &[Upstream],
    options: &Options,
) -> DeploymentError {
    const SHOWN: usize = 10;
    let shown = |upstream: &Upstream| format!("{} ({})", upstream.address, upstream.location);
    let mut listed: Vec<String> = upstreams.iter().take(SHOWN).map(shown).collect();
    if upstreams.len() > SHOWN {
        listed.push(format!("and {} more", upstreams.len() - SHOWN));
    }
    let upstreams = match (listed.is_empty(), unresolved(servers)) {
        (true, Some(unset)) => unset,
        (true, None) => "Add the `location` whose `proxy_pass` leads to Prometheus".to_owned(),
        (false, unset) => format!(
            "It leads to {}. Name the one that is Prometheus: `--upstream HOST:PORT`{}",
            listed.join(", "),
            unset.map(|unset| format!(". {unset}")).unwrap_or_default()
        ),
    };
    DeploymentError::NoRoute {
        path: nginx.files.first().map(|file| file.file.to_string()).unwrap_or_default().into(),
        wanted: options.upstream.as_ref().map_or("Prometheus".to_owned(), |wanted| format!("`{wanted}`")),
        upstreams,
    }
}

/// The first `proxy_pass` whose host is a variable that nobody sets.
fn unresolved(servers: &[(&Directive, Server)]) -> Option<String> {
    let passes = servers.iter().flat_map(|(block, _)| pass::passes(block));
    let unset = passes.filter(|pass| pass.directive.is("proxy_pass") && pass.text.contains('$'));
    let first = unset.into_iter().find(|pass| Target::parse(pass.directive, &pass.text).is_none())?;
    let place = &first.directive.location;
    Some(format!(
        "What `{}` ({place}) leads to is in a variable that the file does not `set`: if the file is a template, render it first",
        first.text
    ))
}
