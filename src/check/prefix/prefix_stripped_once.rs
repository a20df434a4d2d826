//! What nginx passes on is what Prometheus serves.

use super::super::obstacle::{PROBE, get_past, is_prometheus};
use super::super::{Answer, Check, Turn};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "prefix-stripped-once",
    level: Level::Error,
    what: "The prefix is taken off exactly once: by nginx (a path in proxy_pass) or by Prometheus (its route prefix), not \
           by both and not by neither.",
    why: "Stripped by neither, Prometheus answers 404 to everything. Stripped by both, only the doubled prefix works. The \
          one slash at the end of proxy_pass decides.",
    fix: "Either `proxy_pass http://HOST:9090/;` with --web.route-prefix=/, or `proxy_pass http://HOST:9090;` without it.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass; \
             https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (--web.route-prefix)",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let seen = observer.get(PROBE).await?;
    get_past(&seen)?;
    let prefix = &observer.route().prefix;
    let mut findings = Vec::new();
    if !is_prometheus(&seen) {
        let doubled = observer.get(&format!("{prefix}{PROBE}")).await?;
        let wrong = match is_prometheus(&doubled) {
            true => "the prefix is taken off twice",
            false if prefix.is_empty() => "Prometheus does not serve at the root",
            false => "the prefix is not taken off as Prometheus expects",
        };
        findings.push(finding(observer, &seen, wrong));
    } else if !prefix.is_empty() {
        let doubled = observer.get(&format!("{prefix}{PROBE}")).await?;
        if is_prometheus(&doubled) {
            findings.push(
                finding(observer, &doubled, "the prefix is taken off as often as it comes").at_level(Level::Warning),
            );
        }
    }
    Ok(findings)
}

fn finding(observer: &Observer, seen: &Seen, wrong: &str) -> Finding {
    let route = observer.route();
    let serves = format!("{}/", observer.facts().prometheus().route_prefix());
    let passes = if route.upstream_path != format!("{}/", route.prefix) {
        format!("nginx replaces {}/ by {}", route.prefix, route.upstream_path)
    } else {
        "nginx passes the path as it is".to_owned()
    };
    CHECK
        .finding(wrong)
        .expected(format!("{} answers with Prometheus's JSON", seen.url.path()))
        .actual(format!("{}; {passes}, and Prometheus serves below {serves}", seen.summary()))
        .at(observer.facts().pass_place(seen.url.path()))
        .fix(fix(observer, &serves))
        .shown_by(observer.shell().curl(seen))
}

/// The proxy_pass that fits the route prefix that Prometheus has.
fn fix(observer: &Observer, serves: &str) -> String {
    let keeps = serves.strip_suffix('/') == Some(&observer.route().prefix);
    let path = if keeps { "" } else { serves };
    let pass = observer.facts().pass_without_path();
    format!("proxy_pass {pass}{path}; (or start Prometheus with another --web.route-prefix)")
}
