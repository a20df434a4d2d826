//! Many deployments in one run: directories of them, jobs, shards, and what becomes of a run that is interrupted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::kills::GONE_WITHIN;
use crate::running::{Ended, PATIENCE};
use crate::stage::{Stage, nothing_within};
use crate::support::{has_sandbox, project};

/// How each of them is checked: quick, and by programs that do not change from day to day.
const QUICK: [&str; 7] =
    ["--runtime", "sandbox", "--nginx", "debian:trixie", "--prometheus", "debian:trixie", "--only"];

/// Whether a deployment is named by its words, and what is wrong with it.
const GOOD: &str = "return 404;";
/// An upstream that nobody closes: nginx does not start.
const REFUSED: &str = "no_such_directive on;";

struct Deployments {
    stage: Stage,
    directory: TempDir,
}

impl Deployments {
    fn new(deployments: &[(&str, &str)]) -> Self {
        let own = Self { stage: Stage::new(), directory: tempfile::tempdir().expect("a directory") };
        let guide = fs::read_to_string(project("fixtures/guide/nginx.conf")).expect("the guide");
        for (name, instead) in deployments {
            let text = match *instead {
                "" => "http {".to_owned(),
                instead => guide.replacen(
                    "location /prometheus/",
                    &format!("location = /x {{ {instead} }}\nlocation /prometheus/"),
                    1,
                ),
            };
            let file = own.directory.path().join(name).join("nginx.conf");
            fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
            fs::write(file, text).expect("written");
        }
        own
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// What the names in a report begin with.
    fn without_directory(&self, text: &str) -> String {
        text.replace(&self.path(""), "")
    }

    fn check(&self, options: &[&str]) -> Ended {
        let all = self.path("");
        let words = ["check", &all].into_iter().chain(QUICK).chain(["nginx-starts"]).chain(options.iter().copied());
        let ended = self.stage.start(words).end();
        assert_eq!(self.stage.left_on_this_machine(ended.run), Vec::<String>::new());
        ended
    }

    /// The report in JSON, and the exit code.
    fn report(&self, options: &[&str]) -> (Value, i32) {
        let ended = self.check(&[options, &["--format", "json"]].concat());
        let report = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"));
        (report, ended.code())
    }

    fn merge(&self, reports: &[&PathBuf], options: &[&str]) -> Ended {
        let reports = reports.iter().map(|path| path.to_str().expect("a name"));
        self.stage.start(["merge"].into_iter().chain(reports).chain(options.iter().copied())).end()
    }
}

/// The last part of each path, in the report's order.
fn paths(entries: &Value) -> Vec<String> {
    let name = |entry: &Value| {
        entry["path"].as_str().and_then(|path| Some(Path::new(path).file_name()?.to_string_lossy().into_owned()))
    };
    entries.as_array().expect("entries").iter().map(|entry| name(entry).expect("a path")).collect()
}

/// A report without the times that things took.
fn timeless(mut report: Value) -> Value {
    match &mut report {
        Value::Object(map) => {
            map.remove("duration_ms");
            map.values_mut().for_each(|value| *value = timeless(value.take()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = timeless(value.take())),
        _ => {}
    }
    report
}

#[test]
fn a_broken_deployment_does_not_stop_the_rest() {
    if !has_sandbox() {
        return;
    }
    let deployments = Deployments::new(&[("a", GOOD), ("b", ""), ("group/c", REFUSED), ("d", GOOD)]);
    let (report, code) = deployments.report(&["--jobs", "3"]);
    assert_eq!(code, 2);
    assert_eq!(paths(&report["deployments"]), ["a", "d", "c"]);
    assert_eq!(paths(&report["broken"]), ["b"]);
    assert_eq!(report["paths"], serde_json::json!({"given": 4, "checked": 3, "broken": 1}));
    assert_eq!((&report["verdict"], &report["broken"][0]["exit_code"]), (&"fail".into(), &2.into()));
    let verdicts: Vec<&Value> = report["deployments"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "pass", "fail"]);
}

#[test]
fn for_people_each_is_a_line_and_what_failed_is_shown() {
    if !has_sandbox() {
        return;
    }
    let deployments = Deployments::new(&[("a", GOOD), ("b", ""), ("c", REFUSED)]);
    let ended = deployments.check(&["--jobs", "1"]);
    let volatile = [(r" in \d+\.\d s", " in [time]"), (r"\S+ \S+ \[emerg\] \d+#\d+", "[when] [emerg] [id]")];
    let said = volatile.iter().fold(deployments.without_directory(&ended.stdout), |said, (pattern, instead)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&said, *instead).into_owned()
    });
    insta::assert_snapshot!(said);
    assert_eq!(ended.code(), 2);
}

