//! What the checks say differently.

use super::change::{Change, ChangeLevel, of_routes};
use super::diff::{Delta, Observed};
use super::fact::{Fact, Seen};
use crate::finding::Level;
use crate::observation::{FindingSeen, Observation};

/// The check that says of directives what nginx itself warns of.
const DEPRECATIONS: &str = "deprecated-directive";

/// One change for each finding that is new, and one for each check that passes now.
pub(super) fn changes(deltas: &[Delta], observed: &Observed) -> Vec<Change> {
    let nginx_says_it = deltas.iter().any(|delta| matches!(delta.fact, Fact::NginxLog(_)) && delta.before.is_none());
    let mut changes = Vec::new();
    for (url, seen, delta) in of_routes(deltas) {
        match seen {
            Seen::Finding(id, Level::Note, _) if id == DEPRECATIONS && nginx_says_it => {}
            // What is left of a fault that is mended: it was there before, and said with that.
            Seen::Finding(id, Level::Note, _) if outcome(&observed.old, url, id).as_deref() == Some("fail") => {}
            Seen::Finding(id, level, message) if delta.after.is_some() => {
                let level = level_of(*level, outcome(&observed.old, url, id).as_deref(), delta.before.is_some());
                let place = [&observed.new_nginx, &observed.new_prometheus].into_iter().flatten();
                let mut sights = std::iter::once(&observed.new).chain(place);
                let Some(finding) = sights.find_map(|sight| finding(sight, url, id, message)) else { continue };
                let (what, before) = match &delta.before {
                    Some(before) => {
                        (format!("{id}: as before, but seen as `{}`: {message}", finding.actual), before.clone())
                    }
                    None => (format!("{id}: {message}"), before(&observed.old, url, id)),
                };
                let change = Change::new(level, delta.by, what);
                changes
                    .push(change.from(before).to(&finding.actual).at(finding.location.clone()).advising(&finding.fix));
            }
            Seen::Check(id) if delta.before.as_deref() == Some("fail") && delta.after.as_deref() == Some("pass") => {
                let change = Change::new(ChangeLevel::Behaviour, delta.by, format!("{id}: passes now"));
                changes.push(change.from(before_in_words(&observed.old, url, id)).to("pass"));
            }
            _ => {}
        }
    }
    changes
}

/// Breaking is what passed and fails now.
fn level_of(level: Level, outcome: Option<&str>, is_known: bool) -> ChangeLevel {
    match (level, outcome) {
        (Level::Note, _) => ChangeLevel::Cosmetic,
        (_, Some("pass")) if !is_known => ChangeLevel::Breaking,
        _ => ChangeLevel::Behaviour,
    }
}

fn outcome(observation: &Observation, url: &str, id: &str) -> Option<String> {
    Some(observation.routes.get(url)?.checks.get(id)?.outcome.clone())
}

fn finding<'a>(observation: &'a Observation, url: &str, id: &str, message: &str) -> Option<&'a FindingSeen> {
    let findings = &observation.routes.get(url)?.checks.get(id)?.findings;
    findings.iter().find(|finding| finding.message == message)
}

fn before(observation: &Observation, url: &str, id: &str) -> String {
    match outcome(observation, url, id).as_deref() {
        Some("pass") => "the check passes".to_owned(),
        Some("skip") => "the check had nothing to ask".to_owned(),
        Some(_) => "not found".to_owned(),
        None => "not asked".to_owned(),
    }
}

/// What made the check fail: notes hinder no pass.
fn before_in_words(observation: &Observation, url: &str, id: &str) -> String {
    let check = observation.routes.get(url).and_then(|route| route.checks.get(id));
    let findings = check.into_iter().flat_map(|check| &check.findings).filter(|finding| finding.level > Level::Note);
    findings.map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
}
