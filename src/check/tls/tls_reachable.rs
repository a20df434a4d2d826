//! The port is open where clients from outside arrive.

use std::net::IpAddr;

use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use crate::deployment::{Directive, Interface, Listen};
use crate::finding::{Finding, Fix, Level};
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "tls-reachable",
    level: Level::Error,
    what: "The encrypted port is open on an address that a client from outside can reach, by IPv4 and by IPv6.",
    why: "A server that listens on 127.0.0.1 alone answers every test on the machine itself and nobody else. \
          `listen [::]:443` alone is closed to IPv4, since nginx 1.3.4; one without an IPv6 listen stalls clients whose \
          name server has an IPv6 address for the name.",
    fix: "listen 443 ssl; listen [::]:443 ssl;",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#listen",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let (facts, route) = (observer.facts(), observer.route());
    if !route.tls {
        return Err(Skip("clients have no encrypted port: see tls-enforced".to_owned()));
    }
    if facts.server().listens.is_empty() && route.listen.interface.is_public() {
        return Err(Skip("nginx listens on a unix socket, and what is before it is not seen".to_owned()));
    }
    let listen = &route.listen;
    let of_port = || facts.server().listens.iter().filter(|other| other.port == listen.port && !other.quic);
    // One line of several is enough; a front alone counts where there is one.
    let all: Vec<&Listen> = of_port().chain([listen]).collect();
    let takes = |fits: fn(&Interface) -> bool| all.iter().any(|listen| fits(&listen.interface));
    Ok(match () {
        () if !takes(Interface::is_public) => vec![loopback(observer, listen)],
        () if !takes(is_for_ipv4) => vec![ipv6_alone(observer, on_loopback(&all).unwrap_or(listen))],
        () if !takes(is_for_ipv6) && takes(Interface::takes_any_ipv4) => vec![ipv4_alone(observer, listen)],
        () => Vec::new(),
    })
}

/// What is meant for IPv4, and takes nobody from outside.
fn on_loopback<'a>(all: &[&'a Listen]) -> Option<&'a Listen> {
    let is_it = |listen: &&Listen| matches!(listen.interface, Interface::One(IpAddr::V4(one)) if one.is_loopback());
    all.iter().copied().find(is_it)
}

fn is_for_ipv4(interface: &Interface) -> bool {
    match interface {
        Interface::EveryIpv6 => false,
        Interface::One(address) => address.is_ipv4() && !address.is_loopback(),
        Interface::EveryIpv4 | Interface::Every | Interface::Named(_) => true,
    }
}

fn is_for_ipv6(interface: &Interface) -> bool {
    match interface {
        Interface::EveryIpv4 => false,
        Interface::One(address) => address.is_ipv6() && !address.is_loopback(),
        Interface::EveryIpv6 | Interface::Every | Interface::Named(_) => true,
    }
}

fn loopback(observer: &Observer, listen: &Listen) -> Finding {
    CHECK
        .finding(format!("port {} is open on this machine's loopback alone", listen.port))
        .expected("a port that clients from outside can reach")
        .actual(observer.facts().written(&listen.location))
        .at(listen.location.clone())
        .fix(Fix::replace(listen.location.clone(), on(observer, listen, &listen.port.to_string())))
}

fn ipv6_alone(observer: &Observer, listen: &Listen) -> Finding {
    let line = on(observer, listen, &listen.port.to_string());
    let fix = match listen.interface.is_public() {
        true => Fix::insert_before(listen.location.clone(), line),
        false => Fix::replace(listen.location.clone(), line),
    };
    CHECK
        .finding(format!("port {} is closed to clients that come by IPv4", listen.port))
        .expected("a port that is open by IPv4 too")
        .actual(observer.facts().written(&listen.location))
        .at(listen.location.clone())
        .fix(fix)
}

fn ipv4_alone(observer: &Observer, listen: &Listen) -> Finding {
    let location = listen.location.clone();
    // A server without `listen` has no line to write another one beside.
    let written = on(observer, listen, &format!("[::]:{}", listen.port));
    let fix = match observer.facts().server().location == location {
        true => Fix::insert_into(location.clone(), format!("listen {}; {written}", listen.port)),
        false => Fix::insert_after(location.clone(), written),
    };
    CHECK
        .finding(format!("port {} is closed to clients that come by IPv6", listen.port))
        .at_level(Level::Note)
        .expected("a port that is open by IPv6 too, if the name has an IPv6 address")
        .actual(observer.facts().written(&location))
        .at(location)
        .fix(fix)
}

/// Whether a parameter of `listen` is about what is spoken and by whom, not about the socket.
pub(super) fn is_of_a_server(parameter: &str) -> bool {
    matches!(parameter, "ssl" | "http2" | "proxy_protocol" | "default_server" | "default")
}

/// The `listen` line for another address, with all that is said behind the old one.
fn on(observer: &Observer, listen: &Listen, place: &str) -> String {
    let nginx = &observer.facts().deployment.nginx;
    let directive = nginx.at(&listen.location).filter(|directive| directive.is("listen"));
    let args = |directive: &Directive| -> String {
        // The socket's own settings can be said once alone.
        let kept = directive.args.iter().skip(1).filter(|arg| is_of_a_server(&arg.text));
        kept.map(|arg| format!(" {}", arg.text)).collect()
    };
    let parameters = directive.map_or_else(|| if listen.ssl { " ssl".to_owned() } else { String::new() }, args);
    format!("listen {place}{parameters};")
}
