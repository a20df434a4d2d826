//! What a server listens on: <https://nginx.org/en/docs/http/ngx_http_core_module.html#listen>.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use super::directive::Directive;
use crate::location::Location;

/// On which of the machine's addresses a port is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// On every IPv4 address: `80`, `*:80`.
    EveryIpv4,
    /// On every IPv6 address: `[::]:80`.
    EveryIpv6,
    /// On every address of both kinds: `[::]:80 ipv6only=off`.
    Every,
    /// On one address alone.
    One(IpAddr),
    /// On the address of a name that nginx looks up when it starts.
    Named(String),
}

impl Interface {
    /// Whether a client from outside can arrive here: not on loopback alone.
    pub fn is_public(&self) -> bool {
        match self {
            Self::One(address) => !address.is_loopback(),
            Self::Named(name) => name != "localhost",
            Self::EveryIpv4 | Self::EveryIpv6 | Self::Every => true,
        }
    }

    /// Whether a client that comes by IPv4 to any of the machine's addresses arrives here.
    pub fn takes_any_ipv4(&self) -> bool {
        matches!(self, Self::EveryIpv4 | Self::Every)
    }
}

/// A port that a server listens on. What one `listen` line of a socket says of TLS, HTTP/2 and the PROXY protocol holds
/// for all servers on that socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The addresses.
    pub interface: Interface,
    /// The port.
    pub port: u16,
    /// Whether TLS is spoken on it.
    pub ssl: bool,
    /// Whether HTTP/2 is offered on it, by `listen … http2` or `http2 on`.
    pub http2: bool,
    /// Whether it is a UDP port for HTTP/3.
    pub quic: bool,
    /// Whether connections begin with a PROXY protocol header.
    pub proxy_protocol: bool,
    /// Whether this server takes what no name fits.
    pub default_server: bool,
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
    /// Whether connections begin with a PROXY protocol header.
    pub proxy_protocol: bool,
    /// The `listen` directive.
    pub location: Location,
}

/// What a server says for all of its ports: `ssl on;` of old configurations, `http2 on;` of new ones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Switches {
    pub(super) ssl: bool,
    pub(super) http2: bool,
}

/// More ports than a server needs; a range can be written with few letters.
const MOST_PORTS: u16 = 100;

/// All that a server listens on, ports and sockets.
pub(super) fn listens(server: &Directive, switches: Switches) -> (Vec<Listen>, Vec<UnixListen>) {
    let (mut ports, mut sockets) = (Vec::new(), Vec::new());
    for listen in server.children_named("listen") {
        let ssl = switches.ssl || has(listen, "ssl") || has(listen, "quic");
        let proxy_protocol = has(listen, "proxy_protocol");
        let location = listen.location.clone();
        let place = listen.arg(0).unwrap_or_default();
        if let Some(path) = place.strip_prefix("unix:") {
            sockets.push(UnixListen { path: path.to_owned(), ssl, proxy_protocol, location });
        } else if let Some((interface, range)) = interface_and_ports(place) {
            // What can't be read is left to nginx, which will not start with it.
            ports.extend(range.take(MOST_PORTS.into()).map(|port| Listen {
                interface: if has(listen, "ipv6only=off") { widened(&interface) } else { interface.clone() },
                port,
                ssl,
                http2: switches.http2 || has(listen, "http2"),
                quic: has(listen, "quic"),
                proxy_protocol,
                default_server: has(listen, "default_server") || has(listen, "default"),
                location: location.clone(),
            }));
        }
    }
    if server.children_named("listen").next().is_none() {
        ports.push(unsaid(server, switches));
    }
    (ports, sockets)
}

/// A server without `listen` listens on port 80.
fn unsaid(server: &Directive, switches: Switches) -> Listen {
    Listen {
        interface: Interface::EveryIpv4,
        port: 80,
        ssl: switches.ssl,
        http2: switches.http2,
        quic: false,
        proxy_protocol: false,
        default_server: false,
        location: server.location.clone(),
    }
}

/// Lets what one line says of a socket hold for every server on it.
pub(super) fn share_sockets<'a>(listens: impl Iterator<Item = &'a mut Listen>) {
    let mut listens: Vec<&mut Listen> = listens.collect();
    // `ipv6only=off` can be said once for a socket.
    let both: HashSet<u16> =
        listens.iter().filter(|listen| listen.interface == Interface::Every).map(|listen| listen.port).collect();
    for listen in listens.iter_mut().filter(|listen| both.contains(&listen.port)) {
        listen.interface = widened(&listen.interface);
    }
    let socket = |listen: &Listen| (listen.interface.clone(), listen.port, listen.quic);
    let mut said: HashMap<_, [bool; 3]> = HashMap::new();
    for listen in &listens {
        let all = said.entry(socket(listen)).or_default();
        all.iter_mut().zip([listen.ssl, listen.http2, listen.proxy_protocol]).for_each(|(all, one)| *all |= one);
    }
    for listen in &mut listens {
        let all = said.get(&socket(listen)).copied().unwrap_or_default();
        [listen.ssl, listen.http2, listen.proxy_protocol] = all;
    }
}

