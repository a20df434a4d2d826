//! What the checks share that change the Lab.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::Skip;
use super::super::obstacle::is_prometheus;
use crate::deployment::Directive;
use crate::finding::Finding;
use crate::observe::{Failure, LogLevel, LogLine, Observer, Request, Seen, Undone};

/// How often a client looks whether Prometheus is there again. Well below the limits that deployments set.
const LOOK: Duration = Duration::from_millis(200);

impl From<Undone> for Skip {
    fn from(Undone(reason): Undone) -> Self {
        let first = reason.lines().next().unwrap_or_default();
        Self(format!("what this check does to the programs could not be done: {first}"))
    }
}

/// How many connections a round has: each worker of nginx has its own idea of which servers have failed and what names mean,
/// and each connection may come to another one.
const ROUND: usize = 8;

/// Asks by several new connections at once, so that hardly a worker is left out.
pub(in crate::check) async fn round(observer: &Observer, request: &Request) -> Vec<Result<Seen, Failure>> {
    let client = observer.http().keeping_none();
    let count = if is_limited(observer, request) { 1 } else { ROUND };
    join_all((0..count).map(|_| client.send(request))).await
}

/// Whether nginx limits how many requests or connections a client may have.
pub(in crate::check) fn is_limited(observer: &Observer, request: &Request) -> bool {
    let path = request.url().path().to_owned();
    ["limit_req", "limit_conn"].iter().any(|name| !observer.facts().in_force(&path, name).is_empty())
}

/// Whether such an answer may come of a limit, whatever else nginx would have answered.
pub(in crate::check) fn is_turned_away(observer: &Observer, request: &Request, status: u16) -> bool {
    let path = request.url().path().to_owned();
    let own = ["limit_req_status", "limit_conn_status"].map(|name| observer.facts().in_force(&path, name));
    let mut own = own.into_iter().flatten().filter_map(|directive| directive.arg(0)?.parse::<u16>().ok());
    is_limited(observer, request) && (matches!(status, 503 | 429) || own.any(|own| own == status))
}

/// Asks until Prometheus answers by every worker, for so long at most; how long that took.
pub(in crate::check) async fn served_within(
    observer: &Observer,
    request: &Request,
    patience: Duration,
) -> Option<Duration> {
    let begun = Instant::now();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let answers = round(observer, request).await;
        if answers.iter().all(|answer| answer.as_ref().is_ok_and(is_prometheus)) {
            return Some(begun.elapsed());
        }
        if begun.elapsed() >= patience {
            return None;
        }
    }
}

/// What nginx says is wrong with its configuration, at the line that it names.
pub(in crate::check) fn refused(observer: &Observer, finding: Finding, log: &str) -> Finding {
    let line = LogLine::read_all(log).into_iter().find(|line| line.level >= LogLevel::Emerg);
    let place = line.as_ref().and_then(|line| line.place.as_ref());
    let place = place.and_then(|(path, line)| observer.locate(path, *line));
    finding.actual(line.map_or_else(|| log.to_owned(), |line| line.message)).at(place)
}

/// The value of a parameter such as `valid=10s`.
pub(in crate::check) fn parameter<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    directive.args.iter().find_map(|arg| arg.text.strip_prefix(name)?.strip_prefix('='))
}
