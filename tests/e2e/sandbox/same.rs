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

/// How the reason of a check ends that was left out because it takes seconds, here or where a snapshot was made.
const LEFT_OUT: [&str; 3] =
    ["--slow waits for it", "--slow asks it", "skip: asked of its own fixtures and of the layouts"];

/// What is asked where Prometheus has scraped itself, and where it has not yet: in a query, and in its URL.
const ASKED: [(&str, &str); 2] =
    [("max(up) or vector(1)", "vector(1)"), ("max%28up%29+or+vector%281%29", "vector%281%29")];

#[test]
fn both_runtimes_find_the_same_in_every_fixture() {
    if !has_sandbox() || !has_docker() {
        return;
    }
    let in_snapshots: Vec<(Fixture, Value)> = of_checks().chain(of_layouts()).collect();
    let (fixtures, expected): (Vec<Fixture>, Vec<Value>) = in_snapshots.into_iter().unzip();
    let found = ask_at_once(AT_ONCE, &fixtures, |fixture| vec![said(fixture, "sandbox").swap_remove(0)]);
    let with_snapshot = fixtures.iter().zip(found).zip(expected.into_iter().map(|outcomes| vec![outcomes]));
    let others = without_snapshots();
    let both = ask_at_once(AT_ONCE, &others, |fixture| ["sandbox", "docker"].map(|runtime| said(fixture, runtime)));
    let without_snapshot = others.iter().zip(both).map(|(fixture, [sandbox, docker])| ((fixture, sandbox), docker));
    let wrong: Vec<String> = with_snapshot
        .chain(without_snapshot)
        .flat_map(|((fixture, sandbox), docker)| {
            let differences = differences_of(&sandbox, &docker);
            differences.into_iter().map(|difference| format!("{}: {difference}", fixture.path))
        })
        .collect();
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

/// What a runtime says of each deployment, in the words of a snapshot.
fn said(fixture: &Fixture, runtime: &str) -> Vec<Value> {
    let (report, code) = fixture.report(&["--runtime", runtime]);
    assert_eq!(report["runtime"], runtime);
    assert!([0, 1].contains(&code), "{}: {code}", fixture.path);
    let deployments = report["deployments"].as_array().expect("deployments");
    let outcomes = deployments.iter().map(|deployment| {
        let checks = deployment["checks"].as_array().expect("checks").iter().map(check_line);
        let findings = deployment["findings"].as_array().expect("findings").iter().map(with_short_location);
        json!({
            "public_url": deployment["public_url"],
            "checks": checks.collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "substitutions": deployment["substitutions"],
        })
    });
    outcomes.collect()
}

/// Where they differ, but for checks that one of them was not asked. A snapshot has no substitutions.
fn differences_of(one: &[Value], other: &[Value]) -> Vec<String> {
    if one.len() != other.len() {
        return vec![format!("{} and {} deployments", one.len(), other.len())];
    }
    let of_one = |(one, other): (&Value, &Value)| {
        let left: Vec<String> = [one, other].into_iter().flat_map(left_out).collect();
        let made = !other["substitutions"].is_null();
        differences(&without(&left, one, made), &without(&left, other, made))
    };
    one.iter().zip(other).flat_map(of_one).collect()
}

/// The checks that were left out because they take seconds.
fn left_out(outcomes: &Value) -> Vec<String> {
    let lines = outcomes["checks"].as_array().expect("checks").iter().filter_map(Value::as_str);
    let left = lines.filter(|line| LEFT_OUT.iter().any(|reason| line.ends_with(reason)));
    left.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
}

/// Outcomes by their checks, so that a difference tells whose it is; without these checks and what they found.
fn without(left: &[String], outcomes: &Value, made: bool) -> Value {
    let list = |field: &str| outcomes[field].as_array().cloned().unwrap_or_default();
    let checks = list("checks").into_iter().filter_map(|line| {
        let (id, outcome) = line.as_str()?.split_once(": ")?;
        (!left.iter().any(|left| left == id)).then(|| (id.to_owned(), outcome.into()))
    });
    let findings = list("findings").into_iter().filter(|finding| !left.iter().any(|left| finding["check"] == **left));
    let (checks, findings): (serde_json::Map<String, Value>, Vec<Value>) = (checks.collect(), findings.collect());
    let substitutions = if made { outcomes["substitutions"].clone() } else { Value::Null };
    let outcomes = json!({
        "public_url": outcomes["public_url"],
        "checks": checks,
        "findings": findings,
        "substitutions": substitutions,
    });
    without_what_differs(outcomes)
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
            None => Value::String(ASKED.iter().fold(text, |text, (late, early)| text.replace(late, early))),
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