fn has(listen: &Directive, parameter: &str) -> bool {
    listen.args.iter().skip(1).any(|arg| arg.text == parameter)
}

fn interface_and_ports(place: &str) -> Option<(Interface, std::ops::RangeInclusive<u16>)> {
    if let Some(ports) = port_range(place) {
        return Some((Interface::EveryIpv4, ports));
    }
    let after_bracket = place.rfind(']').unwrap_or(0);
    let (host, ports) = match place[after_bracket..].rfind(':') {
        Some(colon) => place.split_at(after_bracket + colon),
        None => (place, ":80"),
    };
    Some((interface(host), port_range(ports.strip_prefix(':')?)?))
}

fn port_range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

fn interface(host: &str) -> Interface {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match (host, host.parse::<IpAddr>()) {
        ("*" | "0.0.0.0", _) => Interface::EveryIpv4,
        ("localhost", _) => Interface::One(Ipv4Addr::LOCALHOST.into()),
        (_, Ok(address)) if address.is_unspecified() => Interface::EveryIpv6,
        (_, Ok(address)) => Interface::One(address),
        _ => Interface::Named(host.to_owned()),
    }
}

fn widened(interface: &Interface) -> Interface {
    match interface {
        Interface::EveryIpv6 => Interface::Every,
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    fn first(server: &str) -> Listen {
        listens(&directives(server)[0], Switches::default()).0.remove(0)
    }

    #[test]
    fn every_form_of_listen_is_read() {
        let one = |address: &str| Interface::One(address.parse().unwrap());
        for (written, interface, port, ssl) in [
            ("443 ssl", Interface::EveryIpv4, 443, true),
            ("[::]:443 ssl http2", Interface::EveryIpv6, 443, true),
            ("[::]:80 ipv6only=off", Interface::Every, 80, false),
            ("[::1]", one("::1"), 80, false),
            ("127.0.0.1:8443 default_server", one("127.0.0.1"), 8443, false),
            ("127.0.0.1", one("127.0.0.1"), 80, false),
            ("localhost:9000", one("127.0.0.1"), 9000, false),
            ("*:80", Interface::EveryIpv4, 80, false),
            ("proxy.internal:80", Interface::Named("proxy.internal".to_owned()), 80, false),
            ("443 quic reuseport", Interface::EveryIpv4, 443, true),
        ] {
            let listen = first(&format!("server {{ listen {written}; }}"));
            assert_eq!((listen.interface, listen.port, listen.ssl), (interface, port, ssl), "{written}");
        }
        let listen = first("server { listen 443 ssl proxy_protocol default_server; }");
        assert!(listen.proxy_protocol && listen.default_server && !listen.http2);
    }

    #[test]
    fn a_range_of_ports_is_many_and_bounded() {
        let (ports, _) = listens(&directives("server { listen 8000-8002; }")[0], Switches::default());
        assert_eq!(ports.iter().map(|listen| listen.port).collect::<Vec<_>>(), [8000, 8001, 8002]);
        let (ports, _) = listens(&directives("server { listen 1-65535; }")[0], Switches::default());
        assert_eq!(ports.len(), 100);
    }

    #[test]
    fn a_server_without_listen_has_port_80_and_one_with_a_socket_has_none() {
        let switches = Switches { ssl: true, http2: false };
        let (ports, sockets) = listens(&directives("server { }")[0], switches);
        assert_eq!((ports[0].port, ports[0].ssl, sockets.len()), (80, true, 0));
        let socket = "server { listen unix:/run/n.sock ssl; }";
        let (ports, sockets) = listens(&directives(socket)[0], Switches::default());
        assert_eq!((ports.len(), sockets[0].path.as_str(), sockets[0].ssl), (0, "/run/n.sock", true));
    }

    #[test]
    fn what_one_server_says_of_a_socket_holds_for_all_on_it() {
        let mut listens: Vec<Listen> = ["443 ssl http2", "443", "127.0.0.1:443", "444"]
            .map(|l| first(&format!("server {{ listen {l}; }}")))
            .into();
        share_sockets(listens.iter_mut());
        let ssl: Vec<bool> = listens.iter().map(|listen| listen.ssl && listen.http2).collect();
        assert_eq!(ssl, [true, true, false, false]);
    }

    #[test]
    fn one_server_says_for_all_that_a_socket_is_for_both_families() {
        let mut listens: Vec<Listen> = ["[::]:443 ssl", "[::]:443 ssl ipv6only=off", "[::]:80", "[::1]:443"]
            .map(|l| first(&format!("server {{ listen {l}; }}")))
            .into();
        share_sockets(listens.iter_mut());
        let every: Vec<bool> = listens.iter().map(|listen| listen.interface == Interface::Every).collect();
        assert_eq!(every, [true, true, false, false]);
    }
}
