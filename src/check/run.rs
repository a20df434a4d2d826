//! Runs the catalogue on a Lab.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::timeout_at;

use super::{Answer, CATALOGUE, Check, Selection, Skip, Turn, View};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, watched};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It ran, and what it asks about is as it should be. Notes do not hinder a pass.
    Pass,
    /// It ran, and has findings of level warning or error.
    Fail,
    /// It could not be asked here, for the reason beside it.
    Skip,
}

/// The id of a check. (Under a name of its own it is not taken for what a report can lend to who reads it.)
pub type CheckId = &'static str;

/// One check of the catalogue and how it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's id.
    #[serde(deserialize_with = "known_id")]
    pub id: CheckId,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// How long it took.
    #[serde(rename = "duration_ms", with = "milliseconds")]
    pub duration: Duration,
}

/// Checks that were asked, each with its findings.
pub(crate) type Asked = Vec<(CheckResult, Vec<Finding>)>;

/// Asks the selected checks that have to be alone, one after the other. No other route may be asked meanwhile.
pub(crate) async fn run_alone(observer: &Observer, selection: &Selection) -> Asked {
    let mut results = Vec::new();
    for check in of_turn(Turn::Alone, selection) {
        results.push(one(check, observer, selection).await);
    }
    results
}

/// Asks every other check that is selected and leaves the programs alone.
pub(crate) async fn run(observer: &Observer, selection: &Selection) -> Asked {
    let mut results = Vec::new();
    for turn in [Turn::Always, Turn::Together, Turn::Last] {
        results.extend(join_all(of_turn(turn, selection).map(|check| one(check, observer, selection))).await);
    }
    results
}

/// Asks the selected checks that reload, stop and start the programs, one after the other, when nobody else asks any more.
pub(crate) async fn run_after(observer: &Observer, selection: &Selection) -> Asked {
    let mut results = Vec::new();
    for check in of_turn(Turn::After, selection) {
        results.push(one(check, observer, selection).await);
    }
    results
}

/// The results in the catalogue's order, the findings worst first.
pub(crate) fn in_order(asked: Asked) -> (Vec<CheckResult>, Vec<Finding>) {
    let mut results = asked;
    let position = |id: &str| CATALOGUE.iter().position(|check| check.id == id);
    results.sort_by_key(|(result, _)| position(result.id));
    let (results, findings): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    (results, findings)
}

fn of_turn(turn: Turn, selection: &Selection) -> impl Iterator<Item = &'static Check> {
    CATALOGUE.iter().copied().filter(move |check| check.turn == turn && selection.wants(check.id))
}

async fn one(check: &'static Check, observer: &Observer, selection: &Selection) -> (CheckResult, Vec<Finding>) {
    let begun = Instant::now();
    let answer = match (selection.reason_to_skip(check.id), check.view) {
        (Some(reason), _) => Err(Skip(reason.to_owned())),
        (None, View::Inside(reason)) if !observer.sees_inside() => Err(Skip(reason.to_owned())),
        _ if check.turn != Turn::Always && observer.refusal().is_some() => {
            Err(Skip("nginx did not start: see nginx-starts".to_owned()))
        }
        _ if check.turn == Turn::After && !selection.may_change(check.id) => {
            Err(Skip("it reloads or restarts the programs, which takes seconds: --slow asks it".to_owned()))
        }
        _ => unless_turned_away(check, observer).await,
    };
    let (outcome, reason, findings) = match answer {
        Err(Skip(reason)) => (Outcome::Skip, Some(reason), Vec::new()),
        Ok(findings) => {
            let findings: Vec<_> = findings.into_iter().map(|finding| selection.judged(finding)).collect();
            (outcome(&findings), None, findings)
        }
    };
    (CheckResult { id: check.id, outcome, reason, duration: begun.elapsed() }, findings)
}

/// Asks, and does not believe findings of a check whose requests nginx turned away for how many all of them are.
async fn unless_turned_away(check: &'static Check, observer: &Observer) -> Answer {
    let (answer, turned_away) = watched(in_time(check, observer)).await;
    match answer {
        Ok(findings) if turned_away && !findings.is_empty() && check.turn == Turn::Together => {
            Err(Skip("nginx limits how much a client may ask (429, 503): see page-load".to_owned()))
        }
        answer => answer,
    }
}

/// Asks, as long as there is time.
async fn in_time(check: &'static Check, observer: &Observer) -> Answer {
    let Some(end) = observer.end() else { return (check.ask)(observer).await };
    let answer = timeout_at(end, (check.ask)(observer)).await;
    answer.unwrap_or_else(|_| Err(Skip("the time was over before all was answered".to_owned())))
}

fn outcome(findings: &[Finding]) -> Outcome {
    if findings.iter().any(|finding| finding.level > Level::Note) { Outcome::Fail } else { Outcome::Pass }
}

/// An id of the catalogue, as a report names it.
pub(crate) fn known_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let id = String::deserialize(deserializer)?;
    let known = CATALOGUE.iter().map(|check| check.id).find(|known| *known == id);
    known.ok_or_else(|| {
        serde::de::Error::custom(format!("there is no check `{id}`: the report is of another version of proxyproof"))
    })
}

/// Durations as reports have them: whole milliseconds.
pub(crate) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
