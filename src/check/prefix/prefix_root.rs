//! The prefix with its slash leads to the UI.

use super::super::obstacle::need_prometheus;
use super::super::{Answer, Check, Turn, View};
use super::way;
use crate::finding::Level;
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "prefix-root",
    level: Level::Error,
    what: "The address that people type, the prefix with its slash, leads to the UI and stays inside the prefix.",
    why: "Prometheus redirects / to its start page. If it does not know the prefix (--web.external-url), that redirect \
          leads to a path that nginx does not pass on: people see nginx's 404, or another site.",
    fix: "Start Prometheus with --web.external-url=https://NAME/PREFIX, and --web.route-prefix=/ where nginx strips the \
          prefix.",
    source: "https://prometheus.io/docs/guides/tls-encryption/; prometheus/prometheus#1583",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let way = way::follow(observer, "/").await?;
    let Some(wrong) = way::what_is_wrong(observer, &way) else {
        return Ok(Vec::new());
    };
    need_prometheus(observer).await?;
    let turned = way::turned_at(observer, &way);
    let place = turned.unwrap_or_else(|| observer.facts().location_place(observer.url("/").path()));
    let finding = way::finding(&CHECK, observer, &way, wrong).map(|finding| finding.at(place).fix(fix(observer)));
    Ok(finding.into_iter().collect())
}

fn fix(observer: &Observer) -> String {
    let (facts, route) = (observer.facts(), observer.route());
    let url = observer.url("");
    if facts.prometheus().external_url().is_some_and(|given| given.trim_end_matches('/') == url.as_str()) {
        return "let one location pass everything below the prefix to Prometheus".to_owned();
    }
    let stripped = if route.strips_prefix() { " --web.route-prefix=/" } else { "" };
    format!("start Prometheus with --web.external-url={url}{stripped}")
}
