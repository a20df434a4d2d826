//! The route that leads to Prometheus: from the public URL to the path that Prometheus gets.

use reqwest::Url;

use super::access::Access;
use super::candidate::Candidate;
use super::front::Front;
use super::listen::{Interface, Listen};
use super::location_path::split_endpoint;
use super::pass;
use super::public_name::{is_host_name, public_name};
use super::server::Server;
use super::upstream::{Address, Target, Upstream};
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
    /// The port that clients come to: the server's own, or that of the `stream` server in front of it.
    pub listen: Listen,
    /// What is asked of a client.
    pub access: Access,
    /// What nginx speaks to Prometheus: `http` or `https`.
    pub scheme: String,
    /// Where Prometheus is for nginx.
    pub upstream: Address,
    /// The other servers of the same `upstream` block: nginx takes them for Prometheus too.
    pub peers: Vec<Address>,
    /// The Prometheus that it leads to, by its index among the deployment's.
    pub prometheus: usize,
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

/// What a route is made of.
pub(super) struct Found<'a> {
    pub(super) candidate: &'a Candidate<'a>,
    pub(super) server: &'a Server,
    pub(super) access: Access,
    pub(super) front: Option<&'a Front>,
    pub(super) prometheus: usize,
}

impl Route {
    pub(super) fn through(found: Found<'_>, options: &Options) -> Result<Self, DeploymentError> {
        let Found { candidate, server, access, front, prometheus } = found;
        let own = public_listen(server);
        let listen = front.map_or_else(|| own.clone(), |front| front.listen.clone());
        let (port, tls) = (listen.port, listen.ssl || own.ssl);
        let server_name = options.server_name.clone().unwrap_or_else(|| public_name(server));
        let given = options.prefix.as_deref().map(normal_prefix);
        Ok(Self {
            root: root(&server_name, port, tls)?,
            server_name,
            port,
            tls,
            prefix: given.unwrap_or_else(|| candidate.mapping.prefix.clone()),
            listen,
            access,
            scheme: candidate.scheme.clone(),
            upstream: candidate.upstream.clone(),
            peers: candidate.peers.clone(),
            prometheus,
            upstream_path: candidate.mapping.upstream_path.clone(),
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

/// The port of a server that clients are led to: an encrypted one, reached from outside, that is no UDP port.
fn public_listen(server: &Server) -> Listen {
    let tcp = server.listens.iter().filter(|listen| !listen.quic);
    let best = tcp.min_by_key(|listen| (!listen.ssl, !listen.interface.is_public(), listen.proxy_protocol));
    best.cloned().unwrap_or_else(|| unseen(server))
}

/// The port of a server that listens on a socket alone: whatever is before it is taken to be where browsers go.
fn unseen(server: &Server) -> Listen {
    let socket = server.unix_listens.first();
    Listen {
        interface: Interface::EveryIpv4,
        port: 443,
        ssl: socket.is_some_and(|socket| socket.ssl),
        http2: false,
        quic: false,
        proxy_protocol: socket.is_some_and(|socket| socket.proxy_protocol),
        default_server: false,
        location: socket.map_or_else(|| server.location.clone(), |socket| socket.location.clone()),
    }
}

/// What there is instead, and how to name it.
pub(super) fn no_route(nginx: &Nginx, upstreams: &[Upstream], options: &Options) -> DeploymentError {
    const SHOWN: usize = 10;
    let shown = |upstream: &Upstream| format!("{} ({})", upstream.address, upstream.location);
    let mut listed: Vec<String> = upstreams.iter().take(SHOWN).map(shown).collect();
    if upstreams.len() > SHOWN {
        listed.push(format!("and {} more", upstreams.len() - SHOWN));
    }
    let upstreams = match (listed.is_empty(), unresolved(nginx)) {
        (true, Some(unset)) => unset,
        (true, None) => "Add the `location` whose `proxy_pass` leads to Prometheus".to_owned(),
        (false, unset) => format!(
            "It leads to {}. Name the one that is Prometheus: `--upstream HOST:PORT`{}",
            listed.join(", "),
            unset.map(|unset| format!(". {unset}")).unwrap_or_default()
        ),
    };
    DeploymentError::NoRoute {
        path: nginx.name().into(),
        wanted: options.upstream.as_ref().map_or("Prometheus".to_owned(), |wanted| format!("`{wanted}`")),
        upstreams,
    }
}

/// The first `proxy_pass` whose host is a variable that nobody sets.
fn unresolved(nginx: &Nginx) -> Option<String> {
    let passes = pass::in_servers(nginx).into_iter().map(|(_, pass)| pass);
    let mut unset = passes.filter(|pass| pass.directive.is("proxy_pass") && pass.text.contains('$'));
    let first = unset.find(|pass| Target::parse(pass.directive, &pass.text).is_none())?;
    let place = &first.directive.location;
    Some(format!(
        "What `{}` ({place}) leads to is in a variable that the file does not `set`: if the file is a template, render it first",
        first.text
    ))
}
