//! What clients are answered differently: URLs that are gone or new, redirects, types, headers, JSON, assets.

use std::collections::BTreeSet;

use super::change::{By, Change, ChangeLevel, of_routes};
use super::diff::Delta;
use super::fact::Seen;
use super::grouping::{by_key, counted, listed};
use super::places::Places;
use crate::location::Location;
use crate::observe::NO_UI_PAGE;

const BREAKING: ChangeLevel = ChangeLevel::Breaking;
const BEHAVIOUR: ChangeLevel = ChangeLevel::Behaviour;
const COSMETIC: ChangeLevel = ChangeLevel::Cosmetic;

/// What became of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Gone,
    NoUi,
    Elsewhere,
    Mended,
    New,
    OtherRefusal,
    OtherText,
}

/// What is said of a URL in one group: its name, how it was and how it is.
type Url = (String, String, String);

/// The URLs that lead somewhere else.
pub(super) fn changes(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let mended = urls_of(deltas, |seen, delta| match seen {
        Seen::Way(name) if !ends_well(delta.before.as_deref()) => Some(name),
        _ => None,
    });
    let without_ui = urls_of(deltas, |seen, delta| match seen {
        Seen::Says(name) if delta.after.as_deref() == Some(NO_UI_PAGE) => Some(name),
        _ => None,
    });
    let mut grouped = Vec::new();
    for (url, seen, delta) in of_routes(deltas) {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (before, mut after) = (value(&delta.before), value(&delta.after));
        let (name, fate) = match seen {
            Seen::Way(name) => (name, fate_of(&before, &after)),
            Seen::Says(name) if mended.contains(&(url, name)) => continue,
            Seen::Says(name) if after == NO_UI_PAGE => (name, Fate::NoUi),
            Seen::Says(name) => (name, Fate::OtherText),
            _ => continue,
        };
        // Redirects and texts are told one by one where they differ; what is gone or new is one list.
        let pair = match fate {
            Fate::Elsewhere => (last_steps(&before), last_steps(&after)),
            Fate::OtherRefusal | Fate::OtherText => (before.clone(), after.clone()),
            _ => Default::default(),
        };
        if matches!(fate, Fate::New | Fate::Mended) && without_ui.contains(&(url, name)) {
            after = format!("{after}: {NO_UI_PAGE}");
        }
        grouped.push((
            (fate, delta.by, places.pass(url, name), pair, said_of(places, url)),
            (name.clone(), before, after),
        ));
    }
    let groups = by_key(grouped).into_iter();
    groups.map(|((fate, by, place, _, route), urls)| of_fate(fate, by, place, &route, &urls)).collect()
}

/// The URLs that deltas of a kind are about, each with its route.
fn urls_of<'a>(
    deltas: &'a [Delta],
    name_of: impl Fn(&'a Seen, &'a Delta) -> Option<&'a String>,
) -> BTreeSet<(&'a str, &'a String)> {
    of_routes(deltas).filter_map(|(url, seen, delta)| Some((url, name_of(seen, delta)?))).collect()
}

/// The route, where there are several.
fn said_of(places: &Places<'_>, url: &str) -> String {
    if places.are_of_several_routes() { format!(" of {url}") } else { String::new() }
}

fn ends_well(way: Option<&str>) -> bool {
    way.and_then(|way| way.rsplit(", then ").next()).is_some_and(|end| end.starts_with('2'))
}

fn is_redirect(way: &str) -> bool {
    way.rsplit(", then ").next().is_some_and(|end| end.starts_with('3'))
}

/// The last redirect of a way and its end, without a query: what leads to the same page is told once.
fn last_steps(way: &str) -> String {
    let steps: Vec<&str> = way.split(", then ").collect();
    let last = steps[steps.len().saturating_sub(2)..].iter();
    last.map(|step| step.split('?').next().unwrap_or(step)).collect::<Vec<_>>().join(" ")
}

fn fate_of(before: &str, after: &str) -> Fate {
    match (ends_well(Some(before)), ends_well(Some(after))) {
        (true, false) => Fate::Gone,
        (true, true) => Fate::Elsewhere,
        // A redirect that is not followed: HEAD is asked once, and another site never.
        (false, false) if [before, after].iter().all(|way| is_redirect(way)) => Fate::Elsewhere,
        // Something is there now, for another method.
        (false, false) if before == "404" && after == "405" => Fate::New,
        (false, true) if before == "404" || before == "nothing" || before == "405" => Fate::New,
        (false, true) => Fate::Mended,
        (false, false) => Fate::OtherRefusal,
    }
}

