//! The same report on both runtimes, for every fixture.
//!
//! What containers say of the fixtures of checks and layouts is in their snapshots, which another test keeps true. It is
//! compared with what the sandbox says; containers are asked anew where no snapshot has the whole report.

use std::fs;

use proxyproof::CATALOGUE;
use serde_json::{Value, json};

use crate::catalogue::names_in;
use crate::fixture::{Fixture, ask_at_once, check_line, with_short_location};
use crate::support::{has_docker, has_sandbox, project};

/// There is little to wait for in these: two keep two processors busy.
const AT_ONCE: usize = 2;

/// How the reason of a check ends that is asked of a deployment only if time does not matter. Snapshots have its answer.
const SLOW: &str = "--slow";

#[test]
fn both_runtimes_find_the_same_in_every_fixture() {
    if !has_sandbox() || !has_docker() {
        return;
    }
    let in_snapshots: Vec<(Fixture, Value)> = of_checks().chain(of_layouts()).collect();
    let (fixtures, expected): (Vec<Fixture>, Vec<Value>) = in_snapshots.into_iter().unzip();
    let found = ask_at_once(AT_ONCE, &fixtures, |fixture| sandbox_says(fixture));
    let with_snapshot = fixtures.iter().zip(found).zip(expected).flat_map(|((fixture, found), expected)| {
        let slow = slow_checks(&found);
        said_of(fixture, differences(&without(&slow, found), &without(&slow, expected)))
    });
    let others = without_snapshots();
    let both =
        ask_at_once(AT_ONCE, &others, |fixture| ["sandbox", "docker"].map(|runtime| whole_report(fixture, runtime)));
    let without_snapshot = others
        .iter()
        .zip(both)
        .flat_map(|(fixture, [sandbox, docker])| said_of(fixture, differences(&sandbox, &docker)));
    let wrong: Vec<String> = with_snapshot.chain(without_snapshot).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn of_checks() -> impl Iterator<Item = (Fixture, Value)> {
    CATALOGUE.iter().flat_map(|check| {
        let mut snapshot = snapshot(&format!("catalogue__{}", check.id));
        ["pass", "fail"]
            .map(|outcome| (Fixture::at(format!("fixtures/checks/{}/{outcome}", check.id)), snapshot[outcome].take()))
    })
}

fn of_layouts() -> impl Iterator<Item = (Fixture, Value)> {
    let names = names_in(&project("fixtures/layouts")).into_iter();
    names.map(|name| (Fixture::at(format!("fixtures/layouts/{name}")), snapshot(&format!("layout__{name}"))))
}

/// All others.
fn without_snapshots() -> Vec<Fixture> {
    let folders = ["fixtures/prometheus", "fixtures/world"];
    let below = folders
        .iter()
        .flat_map(|folder| names_in(&project(folder)).into_iter().map(move |name| format!("{folder}/{name}")));
    let all = below.chain(["fixtures/guide".to_owned()]).map(Fixture::at);
    all.filter(Fixture::exists).collect()
}

fn snapshot(name: &str) -> Value {
    let file = project("tests/e2e/snapshots").join(format!("{name}.snap"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (_, outcomes) = text.split_once("\n---\n").expect("a snapshot");
    serde_json::from_str(outcomes).expect("a snapshot's JSON")
}

/// What the sandbox says, in the words of a snapshot.
fn sandbox_says(fixture: &Fixture) -> Value {
    let (report, _) = fixture.report(&["--runtime", "sandbox"]);
    assert_eq!(report["runtime"], "sandbox");
    let deployment = &report["deployments"][0];
    let checks = deployment["checks"].as_array().expect("checks").iter().map(check_line);
    let findings = deployment["findings"].as_array().expect("findings").iter().map(with_short_location);
    json!({
        "public_url": deployment["public_url"],
        "checks": checks.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn whole_report(fixture: &Fixture, runtime: &str) -> Value {
    let (mut report, code) = fixture.report(&["--runtime", runtime]);
    assert_eq!(report["runtime"].take(), runtime);
    json!({"report": without_what_differs(report), "code": code})
}

/// The checks that were left out because they take seconds.
fn slow_checks(outcomes: &Value) -> Vec<String> {
    let lines = outcomes["checks"].as_array().expect("checks").iter().filter_map(Value::as_str);
    let slow = lines.filter(|line| line.contains(": skip: ") && line.contains(SLOW));
    slow.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
}

/// Outcomes by their checks, so that a difference tells whose it is; without these checks and what depends on them.
fn without(slow: &[String], outcomes: Value) -> Value {
    let list = |field: &str| outcomes[field].as_array().cloned().unwrap_or_default();
    let checks = list("checks").into_iter().filter_map(|line| {
        let (id, outcome) = line.as_str()?.split_once(": ")?;
        (!slow.iter().any(|slow| slow == id)).then(|| (id.to_owned(), outcome.into()))
    });
    let findings = list("findings").into_iter().filter(|finding| !slow.iter().any(|slow| finding["check"] == **slow));
    let (checks, findings): (serde_json::Map<String, Value>, Vec<Value>) = (checks.collect(), findings.collect());
    without_what_differs(json!({"public_url": outcomes["public_url"], "checks": checks, "findings": findings}))
}

fn said_of(fixture: &Fixture, differences: Vec<String>) -> Vec<String> {
    differences.into_iter().map(|difference| format!("{}: {difference}", fixture.path)).collect()
}

/// A report without the runtime, the times that things took, and the day of what a log says.
pub(super) fn without_what_differs(report: Value) -> Value {
    match report {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(key, _)| key != "runtime" && key != "duration_ms");
            Value::Object(kept.map(|(key, value)| (key, without_what_differs(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_what_differs).collect()),
        // `2026/11/26 10:00:00 [emerg] 7#7: …`
        Value::String(text) => match text.split_once("[emerg] ") {
            Some((_, said)) => Value::String(said.split_once(": ").map_or(said, |(_, said)| said).to_owned()),
            None => Value::String(text),
        },
        other => other,
    }
}

/// Where two values differ, each place with both.
pub(super) fn differences(one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            let pairs =
                keys.map(|key| (key, one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null)));
            pairs.flat_map(|(key, one, other)| below(key, differences(one, other))).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.flat_map(|(index, (one, other))| below(&index.to_string(), differences(one, other))).collect()
        }
        _ if one == other => Vec::new(),
        _ => vec![format!(": {one} and {other}")],
    }
}

fn below(key: &str, differences: Vec<String>) -> Vec<String> {
    differences.into_iter().map(|difference| format!("/{key}{difference}")).collect()
}
