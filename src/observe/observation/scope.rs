//! How much of a Lab is looked at: all that can be seen, or what a comparison left open.

use std::collections::BTreeSet;

/// A part of an observation that is looked at on its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The encryption.
    Tls,
    /// What plain HTTP gets.
    Plain,
    /// What one path answers, by its name in the observation.
    Answer(String),
    /// What the pages that are asked for name, and what comes.
    Assets,
    /// The content type of the metrics for who accepts this.
    Accepted(String),
    /// The names, types and descriptions of the metrics.
    Families,
    /// The values of Prometheus's flags.
    Flags,
    /// What came of one check, by its id.
    Check(String),
}

/// How much of a Lab is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All that can be seen.
    Everything,
    /// These parts, and what the programs say of themselves unasked.
    Parts(BTreeSet<Part>),
}

impl Scope {
    /// Whether this part is looked at.
    pub(crate) fn has(&self, part: &Part) -> bool {
        match self {
            Self::Everything => true,
            Self::Parts(parts) => parts.contains(part),
        }
    }

    /// Whether the path of this name is asked for.
    pub(super) fn asks(&self, name: &str) -> bool {
        self.has(&Part::Answer(name.to_owned()))
    }

    /// Whether nothing is looked at.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Parts(parts) if parts.is_empty())
    }

    /// Whether any path is asked for.
    pub(super) fn asks_paths(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::Parts(parts) => parts.iter().any(|part| matches!(part, Part::Answer(_))),
        }
    }

    /// The only checks that are asked; none if all are.
    pub(crate) fn only_checks(&self) -> Option<Vec<String>> {
        let Self::Parts(parts) = self else { return None };
        let id = |part: &Part| if let Part::Check(id) = part { Some(id.clone()) } else { None };
        Some(parts.iter().filter_map(id).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_parts_only_those_are_asked() {
        let parts = [Part::Tls, Part::Answer("GET /graph".to_owned()), Part::Check("ui-page".to_owned())];
        let scope = Scope::Parts(parts.into());
        assert!(scope.has(&Part::Tls) && scope.asks("GET /graph"));
        assert!(!scope.has(&Part::Plain) && !scope.asks("GET /"));
        assert_eq!(scope.only_checks(), Some(vec!["ui-page".to_owned()]));
        assert!(Scope::Everything.asks("GET /") && Scope::Everything.only_checks().is_none());
    }
}
