//! Port 80 is closed, or leads to https.

use super::super::{Answer, Check, Turn};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

/// A page with a query, to see whether both survive the redirect.
const PAGE: &str = "/graph?g0.expr=up&g0.tab=1";

pub(crate) static CHECK: Check = Check {
    id: "plaintext-port",
    level: Level::Error,
    what: "Port 80 is closed, or redirects to https with host, path and query kept, and never serves content.",
    why: "A second server or a missing redirect serves Prometheus, and any password, in the clear beside the encrypted \
          port. A redirect that drops path or query breaks every link that was written with http.",
    fix: "server { listen 80; server_name example.com; return 301 https://$host$request_uri; }",
    source: "https://nginx.org/en/docs/http/converting_rewrite_rules.html; RFC 6797, section 7.2",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let mut url = observer.url(PAGE);
    // Both are valid for an https URL; the default port of http is 80.
    let _ = url.set_scheme("http");
    let _ = url.set_port(None);
    let Ok(seen) = observer.http().ask(reqwest::Method::GET, url, &[]).await else {
        // Closed, or closed without an answer (`return 444`).
        return Ok(Vec::new());
    };
    let wanted = observer.url(PAGE);
    let finding = match (seen.status, seen.redirect()) {
        (200..300, _) => content(observer, &seen),
        (300..400, Some(target)) if target == wanted => return Ok(Vec::new()),
        (300..400, Some(target)) if target.scheme() != "https" => elsewhere(observer, &seen, "stays on plain HTTP"),
        (300..400, Some(target)) if target.host() != wanted.host() || target.port() != wanted.port() => {
            elsewhere(observer, &seen, "leads to another name or port")
        }
        (300..400, _) => elsewhere(observer, &seen, "loses the path or the query").at_level(Level::Warning),
        // Refused, and nothing shown.
        _ => return Ok(Vec::new()),
    };
    Ok(vec![finding.shown_by(observer.shell().curl(&seen))])
}

fn content(observer: &Observer, seen: &Seen) -> Finding {
    CHECK
        .finding("port 80 serves content without encryption")
        .expected("a closed port, or a redirect to https")
        .actual(seen.summary())
        .at(observer.deployment().plain_listen_place())
        .fix(fix(observer))
}

fn elsewhere(observer: &Observer, seen: &Seen, what: &str) -> Finding {
    CHECK
        .finding(format!("the redirect of port 80 {what}"))
        .expected(format!("301 to {}", observer.url(PAGE)))
        .actual(seen.summary())
        .at(observer.deployment().plain_listen_place())
        .fix(fix(observer))
}

fn fix(observer: &Observer) -> String {
    let name = &observer.route().server_name;
    let port = observer.route().port;
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    format!("server {{ listen 80; server_name {name}; return 301 https://$host{port}$request_uri; }}")
}
