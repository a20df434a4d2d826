//! Nobody comes to Prometheus beside nginx.
//!
//! This is told from the facts: a flag and a published port do what they say, the containers of a deployment are not those
//! of the Pod, and the Pod's own ports are not open to this client on every engine.

use std::net::IpAddr;

use super::super::{Answer, Check, NEEDS_CONFIGURATION, Turn, View};
use crate::deployment::{Prometheus, PublishedBy, PublishedPort};
use crate::finding::{Finding, Level};
use crate::observe::Observer;

const LISTEN: &str = "web.listen-address";
/// The port of a Prometheus that is told no other.
const DEFAULT_PORT: u16 = 9090;

pub(crate) static CHECK: Check = Check {
    id: "backend-port",
    level: Level::Warning,
    what: "Prometheus's own port is open to nginx alone: bound to this machine's loopback (127.0.0.1), or in a container whose \
           port is not published.",
    why: "Whoever reaches Prometheus's own port needs neither nginx's password nor its encryption. Prometheus listens on every \
          address of the machine unless it is told otherwise, and a port that Docker publishes is open even where a \
          firewall such as ufw says that it is closed.",
    fix: "Start Prometheus with --web.listen-address=127.0.0.1:9090; in docker-compose remove `ports:` from it, or write \
          `127.0.0.1:9090:9090`; in Kubernetes let its Service be of `type: ClusterIP`.",
    source: "https://prometheus.io/docs/operating/security/; \
             https://docs.docker.com/engine/network/packet-filtering-firewalls/; \
             https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let prometheus = observer.facts().prometheus();
    // Its own port asks for as much as nginx then.
    if prometheus.speaks_tls() && prometheus.asks_for_a_password() {
        return Ok(Vec::new());
    }
    let own = prometheus.listen_port().unwrap_or(DEFAULT_PORT);
    let published = prometheus.ports.iter().filter(|port| port.public && port.container_port == own);
    let mut findings: Vec<Finding> = published.filter_map(|port| is_published(observer, port)).collect();
    // In a container it has to listen on every address: what is published decides. On another machine it has to be open to
    // nginx, and what else is open there is not seen.
    if findings.is_empty() && !prometheus.contained && is_loopback(observer.route().upstream.name()) {
        findings.extend(listens(observer, prometheus, own));
    }
    Ok(findings)
}

fn is_published(observer: &Observer, port: &PublishedPort) -> Option<Finding> {
    let for_nginx = nginx_comes_by(observer, port);
    if for_nginx && port.address.as_deref().is_some_and(|address| !is_every(address)) {
        return None;
    }
    let number = match port.port {
        0 => "a port of the host's choice".to_owned(),
        number => format!("port {number}"),
    };
    let place = match port.by {
        PublishedBy::Service => "every node or the load balancer of the cluster".to_owned(),
        _ => match port.address.as_deref().filter(|address| !is_every(address)) {
            Some(address) => format!("the host's address {address}"),
            None => "every address of the host".to_owned(),
        },
    };
    let finding = CHECK
        .finding("Prometheus's own port is open beside nginx, without its password and its encryption")
        .expected(if for_nginx {
            "a port that is open to nginx's machine"
        } else {
            "a port that is open to nginx alone"
        })
        .actual(format!("{number} of {place} leads to Prometheus"))
        .at(port.location.clone())
        .fix(instead(observer, port, for_nginx));
    Some(if for_nginx { finding.at_level(Level::Note) } else { finding })
}

/// Whether nginx is on another machine and needs the port.
fn nginx_comes_by(observer: &Observer, port: &PublishedPort) -> bool {
    let upstream = &observer.route().upstream;
    let name = upstream.name();
    let is_machine = name.parse::<IpAddr>().is_ok() || (name.contains('.') && !name.contains(".svc"));
    upstream.port() == port.port && is_machine && !is_loopback(name)
}

fn instead(observer: &Observer, port: &PublishedPort, for_nginx: bool) -> String {
    let upstream = &observer.route().upstream;
    let (own, number) = (port.container_port, if port.port == 0 { upstream.port() } else { port.port });
    match port.by {
        PublishedBy::Compose if for_nginx => {
            format!(
                "{}:{number}:{own}, the address that nginx asks, and let its firewall let in nginx alone",
                upstream.name()
            )
        }
        PublishedBy::Compose if is_loopback(upstream.name()) => format!("\"127.0.0.1:{number}:{own}\""),
        PublishedBy::Compose => format!("remove it: nginx reaches {upstream} by the network of the containers"),
        _ if for_nginx => "let a firewall or a NetworkPolicy let in nginx alone".to_owned(),
        PublishedBy::HostNetwork => format!("--{LISTEN}=127.0.0.1:{own}"),
        PublishedBy::HostPort => "remove hostPort: nginx reaches Prometheus within the cluster".to_owned(),
        PublishedBy::Service => "type: ClusterIP, without nodePort: nginx reaches it within the cluster".to_owned(),
    }
}

/// What the command line of a Prometheus on nginx's own machine lets it listen on.
fn listens(observer: &Observer, prometheus: &Prometheus, own: u16) -> Vec<Finding> {
    let said = || prometheus.flags.iter().filter(|flag| flag.name() == LISTEN);
    let open = said().filter(|flag| flag.value().is_some_and(is_open));
    let settings = &observer.facts().deployment.settings;
    let finding = |message: &str, actual: &str| {
        CHECK
            .finding(message)
            .expected(format!("--{LISTEN}=127.0.0.1:{own}: nginx is on the same machine"))
            .actual(actual)
            .fix(format!("--{LISTEN}=127.0.0.1:{own}"))
    };
    if said().next().is_none() {
        let message = match prometheus.flags_given {
            true => "Prometheus listens on every address: whoever reaches the machine gets around nginx",
            false => "nothing says that Prometheus listens on loopback alone: it listens on every address then",
        };
        let actual = format!("no --{LISTEN}: a firewall alone may close the port");
        return vec![finding(message, &actual).at_level(Level::Note)];
    }
    let message = "Prometheus listens beyond loopback: whoever reaches the machine gets around nginx";
    open.map(|flag| {
        let place = flag.location.clone().or_else(|| settings.place_of(LISTEN));
        finding(message, &flag.text).at(place)
    })
    .collect()
}

/// Whether a listen address is more than loopback.
fn is_open(listen: &str) -> bool {
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    !is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_every(address: &str) -> bool {
    address.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_alone_is_closed() {
        for closed in ["127.0.0.1:9090", "localhost:9090", "[::1]:9090", "127.1.2.3:1"] {
            assert!(!is_open(closed), "{closed}");
        }
        for open in ["0.0.0.0:9090", ":9090", "[::]:9090", "192.0.2.1:9090", "prom.example.com:9090"] {
            assert!(is_open(open), "{open}");
        }
        assert!(is_every("0.0.0.0") && is_every("[::]") && !is_every("192.0.2.1"));
    }
}
