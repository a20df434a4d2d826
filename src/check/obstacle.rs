//! What stands between a check and what it asks about. It is skipped then: another check says what is wrong.

use super::Skip;
use crate::observe::{BUILD, Failure, FailureKind, Observer, Seen};

/// Served below the route prefix by every Prometheus since 2.14, and by nothing else.
pub(super) const PROBE: &str = BUILD;

/// nginx's words for a client whose certificate is missing, or not one that it knows.
const NO_CERTIFICATE: [&str; 2] = ["No required SSL certificate was sent", "The SSL certificate error"];

/// rustls's word for the alert of a server that wants a certificate: RFC 8446, section 6.2.
pub(super) const CERTIFICATE_REQUIRED: &str = "CertificateRequired";

/// Whether an answer to [`PROBE`] is Prometheus's own, whatever type somebody has given it: see content-type.
pub(super) fn is_prometheus(seen: &Seen) -> bool {
    is_of_the_api(seen) && seen.text().contains("\"goVersion\"")
}

/// Whether an answer is one that Prometheus's API gives when it did what it was asked.
pub(super) fn is_of_the_api(seen: &Seen) -> bool {
    seen.status == 200 && seen.text().contains("\"status\":\"success\"")
}

/// What of Prometheus is below the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// All of it, or this client is kept from seeing whether.
    Prometheus,
    /// Its health endpoint is, and another application has its API.
    WithoutApi,
    /// Nothing.
    Nothing,
}

/// What of Prometheus is where clients look for it.
pub(super) async fn below_the_prefix(observer: &Observer) -> Result<Below, Skip> {
    let probe = observer.get(PROBE).await?;
    need_no_login(observer, &probe)?;
    if is_prometheus(&probe) || get_past(&probe).is_err() {
        return Ok(Below::Prometheus);
    }
    let health = observer.get("/-/healthy").await?;
    // "Prometheus is Healthy.", since 2.35 "Prometheus Server is Healthy."
    let is_healthy = health.status == 200 && health.text().starts_with("Prometheus");
    Ok(if is_healthy { Below::WithoutApi } else { Below::Nothing })
}

/// Whether nginx keeps this client from seeing what is behind it, or hands it what it can't read.
pub(super) fn get_past(seen: &Seen) -> Result<(), Skip> {
    get_in(seen)?;
    match seen.header(reqwest::header::CONTENT_ENCODING) {
        None | Some("identity" | "") => Ok(()),
        Some(_) => Err(Skip("what this client did not ask for comes compressed: see metrics-compression".to_owned())),
    }
}

/// Whether nginx keeps this client from seeing what is behind it.
pub(super) fn get_in(seen: &Seen) -> Result<(), Skip> {
    match seen.status {
        400 if NO_CERTIFICATE.iter().any(|words| seen.text().contains(words)) => {
            Err(Skip("nginx asks for a certificate that this client does not have (400)".to_owned()))
        }
        400 if is_refused_by_go(seen) => Err(Skip(
            "what is behind nginx refuses the request as nginx passes it on (400): see upstream-answers".to_owned(),
        )),
        401 => Err(Skip("nginx asks for credentials that this client does not have (401)".to_owned())),
        403 => Err(Skip("nginx forbids it to this client (403)".to_owned())),
        429 => Err(Skip("nginx limits how much a client may ask (429): see page-load".to_owned())),
        503 if seen.media_type() == "text/html" => {
            Err(Skip("nginx turns requests away (503): see page-load".to_owned()))
        }
        502..=504 => Err(Skip(format!("nginx does not reach Prometheus ({}): see upstream-answers", seen.status))),
        _ => Ok(()),
    }
}

/// Whether Go's HTTP server takes a request for none, before Prometheus sees it: two `Host` lines, or one that is no name.
pub(super) fn is_refused_by_go(seen: &Seen) -> bool {
    seen.status == 400 && seen.media_type() == "text/plain" && seen.text().starts_with("400 Bad Request")
}

/// As [`get_past`]; and where all of Prometheus is missed for one reason, one check says so for all.
pub(super) async fn get_through(observer: &Observer, seen: &Seen) -> Result<(), Skip> {
    get_past(seen)?;
    if seen.status == 404 { need_prometheus(observer).await } else { Ok(()) }
}

