//! What a server listens on.

use std::net::{IpAddr, Ipv4Addr};

use super::directive::Directive;
use crate::location::Location;

/// A port that a server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address; none for all of them, or where a name stands that nginx resolves when it starts.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// Whether TLS is spoken on it.
    pub ssl: bool,
    /// Whether it is a UDP port for HTTP/3.
    pub quic: bool,
    /// The `listen` directive, or the `server` that has none.
    pub location: Location,
}

/// A unix socket that a server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixListen {
    /// The socket's path.
    pub path: String,
    /// Whether TLS is spoken on it.
    pub ssl: bool,
    /// The `listen` directive.
    pub location: Location,
}

/// All that a server listens on, ports and sockets. `ssl on;` of old configurations makes TLS of all.
pub(super) fn listens(server: &Directive, ssl_on: bool) -> (Vec<Listen>, Vec<UnixListen>) {
    let (mut ports, mut sockets) = (Vec::new(), Vec::new());
    for listen in server.children_named("listen") {
        let ssl = ssl_on || has(listen, "ssl") || has(listen, "quic");
        let location = listen.location.clone();
        let place = listen.arg(0).unwrap_or_default();
        if let Some(path) = place.strip_prefix("unix:") {
            sockets.push(UnixListen { path: path.to_owned(), ssl, location });
        } else if let Some((address, port)) = address_and_port(place) {
            // What can't be read is left to nginx, which will not start with it.
            ports.push(Listen { address, port, ssl, quic: has(listen, "quic"), location });
        }
    }
    if server.children_named("listen").next().is_none() {
        ports.push(Listen { address: None, port: 80, ssl: ssl_on, quic: false, location: server.location.clone() });
    }
    (ports, sockets)
}

fn has(listen: &Directive, parameter: &str) -> bool {
    listen.args.iter().skip(1).any(|arg| arg.text == parameter)
}

fn address_and_port(place: &str) -> Option<(Option<IpAddr>, u16)> {
    if let Ok(port) = place.parse() {
        return Some((None, port));
    }
    let after_bracket = place.rfind(']').unwrap_or(0);
    let (host, port) = match place[after_bracket..].rfind(':') {
        Some(colon) => place.split_at(after_bracket + colon),
        None => (place, ":80"),
    };
    let port = port.strip_prefix(':')?.parse().ok()?;
    Some((address(host), port))
}

fn address(host: &str) -> Option<IpAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        _ => host.parse().ok().filter(|address: &IpAddr| !address.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::directives;

    #[test]
    fn every_form_of_listen_is_read() {
        for (listen, address, port, ssl) in [
            ("443 ssl", None, 443, true),
            ("[::]:443 ssl http2", None, 443, true),
            ("[::1]", Some("::1"), 80, false),
            ("127.0.0.1:8443 default_server", Some("127.0.0.1"), 8443, false),
            ("127.0.0.1", Some("127.0.0.1"), 80, false),
            ("localhost:9000", Some("127.0.0.1"), 9000, false),
            ("*:80", None, 80, false),
            ("443 quic reuseport", None, 443, true),
        ] {
            let (ports, _) = super::listens(&directives(&format!("server {{ listen {listen}; }}"))[0], false);
            assert_eq!(ports[0].address.map(|address| address.to_string()).as_deref(), address, "{listen}");
            assert_eq!((ports[0].port, ports[0].ssl), (port, ssl), "{listen}");
        }
    }

    #[test]
    fn a_server_without_listen_has_port_80_and_one_with_a_socket_has_none() {
        let (ports, sockets) = super::listens(&directives("server { }")[0], true);
        assert_eq!((ports[0].port, ports[0].ssl, sockets.len()), (80, true, 0));
        let (ports, sockets) = super::listens(&directives("server { listen unix:/run/n.sock ssl; }")[0], false);
        assert_eq!((ports.len(), sockets[0].path.as_str(), sockets[0].ssl), (0, "/run/n.sock", true));
    }
}
