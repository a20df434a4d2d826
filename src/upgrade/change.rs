//! A change, as a person reads it.

use serde::Serialize;

use super::crossing::Crossing;
use super::diff::{Delta, Observed};
use super::places::Places;
use super::{answers, checks, programs, tls};
use crate::deployment::Deployment;
use crate::location::Location;

/// Something that an upgrade changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What changes, in one sentence.
    pub what: String,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
    /// Whose doing it is; none where that can't be told.
    pub by: Option<By>,
    /// How much it matters.
    pub level: ChangeLevel,
    /// The line of the deployment that it concerns.
    pub location: Option<Location>,
    /// What to do.
    pub advice: String,
    /// Where it is announced or discussed, where that is known.
    pub source: Option<&'static str>,
}

/// Whose doing a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// nginx alone, with the libraries that come with it.
    Nginx,
    /// Prometheus alone.
    Prometheus,
    /// The two together, or each of them.
    Both,
}

/// How much a change matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeLevel {
    /// It is different, and nobody is expected to depend on it.
    Cosmetic,
    /// Clients or operators may depend on it.
    Behaviour,
    /// What worked does not work any more: a program does not start, a check fails, a URL is gone, a client can't connect.
    Breaking,
}

impl By {
    /// As the reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Prometheus => "prometheus",
            Self::Both => "both",
        }
    }
}

impl ChangeLevel {
    /// As the options and the reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Behaviour => "behaviour",
            Self::Breaking => "breaking",
        }
    }
}

impl Change {
    pub(super) fn new(level: ChangeLevel, by: Option<By>, what: impl Into<String>) -> Self {
        let empty = String::new;
        Self {
            what: what.into(),
            before: empty(),
            after: empty(),
            by,
            level,
            location: None,
            advice: empty(),
            source: None,
        }
    }

    pub(super) fn from(self, before: impl Into<String>) -> Self {
        Self { before: before.into(), ..self }
    }

    pub(super) fn to(self, after: impl Into<String>) -> Self {
        Self { after: after.into(), ..self }
    }

    pub(super) fn at(self, location: Option<Location>) -> Self {
        Self { location, ..self }
    }

    pub(super) fn advising(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }
}

/// All that changes, the worst first; what belongs together is one.
pub(super) fn all(observed: &Observed, deployment: &Deployment) -> Vec<Change> {
    let deltas = observed.deltas();
    let places = Places::of(deployment);
    let mut changes: Vec<Change> = [
        programs::refusals(&deltas, observed, &places),
        checks::changes(&deltas, observed),
        answers::changes(&deltas, &places),
        tls::changes(&deltas, &places),
        programs::warnings(&deltas, observed),
        answers::formats(&deltas, &places),
        programs::flags(&deltas, &places),
        programs::metrics(&deltas),
        programs::builds(&deltas),
    ]
    .concat();
    let crossing = Crossing::of(observed);
    for change in &mut changes {
        crossing.explain(change);
    }
    changes.sort_by_key(|change| std::cmp::Reverse(change.level));
    changes
}

/// The deltas of routes, with what clients see.
pub(super) fn of_routes(deltas: &[Delta]) -> impl Iterator<Item = (&str, &super::fact::Seen, &Delta)> {
    deltas.iter().filter_map(|delta| match &delta.fact {
        super::fact::Fact::Route(url, seen) => Some((url.as_str(), seen, delta)),
        _ => None,
    })
}
