//! A name of the inside that is looked up where only names of the internet are known.

use std::net::IpAddr;

use super::super::obstacle::PROBE;
use super::upstream_answers::CHECK;
use crate::finding::{Finding, Level};
use crate::observe::Observer;

/// Ends of names that no public DNS server knows: RFC 6761, 6762, 8375, 9476, ICANN's `internal`, and Kubernetes's own.
const INSIDE: [&str; 8] = [".local", ".internal", ".lan", ".home.arpa", ".test", ".svc", ".intranet", ".alt"];

/// In the Lab a stub answers in every resolver's place: what it would say outside of it is told from the two names.
pub(super) fn by_a_public_resolver(observer: &Observer) -> Option<Finding> {
    let facts = observer.facts();
    let path = observer.url(PROBE).path().to_owned();
    let name = observer.route().upstream.name();
    let is_looked_up = facts.pass_for(&path).and_then(|pass| pass.arg(0)).is_some_and(|to| to.contains('$'));
    if !is_looked_up || !is_inside(name) {
        return None;
    }
    let resolver = facts.in_force(&path, "resolver").into_iter().next()?;
    let servers: Vec<&str> =
        resolver.args.iter().map(|arg| arg.text.as_str()).filter(|arg| !arg.contains('=')).collect();
    if servers.is_empty() || !servers.iter().all(|server| is_public(server)) {
        return None;
    }
    let finding = CHECK
        .finding(format!("nginx looks up {name} at {}, which knows names of the internet alone", servers.join(" ")))
        .at_level(Level::Warning)
        .expected("a DNS server that knows the name: Docker's own is 127.0.0.11, Kubernetes's the address of kube-dns")
        .actual(resolver.written())
        .at(resolver.location.clone())
        .fix("resolver 127.0.0.11 valid=10s; in a container network, or the address of the DNS server of that network");
    Some(finding)
}

fn is_inside(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_name = name.parse::<IpAddr>().is_err() && name != "localhost" && !name.starts_with('/');
    is_name && (!name.contains('.') || INSIDE.iter().any(|end| name.ends_with(end)))
}

fn is_public(server: &str) -> bool {
    let host = server.trim_start_matches('[').split(']').next().unwrap_or_default();
    let host = if server.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            !(address.is_private() || address.is_loopback() || address.is_link_local() || is_shared)
        }
        // Global unicast: RFC 4291, section 2.4.
        Ok(IpAddr::V6(address)) => address.segments()[0] & 0xe000 == 0x2000,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_inside, is_public};

    #[test]
    fn names_and_servers_of_the_inside_are_told_from_public_ones() {
        assert!(["prometheus", "prometheus.monitoring.svc", "p.corp.internal."].iter().all(|name| is_inside(name)));
        assert!(!["prometheus.example.com", "10.0.0.1", "localhost", "/run/p.sock"].iter().any(|name| is_inside(name)));
        assert!(["8.8.8.8", "1.1.1.1:53", "[2001:4860:4860::8888]"].iter().all(|server| is_public(server)));
        let own = ["127.0.0.11", "10.96.0.10", "172.20.0.10:53", "[fd00::1]", "100.100.100.100", "kube-dns.svc"];
        assert!(!own.iter().any(|server| is_public(server)));
    }
}