fn of_fate(fate: Fate, by: Option<By>, place: Option<Location>, route: &str, urls: &[Url]) -> Change {
    let names: Vec<String> = urls.iter().map(|(name, ..)| short(name)).collect();
    let (count, names) = (urls.len(), listed(&names));
    let (is, answer, say) = if count == 1 { ("is", "answers", "says") } else { ("are", "answer", "say") };
    let (level, what, advice) = match fate {
        Fate::Gone => (
            BREAKING,
            format!("{} that answered {is} gone{route}: {names}", counted(count, "URL")),
            "Change bookmarks, links, probes and nginx's own locations that name them before the upgrade.",
        ),
        Fate::NoUi => (
            BREAKING,
            format!("the web UI is gone{route}: {names}"),
            "This build holds no UI: take Prometheus from upstream (docker:prom/prometheus or its release), or use Grafana.",
        ),
        Fate::Elsewhere => (
            BEHAVIOUR,
            format!("{names} {is} led another way{route}"),
            "People get there; probes and rules that expect the old status or Location have to change.",
        ),
        Fate::Mended => (BEHAVIOUR, format!("{names} {answer} now{route}"), ""),
        Fate::New => (COSMETIC, format!("{}{route}: {names}", counted(count, "new URL")), ""),
        Fate::OtherRefusal => (BEHAVIOUR, format!("{names} {is} refused in another way{route}"), ""),
        Fate::OtherText => (
            BEHAVIOUR,
            format!("{names} {say} something else{route}"),
            "Whoever looks for the old words (a probe, a sub_filter) has to look for the new ones.",
        ),
    };
    let place = place.filter(|_| !matches!(fate, Fate::New | Fate::Mended));
    // Of what is led to the same page the shortest way tells enough.
    let mut told: Vec<&Url> = urls.iter().collect();
    if fate == Fate::Elsewhere {
        told.sort_by_key(|(name, before, after)| (before.len() + after.len(), name));
        told.truncate(1);
    }
    Change::new(level, by, what)
        .from(one_of(told.iter().map(|(_, before, _)| before)))
        .to(one_of(told.iter().map(|(.., after)| after)))
        .at(place)
        .advising(advice)
}

/// `GET /graph` as `/graph`: GET is what is meant where nothing else is said.
pub(super) fn short(name: &str) -> String {
    match name.strip_prefix("GET") {
        Some(path) if path.trim().is_empty() => "the bare prefix".to_owned(),
        Some(path) => path.trim().to_owned(),
        None => name.to_owned(),
    }
}

/// The values, each once.
pub(super) fn one_of<'a>(values: impl Iterator<Item = &'a String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for value in values {
        if !once.contains(value) {
            once.push(value.clone());
        }
    }
    once.join("; ")
}

/// What arrives in another form: content types, headers, keys of JSON, assets, plain HTTP.
pub(super) fn formats(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    [types(deltas, places), headers(deltas, places), json(deltas, places), assets(deltas), plain(deltas, places)]
        .concat()
}

