//! `stream` servers in front of `http` ones: clients come to their port.

use super::Nginx;
use super::directive::Directive;
use super::listen::{self, Interface, Listen, Switches};
use super::pass;
use super::server::Server;

/// The `stream` servers that pass connections on to this very nginx.
pub(super) struct Fronts {
    fronts: Vec<Front>,
}

/// One `stream` server and a place that it passes connections to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Front {
    /// Where clients come in.
    pub(super) listen: Listen,
    /// The port on loopback, or the socket, that it leads to.
    to: String,
}

/// The TCP ports of all `stream` servers.
pub(crate) fn stream_listens(nginx: &Nginx) -> Vec<Listen> {
    let streams = nginx.directives.iter().filter(|directive| directive.is("stream"));
    let servers = streams.flat_map(|stream| stream.children_named("server"));
    let tcp = servers.filter(|server| server.children_named("listen").next().is_some_and(|listen| !is_udp(listen)));
    tcp.flat_map(|server| listen::listens(server, Switches::default()).0).collect()
}

fn is_udp(listen: &Directive) -> bool {
    listen.args.iter().any(|arg| arg.text == "udp")
}

impl Fronts {
    pub(super) fn of(nginx: &Nginx) -> Self {
        /// More than any deployment has.
        const MOST: usize = 1000;
        let streams = nginx.directives.iter().filter(|directive| directive.is("stream"));
        let fronts = streams.flat_map(of_stream).take(MOST).collect();
        Self { fronts }
    }

    /// The front through which clients reach a server, if it can't be reached from outside itself.
    pub(super) fn before(&self, server: &Server) -> Option<&Front> {
        let public = server.listens.iter().any(|listen| listen.interface.is_public() && !listen.proxy_protocol);
        let leads_here = |front: &&Front| {
            server.listens.iter().any(|listen| leads_to_port(&front.to, listen))
                || server.unix_listens.iter().any(|listen| front.to.strip_prefix("unix:") == Some(&listen.path))
        };
        self.fronts.iter().filter(|_| !public).find(leads_here)
    }
}

fn of_stream(stream: &Directive) -> Vec<Front> {
    let upstreams: Vec<&Directive> = stream.children_named("upstream").collect();
    let servers_of = |name: &str| -> Vec<String> {
        let block = upstreams.iter().find(|upstream| upstream.arg(0) == Some(name));
        let servers = block.into_iter().flat_map(|block| block.children_named("server"));
        servers.filter_map(|server| server.arg(0)).map(str::to_owned).collect()
    };
    let mut fronts = Vec::new();
    for pass in pass::passes(stream).into_iter().filter(|pass| pass.directive.is("proxy_pass")) {
        let around = stream.children_named("server");
        let mut holding =
            around.filter(|server| server.children().iter().any(|child| std::ptr::eq(child, pass.directive)));
        let Some(server) = holding.next() else { continue };
        let (listens, _) = listen::listens(server, Switches::default());
        let Some(listen) = listens.into_iter().find(|listen| listen.interface.is_public()) else { continue };
        let mut targets = servers_of(&pass.text);
        if targets.is_empty() {
            targets.push(pass.text);
        }
        fronts.extend(targets.into_iter().map(|to| Front { listen: listen.clone(), to }));
    }
    fronts
}

/// Whether `127.0.0.1:8443` or `localhost:8443` is what a server listens on.
fn leads_to_port(to: &str, listen: &Listen) -> bool {
    let Some((host, port)) = to.rsplit_once(':') else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let here = match &listen.interface {
        Interface::One(address) => host == "localhost" || host.parse() == Ok(*address),
        Interface::Named(name) => host == name,
        _ => matches!(host, "localhost" | "::1") || host.starts_with("127."),
    };
    here && port.parse() == Ok(listen.port)
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    #[test]
    fn clients_come_to_the_port_of_the_stream_server() {
        let conf = "stream { map $ssl_preread_server_name $to { a.b web; default unix:/run/x.sock; }
              upstream web { server 127.0.0.1:8443; }
              server { listen 443; ssl_preread on; proxy_pass $to; proxy_protocol on; } }
            http { server { listen 127.0.0.1:8443 ssl proxy_protocol; server_name a.b;
              location / { proxy_pass http://prom; } } }";
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        assert_eq!(deployment.routes[0].public_url(), "https://a.b/");
        assert!(!deployment.routes[0].listen.proxy_protocol);
    }

    #[test]
    fn a_stream_server_that_ends_tls_makes_the_public_side_encrypted() {
        let conf = "stream { server { listen 9443 ssl; proxy_pass localhost:8080; } }
            http { server { listen 127.0.0.1:8080; server_name a.b; location / { proxy_pass http://prom; } } }";
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        assert_eq!(deployment.routes[0].public_url(), "https://a.b:9443/");
    }
}
