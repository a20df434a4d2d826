//! What the programs themselves do differently: starting, warning, flags, metrics, builds.

use super::change::{Change, ChangeLevel, of_routes};
use super::diff::{Delta, Observed};
use super::fact::{Fact, Seen};
use super::grouping::{by_key, counted, listed};
use super::places::Places;
use crate::check::instead_of;
use crate::location::Location;

const BREAKING: ChangeLevel = ChangeLevel::Breaking;
const BEHAVIOUR: ChangeLevel = ChangeLevel::Behaviour;
const COSMETIC: ChangeLevel = ChangeLevel::Cosmetic;

/// A program that does not start any more, or that starts now.
pub(super) fn refusals(deltas: &[Delta], observed: &Observed, places: &Places<'_>) -> Vec<Change> {
    let change = |delta: &Delta| {
        let is_new = delta.after.is_some();
        let (program, said, place) = match &delta.fact {
            Fact::NginxRefuses(said) => ("nginx", said.clone(), place_of(observed, said)),
            Fact::PrometheusRefuses(_) => {
                let said = delta.after.as_ref().or(delta.before.as_ref()).cloned().unwrap_or_default();
                let place = unknown_flag(&said).and_then(|flag| places.flag(flag)).flatten();
                ("Prometheus", said, place)
            }
            _ => return None,
        };
        let instead = unknown_flag(&said).and_then(|flag| instead_of(flag, None));
        let change = match is_new {
            true => Change::new(BREAKING, delta.by, format!("{program} does not start any more: {said}"))
                .from("it starts")
                .to("it refuses to start")
                .advising(advice_for(&said, instead)),
            false => Change::new(BEHAVIOUR, delta.by, format!("{program} starts now; the old one said: {said}"))
                .from("it refuses to start")
                .to("it starts"),
        };
        Some(change.at(place))
    };
    deltas.iter().filter_map(change).collect()
}

/// The flag that Prometheus refuses, without dashes.
fn unknown_flag(said: &str) -> Option<&str> {
    said.split_once("unknown long flag '--")?.1.split('\'').next()
}

fn advice_for(said: &str, instead: Option<&str>) -> String {
    match said {
        said if said.contains("unknown directive \"ssl\"") => {
            "Remove `ssl on;`, and write `ssl` into each listen: listen 443 ssl; old versions take that too.".to_owned()
        }
        said if said.contains("unknown long flag") => {
            let instead = instead.map(|instead| format!(" Instead of it: {instead}.")).unwrap_or_default();
            format!("Take the flag out of the unit, the compose file or the manifest before the upgrade.{instead}")
        }
        _ => "Mend the line before the upgrade; `proxyproof check` with the new version says more.".to_owned(),
    }
}

/// The line that nginx names with what it says, in whichever combination it says it.
fn place_of(observed: &Observed, said: &str) -> Option<Location> {
    let mixtures = [&observed.new_nginx, &observed.new_prometheus].into_iter().flatten();
    let mut sights = [&observed.new, &observed.old].into_iter().chain(mixtures);
    sights.find_map(|seen| seen.nginx.places.get(said).cloned())
}

/// What the programs warn of, and no longer do.
pub(super) fn warnings(deltas: &[Delta], observed: &Observed) -> Vec<Change> {
    let said = deltas.iter().filter_map(|delta| {
        let (program, line) = match &delta.fact {
            Fact::NginxLog(line) => ("nginx", line),
            Fact::PrometheusLog(_, line) => ("Prometheus", line),
            _ => return None,
        };
        Some((program, line, delta))
    });
    said.map(|(program, line, delta)| match delta.after {
        Some(_) => {
            let place = place_of(observed, line);
            Change::new(BEHAVIOUR, delta.by, format!("{program} complains: {line}"))
                .from("silence")
                .to("the line in its log")
                .at(place)
        }
        None => Change::new(COSMETIC, delta.by, format!("{program} no longer complains: {line}"))
            .from("the line in its log")
            .to("silence"),
    })
    .collect()
}

