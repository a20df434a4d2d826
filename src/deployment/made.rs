//! What was made up so that the configuration can be read as a whole.

use crate::location::Location;

/// A part of the configuration that the user did not bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The kind of thing.
    pub kind: MadeKind,
    /// What it is: a path in the Pod, a directive, a placeholder.
    pub what: String,
    /// What stands there now.
    pub by: String,
    /// The line that needs it.
    pub location: Option<Location>,
}

/// The kinds of what is made of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeKind {
    /// The nginx.conf around a fragment, or a directive in it.
    Configuration,
    /// A file that is included.
    Include,
    /// A placeholder that was replaced.
    Placeholder,
}
