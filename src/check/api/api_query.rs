//! The query API answers by GET.

use super::super::obstacle::{Below, below_the_prefix, get_through, need_arguments};
use reqwest::header::USER_AGENT;

use super::super::{Answer, Check, Skip, Turn, View};
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
        let mut findings: Vec<Finding> = refused_letters(observer).await?.into_iter().collect();
        // Somebody's own server hears who it really is.
        if observer.sees_inside() {
            findings.extend(refused_clients(observer).await?);
        }
        return Ok(findings);
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

/// Comparisons, sets of labels, regular expressions: every dashboard has them, and rules against attacks look for them.
const EVERYDAY: [&str; 3] = [
    "vector(1) > bool 0 < bool 2",
    "count({__name__=~\"up|down\"}) or vector(1)",
    "vector(1) unless on() (vector(0) != 0)",
];

async fn refused_letters(observer: &Observer) -> Result<Option<Finding>, Skip> {
    for query in EVERYDAY {
        let mut url = observer.url("/api/v1/query");
        url.query_pairs_mut().append_pair("query", query);
        let seen = observer.get_url(url).await?;
        if is_nginx_s(&seen) {
            let variables = ["$args", "$query_string", "$request_uri", "$arg_query"];
            let cause = observer.facts().condition_on(seen.url.path(), &variables);
            let finding = CHECK
                .finding(format!("nginx refuses queries with letters that PromQL needs, such as `{query}`"))
                .expected("Prometheus's own answer")
                .actual(seen.summary())
                .at(cause.map(|cause| cause.location.clone()))
                .fix("let queries of Prometheus pass as they are: no rule about letters in its location")
                .shown_by(observer.shell().curl(&seen));
            return Ok(Some(finding));
        }
    }
    Ok(None)
}

/// Those that ask Prometheus's API, by what they call themselves.
const CLIENTS: [&str; 5] =
    ["Grafana/11.2.0", "Prometheus/3.5.0", "Go-http-client/1.1", "curl/8.14.1", "python-requests/2.32.3"];

async fn refused_clients(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let mut refused = Vec::new();
    let mut first = None;
    for client in CLIENTS {
        let request = observer.request("/api/v1/query?query=vector(1)").header(USER_AGENT, client);
        // A connection that is closed without an answer (444) is refused as well.
        let seen = observer.http().send(&request).await;
        if seen.as_ref().map_or(true, is_nginx_s) {
            refused.push(client);
            first.get_or_insert((request, seen.map_or_else(|failure| failure.to_string(), |seen| seen.summary())));
        }
    }
    let Some((request, actual)) = first else { return Ok(None) };
    let cause = observer.facts().condition_on(request.url().path(), &["$http_user_agent"]);
    let finding = CHECK
        .finding(format!("nginx refuses clients that call themselves {}", refused.join(", ")))
        .at_level(Level::Warning)
        .expected("the answer that other clients get: these are what an API is for")
        .actual(actual)
        .at(cause.map(|cause| cause.location.clone()))
        .fix("take these names out of the rule about User-Agent, or leave it out of the location of Prometheus")
        .shown_by(observer.shell().curl_raw(&request));
    Ok(Some(finding))
}

/// Refused before Prometheus saw it, and not because of how much is asked.
fn is_nginx_s(seen: &Seen) -> bool {
    matches!(seen.status, 400 | 403..=406) && seen.media_type() != "application/json"
}
