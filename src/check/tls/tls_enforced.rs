//! The TLS port speaks TLS, and nothing else.

use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Level};
use crate::observe::{Failure, FailureKind, Observer, PlainAnswer, plain_http};

pub(crate) static CHECK: Check = Check {
    id: "tls-enforced",
    level: Level::Error,
    what: "The port that clients use speaks TLS, and plain HTTP sent to it gets no content.",
    why: "Without TLS everybody on the way reads queries, results and passwords. `ssl` missing from one `listen` line is \
          enough: nginx starts without a word and answers in plain text on port 443.",
    fix: "Write `listen 443 ssl;` in the server that serves Prometheus, with `ssl_certificate` and `ssl_certificate_key`.",
    source: "https://nginx.org/en/docs/http/configuring_https_servers.html",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let route = observer.route();
    let path = format!("{}/api/v1/status/buildinfo", route.prefix);
    let address = observer.address();
    let plain = plain_http(address, &route.server_name, &path).await;
    let content = plain.as_ref().ok().filter(|answer| answer.status.is_some_and(|status| status < 300));
    let mut findings = Vec::new();
    if let Some(answer) = content {
        findings.push(in_plain_text(observer, answer));
    } else if let Err(failure) = observer.unverified() {
        match failure.kind {
            FailureKind::Timeout => return Err(Skip(format!("port {} does not answer: {failure}", route.port))),
            // It speaks TLS: insecure-still-encrypted says what is wrong with the handshake.
            FailureKind::Tls => {}
            _ => findings.push(no_handshake(observer, failure)),
        }
    }
    Ok(findings)
}

fn in_plain_text(observer: &Observer, answer: &PlainAnswer) -> Finding {
    let route = observer.route();
    let first = answer.text.lines().next().unwrap_or_default();
    CHECK
        .finding(format!("Prometheus is served in plain text on port {}", route.port))
        .expected("no content without TLS: nginx's 400, a redirect to https, or a closed connection")
        .actual(format!("{first}, with content"))
        .at(observer.facts().listen_place())
        .fix(fix(observer))
        .shown_by(observer.shell().curl_get(&plain_url(observer)))
}

fn no_handshake(observer: &Observer, failure: &Failure) -> Finding {
    let route = observer.route();
    CHECK
        .finding(format!("port {} does not speak TLS", route.port))
        .expected("a handshake, whatever the certificate is")
        .actual(failure.to_string())
        .at(observer.facts().listen_place())
        .fix(CHECK.fix)
        .shown_by(observer.shell().s_client(&route.server_name, route.port))
}

fn fix(observer: &Observer) -> String {
    let port = observer.route().port;
    match observer.facts().server().certificates.is_empty() || port == 80 {
        true => CHECK.fix.to_owned(),
        false => format!("listen {port} ssl;"),
    }
}

fn plain_url(observer: &Observer) -> reqwest::Url {
    let mut url = observer.url("/api/v1/status/buildinfo");
    let port = observer.route().port;
    // Both are valid for an http URL; a URL that can't take them stays as it is.
    let _ = url.set_scheme("http");
    let _ = url.set_port(Some(port));
    url
}
