//! nginx waits as long for a query as Prometheus works on it.

use std::time::Duration;

use super::super::obstacle::need_answers;
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use super::duration;
use crate::finding::{Finding, Fix, Level};
use crate::observe::Observer;

/// What a query of an everyday dashboard may take.
const EVERYDAY: Duration = Duration::from_secs(10);
/// nginx's own, where nothing is said.
const DEFAULT: &str = "60s";

pub(crate) static CHECK: Check = Check {
    id: "api-slow-query",
    level: Level::Error,
    what: "nginx waits for an answer (proxy_read_timeout) at least as long as Prometheus works on a query (--query.timeout).",
    why: "A query over a long range takes its time. nginx gives up with a page of HTML (504) while Prometheus works on: \
          people see \"unexpected token <\" and ask again, which makes it slower.",
    fix: "proxy_read_timeout 125s; in the location of Prometheus, or a smaller --query.timeout.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout; grafana/grafana#21444",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let flags = observer.flags().await.map_err(|_| Skip("the flags of Prometheus can't be seen".to_owned()))?;
    let limit = flags.get("query.timeout").map_or("2m", String::as_str);
    let url = observer.url("/api/v1/query");
    let own = observer.facts().in_force(url.path(), "proxy_read_timeout").into_iter().next();
    let written = own.and_then(|own| own.arg(0)).unwrap_or(DEFAULT);
    let (Some(waits), Some(works)) = (duration::read(written), duration::read(limit)) else {
        return Err(Skip(format!("proxy_read_timeout {written} is known to nginx alone")));
    };
    if waits >= works {
        return Ok(Vec::new());
    }
    let fix = format!("proxy_read_timeout {}s;", works.as_secs() + 5);
    let (place, fix, level) = match own {
        Some(own) => {
            let level = if waits < EVERYDAY { Level::Error } else { Level::Warning };
            (own.location.clone(), Fix::replace(own.location.clone(), fix), level)
        }
        None => {
            let place = observer.facts().location_place(url.path());
            (place.clone(), Fix::insert_into(place, fix), Level::Note)
        }
    };
    Ok(vec![finding(written, limit).at_level(level).at(place).fix(fix)])
}

fn finding(waits: &str, works: &str) -> Finding {
    CHECK
        .finding(format!("nginx gives up on a query after {waits}, and Prometheus works on it for {works}"))
        .expected(format!("proxy_read_timeout of more than {works}"))
        .actual(waits)
}
