//! What is made around a deployment that lacks something: each fixture names things that are elsewhere, and boots.

use serde::Serialize;
use serde_json::Value;

use crate::catalogue::{compare, names_in};
use crate::fixture::{Fixture, ask_all, check_line, with_short_location};
use crate::support::{has_docker, project};

/// Snapshots are called so, with the fixture's name behind it.
const WORLD: &str = "world__";

/// What was made for a deployment, and what came of it.
#[derive(Serialize)]
struct Made {
    /// The URL of each target.
    public_urls: Vec<Value>,
    /// Whether nginx starts, and what else is asked of every fixture here.
    checks: Vec<String>,
    substitutions: Vec<String>,
    findings: Vec<Value>,
}

fn boot(fixture: &Fixture) -> Made {
    let (report, _) = fixture.report(&["--only", "nginx-starts"]);
    let deployments = report["deployments"].as_array().expect("deployments");
    let all = |field: &str| -> Vec<&Value> {
        deployments.iter().flat_map(|deployment| deployment[field].as_array().expect("a list")).collect()
    };
    let asked = all("checks").into_iter().map(check_line);
    Made {
        public_urls: deployments.iter().map(|deployment| deployment["public_url"].clone()).collect(),
        checks: asked.filter(|line| line.starts_with("nginx-starts")).collect(),
        substitutions: all("substitutions").into_iter().map(substitution_line).collect(),
        findings: all("findings").into_iter().map(with_short_location).collect(),
    }
}

fn substitution_line(substitution: &Value) -> String {
    let text = |field: &str| substitution[field].as_str().unwrap_or_default().to_owned();
    let location = with_short_location(substitution)["location"].as_str().unwrap_or("nowhere").to_owned();
    let place = location.rsplit('/').next().unwrap_or_default();
    format!("{place}: {} {}: {}", text("kind"), text("what"), text("by"))
}

#[test]
fn what_a_deployment_lacks_is_made_and_listed() {
    if !has_docker() {
        return;
    }
    let names = names_in(&project("fixtures/world"));
    let fixtures: Vec<Fixture> = names.iter().map(|name| Fixture::at(format!("fixtures/world/{name}"))).collect();
    let made = ask_all(&fixtures, boot);
    let wrong = names.iter().zip(made).filter_map(|(name, made)| compare(&format!("{WORLD}{name}"), &made));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_world_has_its_snapshot_and_none_is_left_over() {
    let files = names_in(&project("tests/e2e/snapshots"));
    let snapshots = files.iter().filter_map(|name| name.strip_prefix(WORLD)?.strip_suffix(".snap")).map(str::to_owned);
    assert_eq!(snapshots.collect::<std::collections::BTreeSet<_>>(), names_in(&project("fixtures/world")));
}
