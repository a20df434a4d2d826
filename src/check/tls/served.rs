//! The certificates that are served, or why there are none to look at.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::Skip;
use super::super::obstacle::need_tls;
use crate::finding::Finding;
use crate::observe::{Certificate, FailureKind, Observer};

/// The certificates that the server shows for the public name, its own first.
pub(super) fn chain(observer: &Observer) -> Result<Vec<Certificate>, Skip> {
    need_tls(observer)?;
    let shown = observer.certificates();
    match shown.is_empty() {
        true => Err(Skip("the certificate can't be parsed".to_owned())),
        false => Ok(shown),
    }
}

/// Whether the port speaks TLS at all, whatever the handshake comes to.
pub(super) fn need_tls_port(observer: &Observer) -> Result<(), Skip> {
    match observer.unverified() {
        Err(failure) if failure.kind != FailureKind::Tls => Err(Skip::from(failure.clone())),
        _ => Ok(()),
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Lets a finding about the certificate point to its line and show the handshake.
pub(super) fn at_certificate(observer: &Observer, finding: Finding) -> Finding {
    let route = observer.route();
    let facts = observer.facts();
    let front = facts.tls_front().and_then(|_| facts.tls_in_force("ssl_certificate").first().copied());
    let place = front.map(|directive| directive.location.clone()).or_else(|| facts.certificate_place());
    finding.at(place).shown_by(observer.shell().s_client(&route.server_name, route.port))
}
