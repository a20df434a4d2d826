//! What a check says when something is wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::CheckId;
use crate::location::Location;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It could be better.
    Note,
    /// It works today, and is insecure or fragile.
    Warning,
    /// What the deployment exists for is broken, or something private is open.
    Error,
}

impl Level {
    /// As the options and the reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that is wrong, with where it is and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check that found it.
    #[serde(deserialize_with = "crate::check::known_id")]
    pub check: CheckId,
    /// How much it matters.
    pub level: Level,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What a working deployment would have shown.
    pub expected: String,
    /// What was seen instead.
    pub actual: String,
    /// The line that causes it. None is better than a wrong one.
    pub location: Option<Location>,
    /// What to write instead, in words that can be pasted.
    pub fix: String,
    /// The same as edits of the configuration, where it is that.
    pub edits: Vec<Edit>,
    /// A command that shows it again, while the Lab is kept.
    pub reproduce: Option<String>,
}

/// What mends a finding: words for people, and edits of the configuration where it is that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// The words.
    pub text: String,
    /// The edits, all of which belong together.
    pub edits: Vec<Edit>,
}

/// One change to a file of the deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What happens to the directive.
    pub action: EditAction,
    /// The directive.
    pub location: Location,
    /// What is written; empty where it is removed.
    pub text: String,
}

/// What an edit does to the directive that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditAction {
    /// Something else is written in its place.
    Replace,
    /// Something is written on the line before it.
    InsertBefore,
    /// Something is written on the line after it.
    InsertAfter,
    /// Something is written as the first line of its block.
    InsertInto,
    /// It goes.
    Remove,
}

impl Fix {
    /// Writes `text` in the place of the directive at `location`.
    pub fn replace(location: Location, text: impl Into<String>) -> Self {
        Self::edit(EditAction::Replace, location, text)
    }

    /// Writes `text` on the line after the directive at `location`.
    pub fn insert_after(location: Location, text: impl Into<String>) -> Self {
        Self::edit(EditAction::InsertAfter, location, text)
    }

    /// Writes `text` on the line before the directive at `location`.
    pub fn insert_before(location: Location, text: impl Into<String>) -> Self {
        Self::edit(EditAction::InsertBefore, location, text)
    }

    /// Writes `text` as the first line of the block of the directive at `location`.
    pub fn insert_into(location: Location, text: impl Into<String>) -> Self {
        Self::edit(EditAction::InsertInto, location, text)
    }

    /// Takes the directive at `location` away; the words say why that helps.
    pub fn remove(location: Location, words: impl Into<String>) -> Self {
        let edit = Edit { action: EditAction::Remove, location, text: String::new() };
        Self { text: words.into(), edits: vec![edit] }
    }

    /// The same edits, said in other words.
    #[must_use]
    pub fn said(self, words: impl Into<String>) -> Self {
        Self { text: words.into(), ..self }
    }

    fn edit(action: EditAction, location: Location, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text: text.clone(), edits: vec![Edit { action, location, text }] }
    }
}

impl<T: Into<String>> From<T> for Fix {
    fn from(words: T) -> Self {
        Self { text: words.into(), edits: Vec::new() }
    }
}
