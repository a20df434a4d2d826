//! From a version to itself nothing changes, whenever and wherever it is asked.

use serde_json::Value;

use super::GUIDE;
use crate::support::{has_docker, has_sandbox, proxyproof};

const TIMES: usize = 10;
#[test]
fn nothing_changes_in_the_sandbox() {
    if has_sandbox() {
        (0..TIMES).for_each(|_| nothing_changes("sandbox"));
    }
}

#[test]
fn nothing_changes_in_containers() {
    if has_docker() {
        (0..TIMES).for_each(|_| nothing_changes("docker"));
    }
}

fn nothing_changes(runtime: &str) {
    let mut command = proxyproof();
    command.args(["upgrade", GUIDE, "--from", "debian:trixie", "--to", "debian:trixie", "--runtime", runtime]);
    let output = command.args(["--fail-on", "cosmetic", "--format", "json"]).output().expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["deployments"][0]["changes"], Value::Array(Vec::new()), "{report:#}");
    assert_eq!((output.status.code(), &report["verdict"]), (Some(0), &"pass".into()));
    assert_eq!(report["from"], report["to"]);
}
