//! Errors of the API stay Prometheus's own.

use super::super::obstacle::{get_past, need_queries};
use super::super::{Answer, Check, Turn, View};
use super::query;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

/// A query that can't be read (400), and one that can't be carried out (422).
const WRONG: [&str; 2] = [
    "/api/v1/query?query=up%7B",
    "/api/v1/query?query=label_replace%28vector%281%29%2C%22a%22%2C%22b%22%2C%22c%22%2C%22%28%22%29",
];

pub(crate) static CHECK: Check = Check {
    id: "api-errors",
    level: Level::Error,
    what: "Prometheus's answer to a wrong query (400, 422) arrives as it is: its status and its JSON.",
    why: "The UI and Grafana show the text of that JSON. With proxy_intercept_errors nginx puts a page of HTML in its place: \
          people see \"unexpected token <\", or, where error_page makes it 200, an empty graph.",
    fix: "proxy_intercept_errors off; in the location of Prometheus, or no 400 and 422 in error_page.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_intercept_errors; \
             https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_queries(observer).await?;
    for path in WRONG {
        let seen = observer.get(path).await?;
        if !query::is_error(&seen) {
            get_past(&seen)?;
            return Ok(vec![finding(observer, &seen)]);
        }
    }
    Ok(Vec::new())
}

fn finding(observer: &Observer, seen: &Seen) -> Finding {
    let facts = observer.facts();
    let path = seen.url.path();
    let intercepts =
        facts.in_force(path, "proxy_intercept_errors").into_iter().find(|found| found.arg(0) == Some("on"));
    let (place, fix) = match intercepts {
        Some(own) => (own.location.clone(), Fix::replace(own.location.clone(), "proxy_intercept_errors off;")),
        None => (facts.location_place(path), Fix::from(CHECK.fix)),
    };
    CHECK
        .finding("an error of the API does not arrive as Prometheus's own")
        .expected("400 or 422 with `application/json`: {\"status\":\"error\",…}")
        .actual(format!("{} as {:?}", seen.summary(), seen.media_type()))
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl(seen))
}
