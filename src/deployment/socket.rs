//! The socket that clients of a route come to, and the server that takes what no name fits there:
//! <https://nginx.org/en/docs/http/request_processing.html>.

use super::in_force::innermost;
use super::{Directive, Facts, Listen, Server};

/// The server that is the default of a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefaultServer<'a> {
    /// Its index among the deployment's.
    pub(crate) index: usize,
    /// The server.
    pub(crate) server: &'a Server,
    /// Its `listen` of that socket.
    pub(crate) listen: &'a Listen,
}

impl<'a> Facts<'a> {
    /// The `listen` of the route's own server that its requests come to; none where it has a unix socket alone.
    pub(crate) fn own_listen(&self) -> Option<&'a Listen> {
        let mut listens = self.server().listens.iter().filter(|listen| !listen.quic);
        let public = listens.clone().find(|listen| **listen == self.route.listen);
        public.or_else(|| listens.clone().find(|listen| listen.ssl == self.route.tls)).or_else(|| listens.next())
    }

    /// The blocks of the server where TLS ends for the route, from the outer to the inner one, if that is a `stream` server
    /// in front of the route's own.
    pub(crate) fn tls_front(&self) -> Option<[&'a Directive; 2]> {
        let place = &self.route.listen.location;
        let streams = self.deployment.nginx.directives.iter().filter(|directive| directive.is("stream"));
        let mut servers =
            streams.flat_map(|stream| stream.children_named("server").map(move |server| [stream, server]));
        let listens_here = |server: &Directive| server.children_named("listen").any(|own| own.location == *place);
        servers.find(|[_, server]| self.route.listen.ssl && listens_here(server))
    }

    /// The directives called `name` that are in force where TLS ends for the route.
    pub(crate) fn tls_in_force(&self, name: &str) -> Vec<&'a Directive> {
        match self.tls_front() {
            Some(blocks) => innermost(&blocks, name),
            None => self.server_in_force(name),
        }
    }

    /// The server where TLS ends for the route.
    pub(crate) fn tls_server_place(&self) -> &'a crate::location::Location {
        self.tls_front().map_or(&self.server().location, |[_, server]| &server.location)
    }

    /// The servers on the socket of the route, each with its `listen` of it, in their order.
    pub(crate) fn servers_on_socket(&self) -> Vec<DefaultServer<'a>> {
        let Some(own) = self.own_listen() else {
            return Vec::new();
        };
        let same = |listen: &&Listen| !listen.quic && (&listen.interface, listen.port) == (&own.interface, own.port);
        let servers = self.deployment.servers.iter().enumerate();
        let found = servers.filter_map(|(index, server)| {
            Some(DefaultServer { index, server, listen: server.listens.iter().find(same)? })
        });
        found.collect()
    }

    /// The default of the route's socket: the one that says so, else the first.
    pub(crate) fn default_server(&self) -> Option<DefaultServer<'a>> {
        let servers = self.servers_on_socket();
        let said = servers.iter().find(|server| server.listen.default_server);
        said.or(servers.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    fn default_of(servers: &str) -> Option<usize> {
        let prometheus = "location / { proxy_pass http://prometheus:9090; }";
        let conf = format!("http {{ {} }}", servers.replace("PROMETHEUS", prometheus));
        let deployment = Files::of(&[("nginx.conf", &conf)]).load().unwrap();
        deployment.facts(0).default_server().map(|server| server.index)
    }

    #[test]
    fn the_first_server_is_the_default_unless_another_says_so() {
        let other = "server { listen 443; server_name other; }";
        let route = "server { listen 443 ssl; listen 80; server_name p; PROMETHEUS }";
        assert_eq!(default_of(&format!("{other} {route}")), Some(0));
        assert_eq!(default_of(&format!("{route} {other}")), Some(0));
        assert_eq!(default_of(&format!("{route} server {{ listen 443 default_server; }}")), Some(1));
        assert_eq!(default_of(&format!("server {{ listen 127.0.0.1:443 ssl; }} {route}")), Some(1));
        assert_eq!(default_of("server { listen unix:/s; PROMETHEUS }"), None);
    }

    #[test]
    fn tls_ends_in_a_stream_server_that_is_before_the_route_s() {
        let conf = "stream { ssl_protocols TLSv1.2; server { listen 443 ssl; proxy_pass 127.0.0.1:8080; } }
            http { ssl_protocols TLSv1; server { listen 127.0.0.1:8080; location / { proxy_pass http://p:9090; } } }";
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        let facts = deployment.facts(0);
        assert_eq!(facts.tls_in_force("ssl_protocols")[0].arg(0), Some("TLSv1.2"));
        assert_eq!(facts.tls_server_place().line, 1);
        assert_eq!(facts.default_server().map(|server| server.index), Some(0));
    }
}
