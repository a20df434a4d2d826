//! Every check on every fixture: it fails where it should, and nowhere else.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use proxyproof::CATALOGUE;
use serde::Serialize;

use crate::fixture::{Fixture, Outcomes, check_all};
use crate::support::{has_docker, project};

/// Snapshots of checks and of layouts are called so, with the folder's name behind it.
const CHECK: &str = "catalogue__";
const LAYOUT: &str = "layout__";

#[derive(Serialize)]
struct OfACheck {
    pass: Outcomes,
    fail: Outcomes,
}

/// One test for all, so that the Labs of all run side by side. What a check says of another check's fixtures is in the
/// snapshots: a false alarm shows there.
#[test]
fn each_check_fails_on_its_fault_and_passes_beside_it() {
    if !has_docker() {
        return;
    }
    let layouts = names_in(&project("fixtures/layouts"));
    let of_checks = CATALOGUE.iter().flat_map(|check| [fixture(check.id, "pass"), fixture(check.id, "fail")]);
    let of_layouts = layouts.iter().map(|name| Fixture::at(format!("fixtures/layouts/{name}")));
    let fixtures: Vec<Fixture> = of_checks.chain(of_layouts).collect();
    let mut outcomes = check_all(&fixtures).into_iter();
    let mut wrong = Vec::new();
    for check in CATALOGUE {
        let [pass, fail] = [outcomes.next(), outcomes.next()].map(|outcomes| outcomes.expect("one for each fixture"));
        wrong.extend(what_is_wrong(check, &pass, &fail));
        wrong.extend(compare(&format!("{CHECK}{}", check.id), &OfACheck { pass, fail }));
    }
    for (name, outcomes) in layouts.iter().zip(outcomes) {
        wrong.extend(compare(&format!("{LAYOUT}{name}"), &outcomes));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn what_is_wrong(check: &proxyproof::Check, pass: &Outcomes, fail: &Outcomes) -> Vec<String> {
    let (id, level) = (check.id, check.level.name());
    let questions = [
        (pass.has(id, "pass"), "does not pass on its pass fixture"),
        // A note does not fail a check; that there is none has to be seen on the other fixture.
        (fail.has(id, if level == "note" { "pass" } else { "fail" }), "does not fail on its fail fixture"),
        (!pass.locates(id, level), "has a finding of its level on its pass fixture"),
        (fail.locates(id, level), "has no finding of its level at a line of its fail fixture"),
        (fail.exit_code == i32::from(level == "error"), "has a fail fixture with another exit code"),
    ];
    let wrong = questions.into_iter().filter(|(right, _)| !right);
    wrong.map(|(_, what)| format!("{id} {what}: {pass:#?}\n{fail:#?}")).collect()
}

/// Compares with a snapshot. All are compared before the test fails.
pub(crate) fn compare(name: &str, outcomes: &impl Serialize) -> Option<String> {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let assertion = || settings.bind(|| insta::assert_json_snapshot!(name, outcomes));
    catch_unwind(AssertUnwindSafe(assertion)).err().map(|_| format!("{name} differs from its snapshot"))
}

#[test]
fn every_file_of_a_check_is_in_the_catalogue() {
    let subjects = project("src/check");
    let folders = names_in(&subjects).into_iter().map(|name| subjects.join(name)).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| names_in(&folder).into_iter().map(move |name| folder.join(name)));
    let checks = files.filter(|file| fs::read_to_string(file).expect("a source").contains("static CHECK"));
    let ids = checks.map(|file| file.file_stem().expect("a name").to_string_lossy().replace('_', "-"));
    assert_eq!(ids.collect::<BTreeSet<_>>(), catalogue());
}

#[test]
fn every_check_has_its_fixtures_and_none_is_left_over() {
    assert_eq!(names_in(&project("fixtures/checks")), catalogue());
    for check in CATALOGUE {
        for outcome in ["pass", "fail"] {
            let fixture = fixture(check.id, outcome);
            assert!(fixture.exists(), "{}/nginx.conf is missing", fixture.path);
        }
    }
}

#[test]
fn every_check_and_layout_has_its_snapshot_and_none_is_left_over() {
    let files = names_in(&project("tests/e2e/snapshots"));
    let of = |kind: &str| -> BTreeSet<String> {
        let names = files.iter().filter_map(|name| name.strip_prefix(kind)?.strip_suffix(".snap"));
        names.map(str::to_owned).collect()
    };
    assert_eq!(of(CHECK), catalogue());
    assert_eq!(of(LAYOUT), names_in(&project("fixtures/layouts")));
}

fn fixture(id: &str, outcome: &str) -> Fixture {
    Fixture::at(format!("fixtures/checks/{id}/{outcome}"))
}

fn catalogue() -> BTreeSet<String> {
    CATALOGUE.iter().map(|check| check.id.to_owned()).collect()
}

pub(crate) fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}
