//! The query API answers by GET and by POST.

use reqwest::Method;
use serde::Deserialize;

use super::super::obstacle::get_through;
use super::super::{Answer, Check, Turn};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen, Target};

pub(crate) static CHECK: Check = Check {
    id: "api-query",
    level: Level::Error,
    what: "/api/v1/query below the prefix answers by GET and by POST, and `up` of Prometheus itself is 1.",
    why: "The UI, Grafana and every script ask this; Grafana asks by POST. A location that allows GET alone, or that \
          redirects POST with a 301, leaves dashboards empty while pages load.",
    fix: "Pass the method as it is: no limit_except and no `if ($request_method …)` in the location of Prometheus, and 308 \
          instead of 301 where a POST may be redirected.",
    source: "https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries; RFC 9110, section 15.4.2",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

#[derive(Deserialize)]
struct QueryAnswer {
    status: String,
    data: QueryData,
}

#[derive(Deserialize)]
struct QueryData {
    result: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    value: (f64, String),
}

async fn ask(observer: &Observer) -> Answer {
    let port = observer.route().upstream.port();
    let is_up = |target: &Target| target.is_prometheus_itself(port) && target.health == "up";
    let scraped = observer.targets().await.is_ok_and(|targets| targets.iter().any(is_up));
    // Before the first scrape, and for a moment behind it, there is no `up`: then a constant tells whether queries are
    // answered.
    let query = if scraped { "max(up) or vector(1)" } else { "vector(1)" };
    let url = observer.url("/api/v1/query");
    let mut get = url.clone();
    get.query_pairs_mut().append_pair("query", query);
    let by_get = observer.http().ask(Method::GET, get, &[]).await?;
    get_through(observer, &by_get).await?;
    let by_post = observer.http().ask(Method::POST, url, &[("query", query)]).await?;
    Ok([by_get, by_post].iter().filter_map(|seen| finding(observer, seen, query)).collect())
}

fn finding(observer: &Observer, seen: &Seen, query: &str) -> Option<Finding> {
    let answer = serde_json::from_slice::<QueryAnswer>(&seen.body).ok();
    let value = answer.filter(|answer| answer.status == "success").and_then(|answer| {
        let first = answer.data.result.into_iter().next()?;
        first.value.1.parse::<f64>().ok()
    });
    if seen.status == 200 && value == Some(1.0) {
        return None;
    }
    let finding = CHECK
        .finding(format!("/api/v1/query does not answer by {}", seen.method))
        .expected(format!("200 with the JSON of `{query}`, value 1"))
        .actual(seen.summary())
        .at(observer.facts().location_place(seen.url.path()))
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl(seen));
    Some(finding)
}
