//! Every redirect stays on https, the public name and the prefix.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Url;
use reqwest::header::LOCATION;

use super::super::obstacle::{get_through, need_prometheus};
use super::super::{Answer, Check, Turn, View};
use super::leaving::{self, Leaving};
use crate::finding::{Finding, Fix, Level};
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
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_prometheus(observer).await?;
    let mut answers = Vec::new();
    let mut unseen = None;
    for seen in join_all(PATHS.iter().map(|path| observer.get(path))).await {
        let seen = seen?;
        match get_through(observer, &seen).await {
            Ok(()) => answers.push(seen),
            Err(skip) => unseen = unseen.or(Some(skip)),
        }
    }
    // Some of these may be closed on purpose; where all are, nothing was asked.
    if let Some(skip) = unseen.filter(|_| answers.is_empty()) {
        return Err(skip);
    }
    let mut leaving: Vec<Leaving<'_>> = answers.iter().filter_map(|seen| Leaving::of(observer, seen)).collect();
    let profiler = observer.get(PROFILER).await?;
    let of_profiler = Leaving::of(observer, &profiler).filter(|own| !leaving.iter().any(|known| known.is_like(own)));
    let mut findings = Vec::new();
    while let Some(first) = leaving.first() {
        let alike: Vec<&Leaving<'_>> = leaving.iter().filter(|other| other.is_like(first)).collect();
        findings.extend(Leaving::finding(&CHECK, observer, &alike, fix(observer, first.what)));
        let (what, place) = (first.what, first.place.clone());
        leaving.retain(|other| other.what != what || other.place != place);
    }
    let note = of_profiler.and_then(|own| Leaving::finding(&CHECK, observer, &[&own], keep_the_prefix(observer)));
    findings.extend(note.map(|note| note.at_level(Level::Note)));
    findings.extend(made_absolute(observer, &answers));
    Ok(findings)
}

/// With a proxy_redirect of paths nginx makes redirects absolute, by the port that it listens on: behind a mapped port, or
/// another that ends TLS, they lead elsewhere.
fn made_absolute(observer: &Observer, answers: &[Arc<Seen>]) -> Option<Finding> {
    let absolute = |seen: &&Arc<Seen>| seen.header(LOCATION).is_some_and(|location| location.starts_with("http"));
    let seen = answers.iter().filter(absolute).find(|seen| observer.is_inside(&seen.url))?;
    let facts = observer.facts();
    let rewriting = facts.in_force(seen.url.path(), "proxy_redirect").into_iter();
    let rewriting = rewriting.into_iter().find(|own| own.arg(1).is_some_and(|to| to.starts_with('/')))?;
    let finding = CHECK
        .finding("proxy_redirect makes redirects absolute, with the port that nginx listens on")
        .at_level(Level::Note)
        .expected("a path, as Prometheus sends it: it is right behind every port and name")
        .actual(seen.summary())
        .at(rewriting.location.clone())
        .fix(Fix::insert_after(rewriting.location.clone(), "absolute_redirect off;"))
        .shown_by(observer.shell().curl(seen));
    Some(finding)
}

/// What lets redirects stay below the prefix. Another scheme or name in them is not Prometheus's: its own are paths.
fn fix(observer: &Observer, what: &str) -> String {
    let (facts, route) = (observer.facts(), observer.route());
    let knows_prefix = facts
        .prometheus()
        .external_url()
        .is_some_and(|known| Url::parse(known).is_ok_and(|known| known.path().trim_end_matches('/') == route.prefix));
    if what == leaving::THE_PREFIX && !knows_prefix {
        let stripped = if route.strips_prefix() { " --web.route-prefix=/" } else { "" };
        format!("start Prometheus with --web.external-url={}{stripped}", observer.url(""))
    } else if what == leaving::THE_PREFIX && route.strips_prefix() {
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