#[test]
fn shards_that_are_merged_are_the_whole_run() {
    if !has_sandbox() {
        return;
    }
    let names = ["a", "b", "c", "d", "e"];
    let deployments = Deployments::new(&names.map(|name| (name, if name == "c" { REFUSED } else { GOOD })));
    let (whole, code) = deployments.report(&[]);
    assert_eq!(code, 1);
    let shards: Vec<PathBuf> = (1..=3)
        .map(|number| {
            let file = deployments.stage.path(&format!("{number}.json"));
            let (shard, output) = (format!("{number}/3"), file.display().to_string());
            let ended = deployments.check(&["--shard", &shard, "--format", "json", "--output", &output]);
            assert_eq!(ended.code(), i32::from(number == 2), "{ended:#?}");
            file
        })
        .collect();
    // In whatever order they are named.
    let merged = deployments.merge(&[&shards[2], &shards[0], &shards[1]], &["--format", "json"]);
    let report: Value = serde_json::from_str(&merged.stdout).expect("a report");
    assert_eq!(timeless(report), timeless(whole));
    assert_eq!(merged.code(), 1);
    let text = deployments.merge(&[&shards[0], &shards[1], &shards[2]], &[]);
    assert!(text.stdout.contains("5 deployments: 4 passed, 1 failed: FAIL"), "{}", text.stdout);
    assert!(text.stdout.contains("error[nginx-starts]"), "{}", text.stdout);

    let refused = |reports: &[&PathBuf], words: &str| {
        let ended = deployments.merge(reports, &[]);
        assert_eq!((ended.code(), ended.stderr.contains(words)), (2, true), "{ended:#?}");
    };
    refused(&[&shards[0], &shards[2]], "the report of shard 2/3 is missing");
    refused(&[&shards[0], &shards[1], &shards[2], &shards[1]], "are both of shard 2/3");
    let alone = deployments.stage.path("whole.json");
    deployments.check(&["--format", "json", "--output", alone.to_str().expect("a name")]);
    refused(&[&shards[0], &alone], "these are not of one run");
    refused(&[&project("Cargo.toml")], "is no report of `check --format json`");
    refused(&[&deployments.stage.path("nowhere")], "could not read");
}

#[test]
fn an_interrupted_run_reports_what_was_done() {
    if !has_sandbox() {
        return;
    }
    let names: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
    let deployments = Deployments::new(&names.iter().map(|name| (name.as_str(), GOOD)).collect::<Vec<_>>());
    let (all, output) = (deployments.path(""), deployments.stage.path("report.txt"));
    let output_name = output.display().to_string();
    let words =
        ["check", &all, "--jobs", "2", "--output", &output_name].into_iter().chain(QUICK).chain(["nginx-starts"]);
    let running = deployments.stage.start(words);
    let unseen = nothing_within(PATIENCE, || {
        let passed = fs::read_to_string(&output).unwrap_or_default().matches("PASS").count();
        if passed > 1 { Vec::new() } else { vec![format!("{passed} passed")] }
    });
    assert_eq!(unseen, Vec::<String>::new());
    running.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:#?}");
    let report = fs::read_to_string(&output).expect("a report");
    let last = report.lines().find(|line| line.contains("60 deployments in")).unwrap_or_else(|| panic!("{report}"));
    assert!(last.contains("not come to: ") && last.ends_with("FAIL"), "{last}");
    assert_eq!(nothing_within(GONE_WITHIN, || deployments.stage.left_on_this_machine(ended.run)), Vec::<String>::new());
}

#[test]
fn a_deployment_that_is_named_twice_is_checked_once() {
    if !has_sandbox() {
        return;
    }
    let deployments = Deployments::new(&[("a", GOOD), ("b", GOOD)]);
    let (all, one) = (deployments.path(""), deployments.path("a"));
    let words = ["check", &one, &all, "--format", "json"].into_iter().chain(QUICK).chain(["nginx-starts"]);
    let ended = deployments.stage.start(words).end();
    let report: Value = serde_json::from_str(&ended.stdout).expect("a report");
    let found: BTreeSet<String> = paths(&report["deployments"]).into_iter().collect();
    assert_eq!((found.len(), &report["paths"]["given"]), (2, &2.into()));
}

#[test]
fn one_lab_alone_is_kept() {
    let deployments = Deployments::new(&[("a", GOOD), ("b", GOOD)]);
    let all = deployments.path("");
    let ended = deployments.stage.start(["check", "--keep", &all]).end();
    assert_eq!(ended.code(), 2, "{ended:#?}");
    assert!(ended.stderr.contains("--keep holds one Lab, and there are 2 deployments here"), "{}", ended.stderr);
}
