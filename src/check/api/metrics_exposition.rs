//! Prometheus's own metrics arrive in the exposition format.

use super::super::obstacle::{get_through, need_prometheus};
use super::super::{Answer, Check, Turn, View};
use super::exposition;
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "metrics-exposition",
    level: Level::Error,
    what: "/metrics below the prefix is Prometheus's exposition format.",
    why: "Another Prometheus that scrapes or federates this one through nginx reads the content type first: since 3.0 it \
          refuses a missing or unknown one, and an error page in its place is a failed scrape.",
    fix: "Let the location pass /metrics to Prometheus like everything else, and let nothing set its Content-Type \
          (default_type, more_set_headers, sub_filter).",
    source: "https://prometheus.io/docs/instrumenting/exposition_formats/",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let seen = observer.get("/metrics").await?;
    get_through(observer, &seen).await?;
    let wrong = if seen.status != 200 { Some(seen.summary()) } else { what_is_wrong_with(&seen.text()) };
    if wrong.is_some() {
        need_prometheus(observer).await?;
    }
    Ok(wrong.map(|wrong| finding(observer, &seen, wrong)).into_iter().collect())
}

fn what_is_wrong_with(text: &str) -> Option<String> {
    match exposition::names(text) {
        Err(error) => Some(error.to_string()),
        Ok(names) if names.contains("prometheus_build_info") => None,
        Ok(names) => Some(format!("{} metrics, and prometheus_build_info is not among them", names.len())),
    }
}

fn finding(observer: &Observer, seen: &Seen, actual: String) -> Finding {
    CHECK
        .finding("/metrics is not Prometheus's exposition format")
        .expected("200 with `text/plain` and metrics such as prometheus_build_info")
        .actual(actual)
        .at(observer.facts().location_place(seen.url.path()))
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl(seen))
}
