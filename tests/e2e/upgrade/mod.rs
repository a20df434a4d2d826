//! `proxyproof upgrade` and `proxyproof record`: real regressions, nothing where nothing changes, baselines, snapshots.

mod baseline;
mod cases;
mod ended;
mod itself;
mod same;
mod snapshot;

use serde_json::Value;

use crate::support::proxyproof;

const GUIDE: &str = "fixtures/guide/nginx.conf";

/// What `upgrade` in the sandbox says, its exit code, and what it writes to standard error.
fn upgrade(arguments: &[&str]) -> (Value, i32, String) {
    let output = proxyproof().args(["upgrade", "--format", "json", "--runtime", "sandbox"]).args(arguments).output();
    let output = output.expect("the program runs");
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (report, output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The changes of the one deployment.
fn changes(report: &Value) -> &[Value] {
    report["deployments"][0]["changes"].as_array().expect("changes")
}

/// The change whose sentence holds these words.
fn change<'a>(report: &'a Value, what: &str) -> &'a Value {
    let is_meant = |change: &&Value| change["what"].as_str().is_some_and(|own| own.contains(what));
    changes(report).iter().find(is_meant).unwrap_or_else(|| panic!("no change says {what:?}: {report:#}"))
}
