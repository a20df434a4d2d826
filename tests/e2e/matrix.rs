//! A deployment with several versions of both programs.

use std::fs;

use serde_json::{Value, json};

use crate::running::Ended;
use crate::stage::Stage;
use crate::support::{has_sandbox, project};

/// The releases of both programs, in the sandbox.
const BOTH: [&str; 6] = [
    "--runtime",
    "sandbox",
    "--nginx",
    "debian:bookworm,debian:trixie",
    "--prometheus",
    "debian:bookworm,debian:trixie",
];

/// A deployment that nginx 1.25.1 and later refuse, for `ssl on`, and Prometheus before 2.53 leads out of its prefix.
fn matrix(stage: &Stage, options: &[&str]) -> Ended {
    let guide = fs::read_to_string(project("fixtures/guide/nginx.conf")).expect("the guide");
    let file = stage.path("nginx.conf");
    fs::write(&file, guide.replacen("443 ssl;", "443; ssl on;", 1)).expect("written");
    let words = ["matrix", file.to_str().expect("a name")].into_iter().chain(BOTH);
    stage.start(words.chain(options.iter().copied())).end()
}

#[test]
fn versions_that_go_together_are_told_from_those_that_do_not() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::new();
    let ended = matrix(&stage, &["--format", "json"]);
    assert_eq!(ended.code(), 1, "{ended:#?}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("a report");
    let cells = report["cells"].as_array().expect("cells");
    let verdicts: Vec<&Value> = cells.iter().map(|cell| &cell["verdict"]).collect();
    assert_eq!(verdicts, ["fail", "nginx-refuses", "pass", "nginx-refuses"]);
    let program = |version: &str, source: &str| json!({"version": version, "source": source});
    let newest =
        json!([{"nginx": program("1.22.1", "debian:bookworm"), "prometheus": program("2.53.3", "debian:trixie")}]);
    assert_eq!(report["newest_clean"], newest);
    let first = &cells[0]["deployments"][0]["findings"][0];
    assert_eq!((&first["check"], &first["level"]), (&"prefix-redirects".into(), &"error".into()));
    assert_eq!(stage.left_on_this_machine(ended.run), Vec::<String>::new());
}

#[test]
fn people_get_a_table_and_the_findings_where_they_ask_for_them() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::new();
    let table = matrix(&stage, &["--only", "nginx-starts", "--only", "prefix-redirects"]);
    insta::assert_snapshot!(table.stdout.replace(stage.path("").to_str().expect("a name"), ""));
    let shown = matrix(&stage, &["--only", "nginx-starts", "--findings"]);
    assert!(shown.stdout.contains("error[nginx-starts]"), "{}", shown.stdout);
    assert_eq!(shown.stdout.matches("= actual: unknown directive \"ssl\"").count(), 2, "{}", shown.stdout);
}

#[test]
fn a_release_that_is_not_there_is_told_from_wrong_input() {
    if !has_sandbox() {
        return;
    }
    let words =
        ["matrix", "fixtures/guide/nginx.conf", "--runtime", "sandbox", "--nginx", "debian:bookworm,debian:nosuch"];
    let ended = Stage::new().start(words.into_iter().chain(["--prometheus", "debian:bookworm"])).end();
    assert_eq!(ended.code(), 3, "{ended:#?}");
    assert!(ended.stderr.contains("nosuch"), "{}", ended.stderr);
}