fn types(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let types = of_routes(deltas).filter_map(|(url, seen, delta)| {
        let name = match seen {
            Seen::ContentType(name) => name.clone(),
            Seen::Accepted(accept) => format!("GET /metrics for {accept}"),
            _ => return None,
        };
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let values = (value(&delta.before), value(&delta.after));
        // One exposition for all who ask for it: as what it comes to whom is told by the plainest of them.
        let is_exposition = ["/metrics", "/federate"].iter().any(|path| name.contains(path));
        let key = if is_exposition { Default::default() } else { values.clone() };
        Some(((key, delta.by, places.pass(url, &name)), (short(&name), values)))
    });
    let groups = by_key(types).into_iter();
    groups
        .map(|((_, by, place), mut answers)| {
            answers.sort_by_key(|(name, _)| name.len());
            let (others, plain): (Vec<_>, Vec<_>) = answers.iter().partition(|(name, _)| name.contains(" for "));
            let (_, (before, after)) = plain.first().or(others.first()).map(|answer| (*answer).clone()).unwrap_or_default();
            let names = |answers: &[&(String, _)]| listed(&answers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
            let what = match (plain.as_slice(), others.len()) {
                ([], _) => names(&others),
                (plain, 0) => names(plain),
                (plain, count) => format!("{}, and with {}", names(plain), counted(count, "kind of Accept").replace("kind of Accepts", "kinds of Accept")),
            };
            Change::new(BEHAVIOUR, by, format!("another content type: {what}")).from(before).to(after).at(place).advising(
                "Whoever compares it letter for letter (a map, gzip_types, a scraper of one's own) has to accept both.",
            )
        })
        .collect()
}

fn headers(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let headers = of_routes(deltas).filter_map(|(url, seen, delta)| match seen {
        Seen::Header(name, header) => {
            let values = (delta.before.clone(), delta.after.clone());
            Some(((header.clone(), values, delta.by, places.pass(url, name)), short(name)))
        }
        _ => None,
    });
    let groups = by_key(headers).into_iter();
    groups
        .map(|((header, (before, after), by, place), names)| {
            Change::new(BEHAVIOUR, by, format!("the header {header} differs on {}", listed(&names)))
                .from(before.unwrap_or_else(|| "absent".to_owned()))
                .to(after.unwrap_or_else(|| "absent".to_owned()))
                .at(place)
        })
        .collect()
}

/// A key of a JSON answer and the types behind it.
struct Key<'a> {
    path: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

fn json(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let keys = of_routes(deltas).filter_map(|(url, seen, delta)| match seen {
        Seen::Json(name, path) => {
            let key = Key { path, before: delta.before.as_deref(), after: delta.after.as_deref() };
            Some(((short(name), key.before.is_some(), key.after.is_some(), delta.by, said_of(places, url)), key))
        }
        _ => None,
    });
    let groups = by_key(keys).into_iter();
    groups
        .map(|((name, was, is, by, route), keys)| {
            let (level, what, advice) = match (was, is) {
                (true, false) => (BEHAVIOUR, "has lost", "Clients that read them have to do without."),
                (false, _) => (COSMETIC, "has got", ""),
                _ => (BEHAVIOUR, "has another type behind", "Clients that read them have to take the new type."),
            };
            let paths: Vec<String> = keys.iter().map(|key| key.path.to_owned()).collect();
            let types = |of: fn(&Key<'_>) -> Option<String>, otherwise: &str| match was && is {
                true => one_of(keys.iter().filter_map(of).collect::<Vec<_>>().iter()),
                false => otherwise.to_owned(),
            };
            let what = format!("the JSON of {name}{route} {what} {}: {}", counted(keys.len(), "key"), listed(&paths));
            Change::new(level, by, what)
                .from(types(|key| key.before.map(str::to_owned), if was { "there" } else { "absent" }))
                .to(types(|key| key.after.map(str::to_owned), if is { "there" } else { "absent" }))
                .advising(advice)
        })
        .collect()
}

fn assets(deltas: &[Delta]) -> Vec<Change> {
    let assets = of_routes(deltas).filter_map(|(_, seen, delta)| match seen {
        Seen::Asset(path) => Some(((delta.before.is_some(), delta.after.is_some(), delta.by), path.clone())),
        _ => None,
    });
    let groups = by_key(assets).into_iter();
    groups
        .map(|((was, is, by), paths)| {
            let (what, before, after) = match (was, is) {
                (true, false) => ("no longer named by any page", "named", "absent"),
                (false, true) => ("new", "absent", "named"),
                _ => ("answered differently", "one way", "another"),
            };
            let level = if was && is { BEHAVIOUR } else { COSMETIC };
            Change::new(level, by, format!("{} of the pages {what}: {}", counted(paths.len(), "asset"), listed(&paths)))
                .from(before)
                .to(after)
        })
        .collect()
}

fn plain(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let plain = of_routes(deltas).filter_map(|(url, seen, delta)| match seen {
        Seen::Plain(port) => Some((url, port, delta)),
        _ => None,
    });
    plain
        .map(|(url, port, delta)| {
            let (before, after) = (delta.before.clone().unwrap_or_default(), delta.after.clone().unwrap_or_default());
            let answers = |answer: &str| answer.starts_with('2') || answer.starts_with('3');
            let level = if answers(&before) && !answers(&after) { BREAKING } else { BEHAVIOUR };
            Change::new(level, delta.by, format!("{port} gets another answer"))
                .from(before)
                .to(after)
                .at(places.plain(url))
        })
        .collect()
}