/// The flags of Prometheus: those that are gone and in use, the others, and the values that hold by default.
pub(super) fn flags(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut others = Vec::new();
    for delta in deltas {
        let (name, used, instead) = match &delta.fact {
            Fact::Takes(flag) => (format!("--{flag}"), places.flag(flag), instead_of(flag, None)),
            Fact::Feature(word) => {
                (format!("--enable-feature={word}"), places.feature(word), instead_of("enable-feature", Some(word)))
            }
            _ => continue,
        };
        match (used, delta.after.is_some()) {
            (Some(place), false) => changes.push(
                Change::new(
                    BREAKING,
                    delta.by,
                    format!("Prometheus no longer knows {name}, which the deployment gives"),
                )
                .from("taken")
                .to("gone")
                .at(place)
                .advising(advice_instead(instead)),
            ),
            (_, is_new) => others.push(((is_new, delta.by), name)),
        }
    }
    changes.extend(defaults(deltas, places));
    changes.extend(by_key(others).into_iter().map(|((is_new, by), names)| {
        let (what, before, after) =
            if is_new { ("new", "unknown", "taken") } else { ("gone, none of them in use", "taken", "unknown") };
        let what = format!("{} of Prometheus {what}: {}", counted(names.len(), "flag"), listed(&names));
        Change::new(COSMETIC, by, what).from(before).to(after)
    }));
    changes
}

fn advice_instead(instead: Option<&str>) -> String {
    match instead {
        Some(instead) => format!("Take it out with the upgrade. Instead of it: {instead}."),
        None => "Take it out with the upgrade; the release notes say what is there instead.".to_owned(),
    }
}

/// Flags that both take and that have another value now, though nobody has changed it.
fn defaults(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let values = of_routes(deltas).filter_map(|(_, seen, delta)| match (seen, &delta.before, &delta.after) {
        (Seen::Flag(name), Some(before), Some(after)) => Some((name, (before, after, delta.by))),
        _ => None,
    });
    // What the help no longer names is told as gone.
    let is_gone = |name: &str| deltas.iter().any(|delta| matches!(&delta.fact, Fact::Takes(flag) if flag == name));
    let once = by_key(values.filter(|(name, _)| !is_gone(name))).into_iter();
    once.filter_map(|(name, values)| {
        let (before, after, by) = *values.first()?;
        let change = Change::new(BEHAVIOUR, by, format!("--{name} has another value by default"));
        let advice = match before.as_str() {
            "" => "Look whether the new value fits.".to_owned(),
            before => format!("Look whether the new value fits; --{name}={before} keeps the old one."),
        };
        Some(change.from(quoted(before)).to(quoted(after)).at(places.flag(name).flatten()).advising(advice))
    })
    .collect()
}

fn quoted(value: &str) -> String {
    if value.is_empty() { "empty".to_owned() } else { value.to_owned() }
}

/// The metrics of Prometheus itself.
pub(super) fn metrics(deltas: &[Delta]) -> Vec<Change> {
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Fate {
        Gone,
        OtherType,
        New,
        OtherHelp,
    }
    let kind = |what: &Option<String>| what.as_deref().and_then(|what| what.split(':').next()).map(str::to_owned);
    let metrics = of_routes(deltas).filter_map(|(_, seen, delta)| {
        let Seen::Metric(name) = seen else { return None };
        let fate = match (&delta.before, &delta.after) {
            (Some(_), None) => Fate::Gone,
            (None, _) => Fate::New,
            _ if kind(&delta.before) != kind(&delta.after) => Fate::OtherType,
            _ => Fate::OtherHelp,
        };
        Some(((fate, delta.by), name.clone()))
    });
    let groups = by_key(metrics).into_iter();
    groups
        .map(|((fate, by), mut names)| {
            names.dedup();
            let (level, what, before, after) = match fate {
                Fate::Gone => (BEHAVIOUR, "gone", "there", "absent"),
                Fate::OtherType => (BEHAVIOUR, "of another type", "one type", "another"),
                Fate::New => (COSMETIC, "new", "absent", "there"),
                Fate::OtherHelp => (COSMETIC, "described differently", "one text", "another"),
            };
            let advice = if level == BEHAVIOUR { "Look through dashboards and alerts for them." } else { "" };
            let what = format!("{} of Prometheus itself {what}: {}", counted(names.len(), "metric"), listed(&names));
            Change::new(level, by, what).from(before).to(after).advising(advice)
        })
        .collect()
}

/// What nginx was built with.
pub(super) fn builds(deltas: &[Delta]) -> Vec<Change> {
    let options = deltas.iter().filter_map(|delta| match &delta.fact {
        Fact::NginxBuiltWith(option) => Some(((delta.after.is_some(), delta.by), option.clone())),
        _ => None,
    });
    let groups = by_key(options).into_iter();
    groups
        .map(|((is_new, by), names)| {
            let (what, before, after) = if is_new { ("more", "absent", "there") } else { ("fewer", "there", "absent") };
            let options = counted(names.len(), "option").replacen(' ', &format!(" {what} "), 1);
            let what = format!("nginx is built with {options}: {}", listed(&names));
            Change::new(COSMETIC, by, what).from(before).to(after)
        })
        .collect()
}
