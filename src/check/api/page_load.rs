//! What a page asks for at once is not limited away.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use tokio::time::timeout;

use super::super::obstacle::get_past;
use super::super::{Answer, Check, Skip, Turn, View};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Failure, Observer, Seen};

/// A page with its scripts, styles and first queries.
const REQUESTS: usize = 20;
/// As many connections as browsers open.
const LANES: usize = 6;
/// How long a page may take until people call it broken.
const PATIENCE: Duration = Duration::from_secs(4);

pub(crate) static CHECK: Check = Check {
    id: "page-load",
    level: Level::Error,
    what: "The twenty requests of one page load, over six connections, are all answered.",
    why: "The UI fetches its scripts and styles and asks the API at once. A limit that is meant for attackers (limit_req, \
          limit_conn) answers 503 to some of them: pages are broken at random.",
    fix: "limit_req zone=NAME burst=100 nodelay; with a rate of 50r/s or more, or no limit in the location of Prometheus.",
    source: "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
    turn: Turn::Alone,
    view: View::Inside("a probe asks few things at once of what others use: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let lanes = join_all((0..LANES).map(|lane| ask_in_lane(observer, lane)));
    let Ok(lanes) = timeout(PATIENCE, lanes).await else {
        if limit(observer).is_none() {
            return Err(Skip(
                "nothing limits how much a client may ask, and the answers did not come in time".to_owned(),
            ));
        }
        return Ok(vec![finding(observer, format!("not all answered within {} s", PATIENCE.as_secs()))]);
    };
    let answers = lanes.into_iter().flatten().collect::<Result<Vec<Seen>, Failure>>()?;
    let refused: Vec<&Seen> = answers.iter().filter(|seen| is_refused(observer, seen)).collect();
    let by_chance = answers.iter().find(|seen| refused.is_empty() && is_by_chance(seen));
    if let Some(seen) = by_chance.filter(|_| answers.iter().any(|seen| seen.status == 200)) {
        return Ok(vec![at_random(observer, seen)]);
    }
    let Some(first) = refused.first() else {
        let other = answers.first().ok_or_else(|| Skip("no answer".to_owned()))?;
        return get_past(other).map(|()| Vec::new());
    };
    Ok(vec![finding(observer, format!("some of them answered with {}", first.status))])
}

/// Every sixth of the requests, one after the other.
async fn ask_in_lane(observer: &Observer, lane: usize) -> Vec<Result<Seen, Failure>> {
    let mut answers = Vec::new();
    for number in (lane..REQUESTS).step_by(LANES) {
        let url = observer.url(&format!("/api/v1/query?query=vector({number})"));
        answers.push(observer.http().ask(Method::GET, url, &[]).await);
    }
    answers
}

/// The status of a limit: 503 unless another is set. Prometheus's own 503 is no page of HTML.
fn is_refused(observer: &Observer, seen: &Seen) -> bool {
    let facts = observer.facts();
    let path = seen.url.path();
    let of = |limit, status| {
        let set = facts.in_force(path, status).first().and_then(|own| own.arg(0)?.parse().ok());
        !facts.in_force(path, limit).is_empty() && set.unwrap_or(503_u16) == seen.status
    };
    let limited = of("limit_req", "limit_req_status") || of("limit_conn", "limit_conn_status");
    (limited || seen.status == 429) && seen.media_type() != "application/json"
}

/// Turned away by a rule that is no limit, and not always: others of the same requests were answered.
fn is_by_chance(seen: &Seen) -> bool {
    seen.status >= 500 && seen.media_type() == "text/html"
}

/// The limit that is in force; where there are several, the one whose zone nginx names in its log.
fn limit(observer: &Observer) -> Option<&Directive> {
    let facts = observer.facts();
    let url = observer.url("/api/v1/query");
    let limits: Vec<&Directive> =
        ["limit_req", "limit_conn"].into_iter().flat_map(|name| facts.in_force(url.path(), name)).collect();
    let said = observer.nginx_log();
    let is_named = |limit: &&&Directive| {
        let zone = limit.arg(0).unwrap_or_default().trim_start_matches("zone=").to_owned();
        said.iter().any(|line| line.message.contains(&format!("zone \"{zone}\"")))
    };
    limits.iter().find(is_named).or_else(|| limits.first()).copied()
}

fn at_random(observer: &Observer, seen: &Seen) -> Finding {
    let cause = observer.facts().condition_returning(seen.url.path(), seen.status);
    CHECK
        .finding("some requests of one page load fail, and others like them do not")
        .expected(format!("{REQUESTS} of {REQUESTS} answered"))
        .actual(seen.summary())
        .at(cause.map(|cause| cause.location.clone()))
        .fix("take the rule that answers some of them itself out of the location of Prometheus")
}

fn finding(observer: &Observer, actual: String) -> Finding {
    let limit = limit(observer);
    let fix = limit.filter(|limit| limit.is("limit_req")).map_or_else(
        || Fix::from(CHECK.fix),
        |limit| {
            let zone = limit.arg(0).unwrap_or_default();
            let fix = format!("limit_req {zone} burst=100 nodelay;");
            Fix::replace(limit.location.clone(), fix.clone())
                .said(format!("{fix} and in its limit_req_zone rate=50r/s or more"))
        },
    );
    CHECK
        .finding("the requests of one page load are limited")
        .expected(format!("{REQUESTS} of {REQUESTS} answered"))
        .actual(actual)
        .at(limit.map(|limit| limit.location.clone()))
        .fix(fix)
}
