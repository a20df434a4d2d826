//! What stands between a check and what it asks about. It is skipped then: another check says what is wrong.

use super::Skip;
use crate::observe::{Failure, FailureKind, Observer, Seen};

/// Served below the route prefix by every Prometheus since 2.14, and by nothing else.
pub(super) const PROBE: &str = "/api/v1/status/buildinfo";

/// Whether an answer to [`PROBE`] is Prometheus's own.
pub(super) fn is_prometheus(seen: &Seen) -> bool {
    seen.status == 200 && seen.media_type() == "application/json"
}

/// Whether nginx keeps this client from seeing what is behind it.
pub(super) fn get_past(seen: &Seen) -> Result<(), Skip> {
    match seen.status {
        401 => Err(Skip("nginx asks for credentials that this client does not have (401)".to_owned())),
        403 => Err(Skip("nginx forbids it to this client (403)".to_owned())),
        502..=504 => Err(Skip(format!("nginx does not reach Prometheus ({}): see upstream-answers", seen.status))),
        _ => Ok(()),
    }
}

/// As [`get_past`]; and where all of Prometheus is missed for one reason, one check says so for all.
pub(super) async fn get_through(observer: &Observer, seen: &Seen) -> Result<(), Skip> {
    get_past(seen)?;
    if seen.status == 404 { need_prometheus(observer).await } else { Ok(()) }
}

/// Whether Prometheus is where clients look for it.
pub(super) async fn need_prometheus(observer: &Observer) -> Result<(), Skip> {
    let probe = observer.get(PROBE).await?;
    match is_prometheus(&probe) || get_past(&probe).is_err() {
        true => Ok(()),
        false => Err(Skip("Prometheus is not found below the prefix: see prefix-stripped-once".to_owned())),
    }
}

/// Whether a port that should speak TLS does.
pub(super) fn need_tls(observer: &Observer) -> Result<(), Skip> {
    observer.unverified().as_ref().map(|_| ()).map_err(|failure| Skip::from(failure.clone()))
}

impl From<Failure> for Skip {
    fn from(failure: Failure) -> Self {
        Self(match failure.kind {
            FailureKind::Tls => "no TLS handshake succeeds: see insecure-still-encrypted".to_owned(),
            FailureKind::NotTls => "the port does not speak TLS: see tls-enforced".to_owned(),
            _ => format!("no answer: {failure}"),
        })
    }
}
