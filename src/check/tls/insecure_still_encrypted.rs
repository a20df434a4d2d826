//! A client that verifies nothing is still encrypted, and served.

use super::super::obstacle::CERTIFICATE_REQUIRED;
use super::super::{Answer, Check, Skip, Turn, View};
use super::in_force::Directives;
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{FailureKind, Observer};

pub(crate) static CHECK: Check = Check {
    id: "insecure-still-encrypted",
    level: Level::Error,
    what: "A client that verifies nothing, as `curl -k`, is still encrypted with TLS 1.2 or later and gets an answer.",
    why: "`curl -k` is what people try first with a self-signed certificate. If even that gets no answer, the fault is not \
          the certificate but the handshake: protocols or ciphers that no client has, or a server that rejects all names.",
    fix: "Remove `ssl_reject_handshake on;` from the server of the public name, and let ssl_protocols and ssl_ciphers name \
          what clients have: `ssl_protocols TLSv1.2 TLSv1.3;`.",
    source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let asked = observer.insecure().ask(reqwest::Method::GET, observer.url("/-/ready"), &[]).await;
    let failure = match (observer.unverified(), asked) {
        (Err(failure), _) if failure.message.contains(CERTIFICATE_REQUIRED) => return Err(Skip::from(failure.clone())),
        (Err(failure), _) if failure.kind == FailureKind::Tls => failure.to_string(),
        (Err(failure), _) => return Err(Skip::from(failure.clone())),
        (Ok(_), Err(failure)) if failure.message.contains(CERTIFICATE_REQUIRED) => return Err(Skip::from(failure)),
        (Ok(_), Err(failure)) => failure.to_string(),
        (Ok(handshake), Ok(_)) if handshake.version == "unknown" => "an unknown TLS version".to_owned(),
        (Ok(_), Ok(_)) => return Ok(Vec::new()),
    };
    Ok(vec![finding(observer, failure)])
}

fn finding(observer: &Observer, actual: String) -> Finding {
    let (place, fix) = cause(observer, &actual);
    CHECK
        .finding("not even a client that verifies nothing gets an answer over TLS")
        .expected("a TLS 1.2 or 1.3 handshake and an HTTP answer")
        .actual(actual)
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl_insecurely(&observer.url("/-/ready")))
}

/// The directive that the server's alert is about, where one is written.
fn cause(observer: &Observer, actual: &str) -> (Location, Fix) {
    const ALERTS: [(&str, &str, &str); 3] = [
        ("ProtocolVersion", "ssl_protocols", "ssl_protocols TLSv1.2 TLSv1.3;"),
        ("HandshakeFailure", "ssl_ciphers", "ssl_ciphers HIGH:!aNULL:!MD5;"),
        ("UnrecognisedName", "ssl_reject_handshake", "ssl_reject_handshake off;"),
    ];
    let written = ALERTS.iter().find(|(alert, ..)| actual.contains(alert)).and_then(|(_, name, instead)| {
        let directives = Directives::of(observer, name);
        // The protocols of the default server count, the rest is the server's own.
        let directive = if *name == "ssl_protocols" { directives.of_default() } else { directives.own() };
        Some((directive?.location.clone(), *instead))
    });
    match written {
        Some((place, instead)) => (place.clone(), Fix::replace(place, instead)),
        None => (observer.facts().server().location.clone(), CHECK.fix.into()),
    }
}
