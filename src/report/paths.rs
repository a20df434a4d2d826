//! What became of the paths that a run was given.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How many paths a run was given, and what became of them. Those that are neither checked nor broken were not come to: the
/// run was interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// All of them, or of a shard its share.
    pub given: usize,
    /// Those that have their entries in `deployments`.
    pub checked: usize,
    /// Those that could not be checked.
    pub broken: usize,
}

impl Paths {
    /// Those that were not come to.
    pub fn left(self) -> usize {
        self.given.saturating_sub(self.checked + self.broken)
    }
}

/// A path that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The path.
    pub path: String,
    /// The exit code that it would have alone: 2 for wrong input, 3 for what the environment lacks.
    pub exit_code: u8,
    /// Why, and what to do about it.
    pub message: String,
}

impl Broken {
    /// A path and why it could not be checked.
    pub fn new(path: impl Into<String>, error: &Error) -> Self {
        Self { path: path.into(), exit_code: error.exit_code(), message: error.to_string() }
    }
}
