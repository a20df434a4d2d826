//! Which checks are asked: all, or those that `--only` names, without those that `--skip` names with a reason.

use toml::Spanned;

use super::{CATALOGUE, Turn};
use crate::deployment::Settings;
use crate::finding::{Finding, Level};
use crate::location::Location;

/// Which checks are asked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<(String, String)>,
    levels: Vec<(String, Level, String)>,
    slow: bool,
}

/// An id that is not in the catalogue.
#[derive(Debug, thiserror::Error)]
#[error("{}there is no check `{id}`{}; `proxyproof checks` lists all", .location.as_ref().map(|location| format!("{location}: ")).unwrap_or_default(), .nearest.map(|id| format!(", did you mean `{id}`?")).unwrap_or_default())]
pub struct UnknownCheck {
    id: String,
    location: Option<Location>,
    nearest: Option<&'static str>,
}

impl Selection {
    /// Asks only these, or all if there are none, and skips those with the reasons beside them.
    pub fn new(only: Vec<String>, skip: Vec<(String, String)>) -> Result<Self, UnknownCheck> {
        let named = only.iter().chain(skip.iter().map(|(id, _)| id));
        for id in named {
            if !CATALOGUE.iter().any(|check| check.id == id) {
                return Err(UnknownCheck { id: id.clone(), location: None, nearest: nearest(id) });
            }
        }
        Ok(Self { only, skip, levels: Vec::new(), slow: false })
    }

    /// The same, and what a deployment's own settings skip, raise and lower. What is skipped here keeps its reason.
    ///
    /// # Errors
    ///
    /// If they name a check that does not exist; the message says where.
    pub fn under(mut self, settings: &Settings) -> Result<Self, UnknownCheck> {
        for (id, reason) in &settings.skip {
            self.skip.push((known(id, settings)?, reason.clone()));
        }
        for (id, judgement) in &settings.level {
            self.levels.push((known(id, settings)?, judgement.level, judgement.reason.clone()));
        }
        Ok(self)
    }

    /// A finding at the level that it has in this deployment.
    pub(super) fn judged(&self, finding: Finding) -> Finding {
        match self.levels.iter().find(|(id, ..)| id == finding.check) {
            Some((_, level, reason)) if *level != finding.level => {
                let message = format!("{} ({} here: {reason})", finding.message, level.name());
                Finding { level: *level, message, ..finding }
            }
            _ => finding,
        }
    }

    /// Whether checks may take seconds: wait for Prometheus's first scrape, reload, stop and start the programs.
    #[must_use]
    pub fn slow(self, slow: bool) -> Self {
        Self { slow, ..self }
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.slow
    }

    /// Whether a check may reload, stop and start the programs: where it was asked for by its name, or waiting is allowed.
    pub(super) fn may_change(&self, id: &str) -> bool {
        self.slow || self.only.iter().any(|only| only == id)
    }

    /// Whether a check may reload, stop or start the programs.
    pub(crate) fn changes_programs(&self) -> bool {
        let mut after = CATALOGUE.iter().filter(|check| check.turn == Turn::After);
        after.any(|check| self.wants(check.id) && self.may_change(check.id))
    }

    pub(super) fn wants(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }

    pub(super) fn reason_to_skip(&self, id: &str) -> Option<&str> {
        self.skip.iter().find(|(skipped, _)| skipped == id).map(|(_, reason)| reason.as_str())
    }
}

fn known(id: &Spanned<String>, settings: &Settings) -> Result<String, UnknownCheck> {
    let text = id.get_ref();
    match CATALOGUE.iter().any(|check| check.id == text) {
        true => Ok(text.clone()),
        false => Err(UnknownCheck { id: text.clone(), location: settings.location(id), nearest: nearest(text) }),
    }
}

/// The id that begins most alike.
fn nearest(id: &str) -> Option<&'static str> {
    let alike = |candidate: &str| candidate.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    let best = CATALOGUE.iter().map(|check| check.id).max_by_key(|candidate| alike(candidate))?;
    (alike(best) > 2).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_id_is_refused_with_the_nearest_one() {
        let error = Selection::new(vec!["prefix-redirect".to_owned()], Vec::new()).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "there is no check `prefix-redirect`, did you mean `prefix-redirects`?; `proxyproof checks` lists all"
        );
    }
}
