//! A client that verifies nothing is still encrypted, and served.

use super::super::{Answer, Check, Skip, Turn};
use crate::finding::{Finding, Level};
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
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let asked = observer.insecure().ask(reqwest::Method::GET, observer.url("/-/ready"), &[]).await;
    let failure = match (observer.unverified(), asked) {
        (Err(failure), _) if failure.kind == FailureKind::Tls => failure.to_string(),
        (Err(failure), _) => return Err(Skip::from(failure.clone())),
        (Ok(_), Err(failure)) => failure.to_string(),
        (Ok(handshake), Ok(_)) if handshake.version == "unknown" => "an unknown TLS version".to_owned(),
        (Ok(_), Ok(_)) => return Ok(Vec::new()),
    };
    Ok(vec![finding(observer, failure)])
}

fn finding(observer: &Observer, actual: String) -> Finding {
    CHECK
        .finding("not even a client that verifies nothing gets an answer over TLS")
        .expected("a TLS 1.2 or 1.3 handshake and an HTTP answer")
        .actual(actual)
        .at(observer.facts().server().location.clone())
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl_insecurely(&observer.url("/-/ready")))
}
