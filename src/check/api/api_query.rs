//! The query API answers by GET.

use super::super::obstacle::{Below, below_the_prefix, get_through, need_arguments};
use super::super::{Answer, Check, Turn, View};
use super::query;
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen, Target};

pub(crate) static CHECK: Check = Check {
    id: "api-query",
    level: Level::Error,
    what: "/api/v1/query below the prefix answers by GET, and `up` of Prometheus itself is 1.",
    why: "The UI and every script ask this. Where it is missed, or another application's /api/ answers, pages load and \
          graphs stay empty.",
    fix: "Let one location pass everything below the prefix, the API included, to Prometheus.",
    source: "https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let port = observer.route().upstream.port();
    let is_up = |target: &Target| target.is_prometheus_itself(port) && target.health == "up";
    let scraped = observer.targets().await.is_ok_and(|targets| targets.iter().any(is_up));
    // Before the first scrape, and for a moment behind it, there is no `up`: then a constant tells whether queries are
    // answered.
    let query = if scraped { "max(up) or vector(1)" } else { "vector(1)" };
    let mut url = observer.url("/api/v1/query");
    url.query_pairs_mut().append_pair("query", query);
    let seen = observer.get_url(url).await?;
    get_through(observer, &seen).await?;
    if query::value(&seen) == Some(1.0) {
        return Ok(Vec::new());
    }
    if below_the_prefix(observer).await? != Below::WithoutApi {
        need_arguments(observer).await?;
    }
    Ok(vec![finding(observer, &seen, query)])
}

fn finding(observer: &Observer, seen: &Seen, query: &str) -> Finding {
    CHECK
        .finding("/api/v1/query does not answer by GET")
        .expected(format!("200 with the JSON of `{query}`, value 1"))
        .actual(seen.summary())
        .at(observer.facts().location_place(seen.url.path()))
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl(seen))
}
