//! Port 80 is closed, or leads to https.

use super::super::{Answer, Check, Skip, Turn, View};
use super::plain;
use crate::deployment::Directive;
use crate::deployment::settings::Port80;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Failure, FailureKind, Observer, Seen};

/// A page with a query, to see whether both survive the redirect.
const PAGE: &str = "/graph?g0.expr=up&g0.tab=1";

pub(crate) static CHECK: Check = Check {
    id: "plaintext-port",
    level: Level::Error,
    what: "Port 80 is closed, or redirects to https with host, path and query kept; neither it nor another port serves \
           Prometheus, or asks for its password, in plain text.",
    why: "A second server or a missing redirect serves Prometheus, and any password, in the clear beside the encrypted \
          port. A redirect that drops path or query breaks every link that was written with http.",
    fix: "server { listen 80; server_name example.com; return 301 https://$host$request_uri; }",
    source: "https://nginx.org/en/docs/http/converting_rewrite_rules.html; RFC 6797, section 7.2",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    if !observer.route().tls {
        return Err(Skip("clients have no encrypted port to be led to: see tls-enforced".to_owned()));
    }
    let mut findings = port_80(observer).await?;
    // A redirect of pages says nothing of a location for the API beside it.
    let done = if findings.is_empty() { Vec::new() } else { vec![80] };
    findings.extend(plain::further_ports(observer, &done).await);
    findings.extend(plain::redirected_elsewhere(observer).await);
    Ok(findings)
}

async fn port_80(observer: &Observer) -> Answer {
    let expected = observer.facts().deployment.settings.expect.port_80;
    let mut url = observer.url(PAGE);
    // Both are valid for an https URL; the default port of http is 80.
    let _ = url.set_scheme("http");
    let _ = url.set_port(None);
    let seen = match observer.http().ask(reqwest::Method::GET, url, &[]).await {
        Ok(seen) => seen,
        Err(failure) if failure.kind == FailureKind::Timeout => return Err(failure.into()),
        // Closed, or closed without an answer (`return 444`).
        Err(failure) if expected == Some(Port80::Redirects) => return Ok(vec![closed(observer, &failure)]),
        Err(_) => return Ok(Vec::new()),
    };
    if expected == Some(Port80::Closed) {
        return Ok(vec![open(observer, &seen, "answers, and proxyproof.toml says that it is closed")]);
    }
    let wanted = observer.url(PAGE);
    let finding = match (seen.status, seen.redirect()) {
        (200..=299, _) => open(observer, &seen, "serves content without encryption"),
        (401, _) => open(observer, &seen, "asks for a password without encryption"),
        (300..=399, Some(target)) if target == wanted => return Ok(Vec::new()),
        (300..=399, Some(target)) if target.scheme() != "https" => elsewhere(observer, &seen, "stays on plain HTTP"),
        (300..=399, Some(target)) if target.host() != wanted.host() || target.port() != wanted.port() => {
            elsewhere(observer, &seen, "leads to another name or port")
        }
        (300..=399, None) => elsewhere(observer, &seen, "leads nowhere: its Location is no URL"),
        (300..=399, _) => elsewhere(observer, &seen, "loses the path or the query").at_level(Level::Warning),
        // Refused, and nothing shown.
        _ => return Ok(Vec::new()),
    };
    Ok(vec![finding.shown_by(observer.shell().curl(&seen))])
}

fn closed(observer: &Observer, failure: &Failure) -> Finding {
    CHECK
        .finding("port 80 is closed, and proxyproof.toml says that it redirects")
        .expected(format!("301 to {}", observer.url(PAGE)))
        .actual(failure.to_string())
        .at(observer.facts().server().location.clone())
        .fix(to_https(observer))
}

fn open(observer: &Observer, seen: &Seen, what: &str) -> Finding {
    CHECK
        .finding(format!("port 80 {what}"))
        .expected("a closed port, or a redirect to https")
        .actual(seen.summary())
        .at(observer.facts().plain_listen_place())
        .fix(to_https(observer))
}

fn elsewhere(observer: &Observer, seen: &Seen, what: &str) -> Finding {
    let maker = maker(observer, seen);
    let rewriting = maker.filter(|maker| matches!(maker.name.as_str(), "return" | "rewrite"));
    let fix = rewriting.map_or_else(
        || Fix::from(to_https(observer)),
        |maker| Fix::replace(maker.location.clone(), redirect(observer, &observer.route().server_name)),
    );
    CHECK
        .finding(format!("the redirect of port 80 {what}"))
        .expected(format!("301 to {}", observer.url(PAGE)))
        .actual(seen.summary())
        .at(maker.map(|maker| maker.location.clone()).or_else(|| observer.facts().plain_listen_place()))
        .fix(fix)
}

/// The directive that makes the redirect, in the server that takes the public name on port 80.
fn maker<'a>(observer: &'a Observer, seen: &Seen) -> Option<&'a Directive> {
    let facts = observer.facts();
    let server = facts.server_for(80, &observer.route().server_name)?;
    let written = seen.header(reqwest::header::LOCATION)?;
    facts.redirect_maker_of(server.index, seen.url.path(), written)
}

/// A server for port 80 that leads to https.
pub(super) fn to_https(observer: &Observer) -> String {
    let name = &observer.route().server_name;
    format!("server {{ listen 80; server_name {name}; {} }}", redirect(observer, "$host"))
}

fn redirect(observer: &Observer, host: &str) -> String {
    let port = observer.route().port;
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    format!("return 301 https://{host}{port}$request_uri;")
}
