//! The query API answers by POST.

use reqwest::Method;

use super::super::obstacle::{get_past, need_answers, need_queries};
use super::super::{Answer, Check, Turn, View};
use super::query;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "api-query-post",
    level: Level::Error,
    what: "/api/v1/query below the prefix answers by POST, with the query in a form.",
    why: "Grafana asks by POST unless it is told otherwise. A location that allows GET alone, or that redirects POST with a \
          301, which makes a GET without the form of it, leaves dashboards empty while pages load.",
    fix: "Pass the method as it is: `limit_except GET POST { deny all; }` and no `if ($request_method …)` that refuses POST; \
          308 instead of 301 where a POST may be redirected.",
    source: "https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries; RFC 9110, section 15.4.2",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let seen = observer.http().ask(Method::POST, observer.url("/api/v1/query"), &[("query", "vector(1)")]).await?;
    if query::value(&seen) == Some(1.0) {
        return Ok(Vec::new());
    }
    // A refusal of the method alone is what is asked about; of everybody it is another's.
    need_queries(observer).await?;
    if !matches!(seen.status, 401 | 403) {
        get_past(&seen)?;
    }
    Ok(vec![finding(observer, &seen)])
}

fn finding(observer: &Observer, seen: &Seen) -> Finding {
    let facts = observer.facts();
    let path = seen.url.path();
    let limit = facts.method_limit(path);
    let fix = match limit.filter(|limit| limit.is("limit_except")) {
        Some(limit) => Fix::from(format!(
            "limit_except {} POST {{ … }}",
            limit.args.iter().map(|arg| arg.text.as_str()).collect::<Vec<_>>().join(" ")
        )),
        None => Fix::from(CHECK.fix),
    };
    CHECK
        .finding("/api/v1/query does not answer by POST")
        .expected("200 with the JSON of `vector(1)`, value 1")
        .actual(seen.summary())
        .at(limit.map_or_else(|| facts.location_place(path), |limit| limit.location.clone()))
        .fix(fix)
        .shown_by(observer.shell().curl(seen))
}
