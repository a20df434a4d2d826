//! What a check says when something is wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
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
    /// What to write instead.
    pub fix: String,
    /// A command that shows it again, while the Lab is kept.
    pub reproduce: Option<String>,
}
