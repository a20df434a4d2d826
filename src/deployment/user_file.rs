//! One file of the user's: its text, with placeholders replaced, and its directives.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::DeploymentError;
use super::directive::{ConfigFile, Directive};
use super::made::{Made, MadeKind};
use super::read::{self, MAX_CONFIG_BYTES};
use super::source_text::SourceText;
use super::syntax;
use super::template::{self, Placeholder, Rendered};
use crate::location::Location;

/// A file as it was read.
pub(super) struct UserFile {
    pub(super) file: ConfigFile,
    pub(super) directives: Vec<Directive>,
    /// The placeholders that were replaced.
    pub(super) rendered: Vec<Made>,
    /// What looks like a placeholder and has no value, each name once.
    pub(super) placeholders: Vec<Placeholder<Location>>,
}

impl UserFile {
    pub(super) fn read(path: &Path, path_in_pod: String, env: &[(String, String)]) -> Result<Self, DeploymentError> {
        let text = read::config(path)?;
        let file: Arc<str> = path.to_string_lossy().into();
        let most = usize::try_from(MAX_CONFIG_BYTES).unwrap_or(usize::MAX);
        let (rendering, rendered) = template::render(&text, env, most).unzip();
        if rendering.as_ref().is_some_and(|rendering| rendering.text.len() > most) {
            return Err(DeploymentError::TooMuch { location: Location::new(file, 1, 1) });
        }
        let source = SourceText::rendered(&file, &text, rendering.as_ref());
        template::refuse_foreign(&source)?;
        let placeholders = located(&source);
        let directives = syntax::parse_source(&source).map_err(|error| {
            // The mistake may be that of a placeholder which holds a whole directive.
            let set = names_set(source.text);
            template::missing(&placeholders, |name| set.contains(name)).unwrap_or(error)
        })?;
        let rendered = rendered.unwrap_or_default().into_iter().map(|place| made(&file, &text, place)).collect();
        let file = ConfigFile { file, text: text.into(), path_in_pod, made: false, stands_for: None, rendering };
        Ok(Self { file, directives, rendered, placeholders })
    }
}

fn located(source: &SourceText<'_>) -> Vec<Placeholder<Location>> {
    let mut names = BTreeSet::new();
    let mut located = Vec::new();
    for Placeholder { name, default, at } in template::placeholders(source.text) {
        if names.insert((name.clone(), default.is_some())) {
            located.push(Placeholder { name, default, at: source.location(at) });
        }
    }
    located
}

/// The variables that a text sets, as far as that can be told before it is read.
fn names_set(text: &str) -> BTreeSet<&str> {
    let set = text.match_indices("set $").map(|(at, set)| &text[at + set.len()..]);
    set.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()).collect()
}

/// The value is not told: it may be a secret.
fn made(file: &Arc<str>, text: &str, rendered: Rendered) -> Made {
    let Rendered { name, offset } = rendered;
    Made {
        kind: MadeKind::Placeholder,
        by: format!("the value that --env {name}=… gives"),
        what: format!("${{{name}}}"),
        location: Some(SourceText::new(file, text).location(offset)),
    }
}
