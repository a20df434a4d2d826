//! Every redirect stays on https, the public name and the prefix.

use futures_util::future::join_all;
use reqwest::Url;

use super::super::obstacle::get_through;
use super::super::{Answer, Check, Turn};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

/// Pages, API and health endpoints of every Prometheus since 2.24.
const PATHS: &[&str] = &[
    "/graph",
    "/query",
    "/alerts",
    "/status",
    "/flags",
    "/config",
    "/rules",
    "/targets",
    "/service-discovery",
    "/tsdb-status",
    "/agent",
    "/version",
    "/new/graph",
    "/classic/graph",
    "/classic",
    "/consoles/",
    "/static/",
    "/favicon.ico",
    "/metrics",
    "/federate?match[]=up",
    "/api/v1/query?query=up",
    "/api/v1/targets",
    "/api/v1/status/buildinfo",
    "/-/healthy",
    "/-/ready",
];

/// Go's profiler redirects to its own path without asking Prometheus for the prefix.
const PROFILER: &str = "/debug/pprof";

const LEAVES_THE_PREFIX: &str = "leaves the prefix";

pub(crate) static CHECK: Check = Check {
    id: "prefix-redirects",
    level: Level::Error,
    what: "Every redirect of pages, API and health endpoints stays on https, the public name and the prefix.",
    why: "A redirect out of the prefix ends in a 404 or on another site, for bookmarks, links in alerts and health probes; \
          one to http or to another name leaks the request or fails.",
    fix: "Do not strip the prefix: `location /PREFIX/ { proxy_pass http://HOST:9090; }` without a path, and Prometheus \
          without --web.route-prefix=/, so that it knows the prefix in every redirect.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_redirect; prometheus/prometheus#3082, #9585",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let mut findings = Vec::new();
    let mut unseen = None;
    let mut saw_any = false;
    for seen in join_all(PATHS.iter().map(|path| observer.get(path))).await {
        let seen = seen?;
        match get_through(observer, &seen).await {
            Ok(()) => saw_any = true,
            Err(skip) => unseen = unseen.or(Some(skip)),
        }
        findings.extend(finding(observer, &seen));
    }
    // Some of these may be closed on purpose; where all are, nothing was asked.
    if let Some(skip) = unseen.filter(|_| !saw_any) {
        return Err(skip);
    }
    let profiler = observer.get(PROFILER).await?;
    let note = finding(observer, &profiler).map(|finding| finding.at_level(Level::Note).fix(keep_the_prefix(observer)));
    findings.extend(note);
    Ok(findings)
}

fn finding(observer: &Observer, seen: &Seen) -> Option<Finding> {
    let target = seen.redirect()?;
    let public = observer.url("/");
    let wrong = if target.scheme() != public.scheme() {
        "leaves https"
    } else if !observer.is_ours(&target) {
        "leaves the public name"
    } else if !observer.is_inside(&target) {
        LEAVES_THE_PREFIX
    } else {
        return None;
    };
    let finding = CHECK
        .finding(format!("the redirect of {} {wrong}", seen.url.path()))
        .expected(format!("a redirect that stays below {public}"))
        .actual(seen.summary())
        .at(observer.facts().pass_place(seen.url.path()))
        .fix(fix(observer, wrong))
        .shown_by(observer.shell().curl(seen));
    Some(finding)
}

/// What lets redirects stay below the prefix. Another scheme or name in them is not Prometheus's: its own are paths.
fn fix(observer: &Observer, wrong: &str) -> String {
    let (facts, route) = (observer.facts(), observer.route());
    let knows_prefix = facts
        .prometheus()
        .external_url()
        .is_some_and(|known| Url::parse(known).is_ok_and(|known| known.path().trim_end_matches('/') == route.prefix));
    if wrong == LEAVES_THE_PREFIX && !knows_prefix {
        let stripped = if route.strips_prefix() { " --web.route-prefix=/" } else { "" };
        format!("start Prometheus with --web.external-url={}{stripped}", observer.url(""))
    } else if wrong == LEAVES_THE_PREFIX && route.strips_prefix() {
        keep_the_prefix(observer)
    } else {
        "let the return, rewrite or proxy_redirect that makes this redirect name the public URL, or remove it"
            .to_owned()
    }
}

fn keep_the_prefix(observer: &Observer) -> String {
    format!(
        "proxy_pass {}; (no path: the prefix stays), and start Prometheus with --web.external-url={} and without \
         --web.route-prefix=/, so that it serves {}/ itself",
        observer.facts().pass_without_path(),
        observer.url(""),
        observer.route().prefix
    )
}
