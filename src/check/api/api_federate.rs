//! Another Prometheus can federate this one.

use super::super::obstacle::{get_past, need_arguments};
use super::super::{Answer, Check, Skip, Turn, View};
use super::exposition;
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Request, Seen};

/// As Prometheus sends the brackets, and as people write them.
const SPELLINGS: [&str; 2] =
    ["/federate?match%5B%5D=%7B__name__%3D%22prometheus_build_info%22%7D", "/federate?match[]=prometheus_build_info"];

pub(crate) static CHECK: Check = Check {
    id: "api-federate",
    level: Level::Error,
    what: "/federate?match[]=… below the prefix answers with samples, its brackets encoded or not.",
    why: "A global Prometheus scrapes this one so. A rule against brackets in a query (a common one against attacks), or a \
          list of paths that lacks /federate, leaves it without data.",
    fix: "Let the location of Prometheus pass /federate and any query on.",
    source: "https://prometheus.io/docs/prometheus/latest/federation/",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_arguments(observer).await?;
    let closed = observer.get("/federate").await?;
    if matches!(closed.status, 401 | 403 | 404) {
        return Err(Skip(format!("nginx does not pass /federate on ({})", closed.status)));
    }
    for target in SPELLINGS {
        let request = observer.request(target);
        let seen = observer.http().send(&request).await?;
        let samples = seen.status == 200 && seen.media_type() != "text/html" && exposition::names(&seen.text()).is_ok();
        if !samples {
            if seen.status >= 500 {
                get_past(&seen)?;
            }
            return Ok(vec![finding(observer, &request, &seen)]);
        }
    }
    Ok(Vec::new())
}

fn finding(observer: &Observer, request: &Request, seen: &Seen) -> Finding {
    let facts = observer.facts();
    let url = request.url();
    let rule = facts.condition_on(url.path(), &["$args", "$query_string", "$request_uri", "$arg_"]);
    CHECK
        .finding("/federate does not answer")
        .expected("200 with samples, or with nothing where there are none")
        .actual(seen.summary())
        .at(rule.map_or_else(|| facts.location_place(url.path()), |rule| rule.location.clone()))
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl_raw(request))
}
