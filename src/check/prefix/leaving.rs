//! Redirects that lead away from the public URL, and who makes them.

use super::super::Check;
use crate::finding::{Finding, Fix};
use crate::location::Location;
use crate::observe::{Observer, Seen};

/// How many of the paths with one fault are named.
const NAMED: usize = 3;

/// Where redirects go that leave the prefix.
pub(super) const THE_PREFIX: &str = "the prefix";

/// A redirect that leads away.
pub(super) struct Leaving<'a> {
    pub(super) seen: &'a Seen,
    /// What it leaves.
    pub(super) what: &'static str,
    /// The line that makes it.
    pub(super) place: Location,
}

impl<'a> Leaving<'a> {
    /// None for what is no redirect, and for one that stays.
    pub(super) fn of(observer: &Observer, seen: &'a Seen) -> Option<Self> {
        let target = seen.redirect()?;
        let what = if target.scheme() != observer.url("/").scheme() {
            "https"
        } else if !observer.is_ours(&target) {
            "the public name"
        } else if !observer.is_inside(&target) {
            THE_PREFIX
        } else {
            return None;
        };
        let written = seen.header(reqwest::header::LOCATION).unwrap_or_default();
        let facts = observer.facts();
        let maker = facts.redirect_maker(seen.url.path(), written);
        let place = maker.map_or_else(|| facts.pass_place(seen.url.path()), |maker| maker.location.clone());
        Some(Self { seen, what, place })
    }

    /// Whether one change mends both.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.what == other.what && self.place == other.place
    }

    /// One finding for all that leave alike.
    pub(super) fn finding(check: &Check, observer: &Observer, all: &[&Self], fix: impl Into<Fix>) -> Option<Finding> {
        let first = all.first()?;
        let each =
            all.iter().take(NAMED).map(|leaving| format!("{}: {}", leaving.seen.url.path(), leaving.seen.summary()));
        let mut actual = each.collect::<Vec<_>>().join("; ");
        let message = match all.len() {
            1 => format!("the redirect of {} leaves {}", first.seen.url.path(), first.what),
            many => format!("the redirects of {} and {} more leave {}", first.seen.url.path(), many - 1, first.what),
        };
        if all.len() > NAMED {
            actual.push_str(&format!("; and {} more", all.len() - NAMED));
        }
        let finding = check
            .finding(message)
            .expected(format!("a redirect that stays below {}", observer.url("/")))
            .actual(actual)
            .at(first.place.clone())
            .fix(fix)
            .shown_by(observer.shell().curl(first.seen));
        Some(finding)
    }
}
