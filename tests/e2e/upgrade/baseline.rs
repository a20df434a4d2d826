//! What was recorded stands for versions that are not to be had any more; what is wrong input says so.

use std::fs;
use std::path::Path;

use super::{GUIDE, change, changes, upgrade};
use crate::support::{has_sandbox, proxyproof};

fn record(file: &Path) {
    let mut command = proxyproof();
    command.args(["record", GUIDE, "--runtime", "sandbox", "--nginx", "debian:bookworm"]);
    command.args(["--prometheus", "debian:bookworm", "-o"]).arg(file).assert().success();
}

#[test]
fn a_baseline_is_compared_as_the_versions_are() {
    if !has_sandbox() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("baseline.json");
    record(&file);
    let text = fs::read_to_string(&file).expect("a baseline");
    assert!(text.starts_with("{\n  \"schema\": \"proxyproof/observation/1\""), "{text}");
    let baseline = file.to_str().expect("a path");

    let (report, code, error) = upgrade(&[GUIDE, "--baseline", baseline, "--to", "debian:bookworm"]);
    assert_eq!((code, changes(&report).len()), (0, 0), "{error}{report:#}");

    // Only nginx has TLS; whose doing a URL is can't be told without the mixtures.
    let (report, code, error) = upgrade(&[GUIDE, "--baseline", baseline, "--to", "debian:trixie"]);
    assert_eq!(code, 0, "{error}{report:#}");
    assert_eq!(change(&report, "TLS 1.3 is taken now")["by"], "nginx");
    assert!(change(&report, "/graph")["by"].is_null());
    let note = report["deployments"][0]["notes"][0].as_str().expect("a note");
    assert!(note.contains("not known"), "{note}");

    let (report, ..) =
        upgrade(&[GUIDE, "--baseline", baseline, "--to", "nginx=debian:bookworm,prometheus=debian:trixie"]);
    assert!(!changes(&report).is_empty());
    assert!(changes(&report).iter().all(|change| change["by"] == "prometheus"), "{report:#}");
}

#[test]
fn what_is_no_baseline_is_wrong_input() {
    let directory = tempfile::tempdir().expect("a directory");
    let refused = |name: &str, text: Option<&str>| {
        let file = directory.path().join(name);
        if let Some(text) = text {
            fs::write(&file, text).expect("a file");
        }
        let baseline = file.to_str().expect("a path").to_owned();
        let (_, code, error) = upgrade(&[GUIDE, "--baseline", &baseline, "--to", "debian:trixie"]);
        assert_eq!(code, 2, "{error}");
        error
    };
    assert!(refused("none.json", None).contains("can't be read"));
    assert!(refused("other.json", Some("{\"schema\":\"proxyproof/observation/0\"}")).contains("record it again"));
    assert!(refused("text.json", Some("no JSON")).contains("is not what its schema says"));
    assert!(refused("short.json", Some("{\"schema\":\"proxyproof/observation/1\"}")).contains("missing field"));
}

#[test]
fn a_side_that_names_no_programs_is_wrong_input() {
    for (from, words) in
        [("docker:nginx:1.29", "nginx=docker:nginx:1.29"), ("caddy=auto", "nginx=SRC"), ("x", "debian:")]
    {
        let (_, code, error) = upgrade(&[GUIDE, "--from", from, "--to", "debian:trixie"]);
        assert!(code == 2 && error.contains(words), "{from}: {code} {error}");
    }
}

#[test]
fn a_release_that_is_not_there_ends_all_and_is_named() {
    if !has_sandbox() {
        return;
    }
    let (_, code, error) = upgrade(&[GUIDE, "--from", "debian:trixie", "--to", "debian:nosuch"]);
    assert!(code == 3 && error.contains(" (stable), ") && !error.contains("panicked"), "{code} {error}");
}
