//! A place in a file of the deployment: what every fact, substitution and finding points to.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A line and column of a file, both counted from one.
///
/// The file is named the way the user named it, so that an editor or a CI annotation opens it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to where the user is if the user named it so.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Location {
    /// The place `line`:`column` of `file`.
    pub fn new(file: impl Into<Arc<str>>, line: usize, column: usize) -> Self {
        Self { file: file.into(), line, column }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