/// Whether a client is asked on another site who it is. Where the configuration is known, so is what redirects.
pub(super) fn need_no_login(observer: &Observer, probe: &Seen) -> Result<(), Skip> {
    let other = probe.redirect().filter(|target| !observer.sees_inside() && target.host() != probe.url.host());
    match other {
        Some(target) => {
            Err(Skip(format!("the server sends clients to {} first", target.origin().ascii_serialization())))
        }
        None => Ok(()),
    }
}

/// Whether Prometheus is where clients look for it.
pub(super) async fn need_prometheus(observer: &Observer) -> Result<(), Skip> {
    match below_the_prefix(observer).await? {
        Below::Prometheus | Below::WithoutApi => Ok(()),
        Below::Nothing => Err(Skip("Prometheus is not found below the prefix: see prefix-stripped-once".to_owned())),
    }
}

/// A query whose answer tells what Prometheus got: the value of its label `proof` is [`PROOF`], its time is [`PROOF_TIME`].
pub(super) const ARGUMENTS: &str = "/api/v1/query?query=label_replace%28vector%281%29%2C%22proof%22%2C%22a%2Fb%26c%2Bd%25e%20%C3%BC%22%2C%22%22%2C%22%22%29\
                                    &time=1700000000";
/// The label that Prometheus has to answer with.
pub(super) const PROOF: &str = "a/b&c+d%e \u{fc}";
/// The time that Prometheus has to answer with.
pub(super) const PROOF_TIME: f64 = 1_700_000_000.0;

/// Whether Prometheus answers this client where clients look for it.
pub(super) async fn need_answers(observer: &Observer) -> Result<(), Skip> {
    get_past(&*observer.get(PROBE).await?)?;
    need_prometheus(observer).await?;
    match below_the_prefix(observer).await? {
        Below::WithoutApi => Err(Skip("the API is another application's: see api-query".to_owned())),
        Below::Prometheus | Below::Nothing => Ok(()),
    }
}

/// Whether the query of a URL reaches Prometheus at all.
pub(super) async fn need_arguments(observer: &Observer) -> Result<(), Skip> {
    need_answers(observer).await?;
    let seen = observer.get(ARGUMENTS).await?;
    get_past(&seen)?;
    match seen.status == 400 && seen.media_type() == "application/json" {
        true => Err(Skip("the query of a URL does not reach Prometheus: see prefix-arguments".to_owned())),
        false => Ok(()),
    }
}

/// Whether queries are answered at all, by GET as every page asks.
pub(super) async fn need_queries(observer: &Observer) -> Result<(), Skip> {
    need_arguments(observer).await?;
    let seen = observer.get("/api/v1/query?query=vector(1)").await?;
    match seen.text().contains("\"success\"") {
        true => Ok(()),
        false => Err(Skip("queries are not answered: see api-query".to_owned())),
    }
}

/// Whether an answer is one of a program written in Go, as Prometheus is, and not of nginx: their 400, 404 and redirects
/// differ.
pub(super) fn is_of_go(seen: &Seen) -> bool {
    let text = seen.text();
    let of_go = ["404 page not found", "400 Bad Request"].iter().any(|own| text.starts_with(own));
    let moved = (300..400).contains(&seen.status) && text.starts_with("<a href=");
    (seen.media_type() == "text/plain" && of_go) || moved || is_of_the_api(seen)
}

/// Whether a port that should speak TLS does.
pub(super) fn need_tls(observer: &Observer) -> Result<(), Skip> {
    observer.unverified().as_ref().map(|_| ()).map_err(|failure| Skip::from(failure.clone()))
}

impl From<Failure> for Skip {
    fn from(failure: Failure) -> Self {
        Self(match failure.kind {
            FailureKind::Tls if failure.message.contains(CERTIFICATE_REQUIRED) => {
                "the server asks for a certificate that this client does not have".to_owned()
            }
            FailureKind::Tls => "no TLS handshake succeeds: see insecure-still-encrypted".to_owned(),
            FailureKind::NotTls => "the port does not speak TLS: see tls-enforced".to_owned(),
            _ => format!("no answer: {failure}"),
        })
    }
}
