use anstream::StripStream;

use super::*;
use crate::location::Location;
use crate::report::{Programs, SourceText};
use crate::upgrade::{By, Change};

fn change(level: ChangeLevel, what: &str) -> Change {
    Change {
        what: what.to_owned(),
        before: "200".to_owned(),
        after: "404".to_owned(),
        by: Some(By::Prometheus),
        level,
        location: Some(Location::new("nginx.conf", 2, 5)),
        advice: "look twice".to_owned(),
        source: Some("the changelog"),
    }
}

fn report(changes: Vec<Change>) -> UpgradeReport {
    let program = |version: &str| Program { version: version.to_owned(), source: "debian:x".to_owned() };
    let programs = |version| Programs { nginx: program("1.26.3"), prometheus: program(version) };
    let verdict = if changes.is_empty() { Verdict::Pass } else { Verdict::Fail };
    UpgradeReport {
        schema: UpgradeReport::SCHEMA,
        verdict,
        from: programs("2.53.3"),
        to: programs("3.5.3"),
        deployments: vec![UpgradedDeployment {
            path: "nginx.conf".to_owned(),
            changes,
            notes: vec!["a \u{1b}[31mnote".to_owned()],
            files: vec![SourceText {
                file: "nginx.conf".into(),
                text: "location / {\n    proxy_pass http://x/;\n}".into(),
            }],
        }],
    }
}

fn rendered(report: &UpgradeReport) -> String {
    let mut out = Vec::new();
    render(report, &mut StripStream::new(&mut out)).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_verdict_and_what_breaks_come_first() {
    let levels = [ChangeLevel::Breaking, ChangeLevel::Behaviour, ChangeLevel::Cosmetic];
    let text = rendered(&report(levels.map(|level| change(level, &format!("it is {}", level.name()))).into()));
    let places: Vec<usize> = [
        "1.26.3 (debian:x), the same",
        "2.53.3 (debian:x) -> 3.5.3 (debian:x)",
        "1 breaking, 1 behaviour, 1 cosmetic: FAIL",
        "breaking[prometheus]: it is breaking",
        "2 |     proxy_pass http://x/;",
        "advice: look twice",
        "source: the changelog",
        "[prometheus] it is behaviour (nginx.conf:2:5)\n      200 -> 404\n      look twice\n      the changelog",
        "[prometheus] it is cosmetic (nginx.conf:2:5)\n\n",
    ]
    .into_iter()
    .map(|words| text.find(words).unwrap_or_else(|| panic!("{words:?} is not in {text}")))
    .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.ends_with("1 breaking, 1 behaviour, 1 cosmetic: FAIL\n"), "{text}");
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let text = rendered(&report(Vec::new()));
    assert!(text.contains("nothing changes: PASS"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}
