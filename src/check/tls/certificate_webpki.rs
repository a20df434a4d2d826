//! Clients that are stricter than curl take the certificate too.

use super::super::{Answer, Check, Turn, View};
use super::served::{at_certificate, chain};
use crate::finding::{Finding, Level};
use crate::observe::{Certificate, Observer};

pub(crate) static CHECK: Check = Check {
    id: "certificate-webpki",
    level: Level::Warning,
    what: "Clients that follow the web's rules (Go: Prometheus and Grafana; rustls) take the certificate: it has a \
           subjectAltName, it is no authority's, and it is of version 3.",
    why: "curl with OpenSSL takes a certificate that names its host in the common name alone, or that `openssl req -x509` \
          marked as an authority's (CA:TRUE). Prometheus's federation and remote write, Grafana and every client in Rust \
          refuse one or the other, so that what works in a terminal fails in production.",
    fix: "openssl req -x509 -newkey rsa:4096 -nodes -keyout example.com.key -out example.com.crt -days 365 \
          -subj /CN=example.com -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:example.com",
    source: "RFC 9525, section 6.3; prometheus/prometheus#8260; https://docs.rs/rustls-webpki (CaUsedAsEndEntity)",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let leaf = chain(observer)?.swap_remove(0);
    let name = &observer.route().server_name;
    let fix = CHECK.fix.replace("example.com", name);
    Ok(faults(&leaf).map(|finding| at_certificate(observer, finding.fix(fix.clone()))).collect())
}

fn faults(leaf: &Certificate) -> impl Iterator<Item = Finding> {
    let fault = |is_there: bool, message: &str, expected: &str, actual: &str| {
        is_there.then(|| CHECK.finding(message).expected(expected).actual(actual))
    };
    let faults = [
        fault(
            !leaf.has_alternative_names,
            "clients written in Go or Rust refuse the certificate: it has no subjectAltName",
            "the names in subjectAltName",
            "names in the common name alone",
        ),
        fault(
            leaf.is_ca,
            "clients written in Rust refuse the certificate: it is an authority's",
            "basicConstraints CA:FALSE",
            "basicConstraints CA:TRUE",
        ),
        fault(
            leaf.version < 3,
            "clients written in Rust refuse the certificate: its format is too old",
            "an X.509 certificate of version 3",
            "one of version 1 or 2, which has no extensions",
        ),
    ];
    // An old format has no extensions: one fault, said once.
    let old = leaf.version < 3;
    faults.into_iter().enumerate().filter(move |(index, _)| !old || *index == 2).filter_map(|(_, fault)| fault)
}
