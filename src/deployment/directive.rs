//! The configuration as a tree of directives, each with its place in the user's files.

use std::sync::Arc;

use super::template::Rendering;
use crate::location::Location;

/// One file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path, the way the user named it; of what was made, the path in the Pod.
    pub file: Arc<str>,
    /// Its text, as the user wrote it.
    pub text: Arc<str>,
    /// Where nginx finds it in the Pod.
    pub path_in_pod: String,
    /// Whether no such file was brought: its text was made.
    pub made: bool,
    /// What `include`s it, if the file was made.
    pub(super) stands_for: Option<Location>,
    /// The text that nginx gets, where placeholders were replaced.
    pub(super) rendering: Option<Rendering>,
}

impl ConfigFile {
    /// The text that nginx gets: the user's own, with the placeholders replaced that `--env` gives values for.
    pub fn text_in_pod(&self) -> &str {
        self.rendering.as_ref().map_or(&self.text, |rendering| &rendering.text)
    }

    /// The user's line that a line in the Pod stems from.
    pub(super) fn user_line(&self, line: usize) -> usize {
        let Some(rendering) = &self.rendering else { return line };
        let start = rendering.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        self.text.get(..rendering.origin(start)).map_or(line, |before| before.matches('\n').count() + 1)
    }
}

/// One directive, with its block if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its name, such as `proxy_pass`; in a `map` or `types` block the first word of the entry.
    pub name: String,
    /// What follows the name.
    pub args: Vec<Argument>,
    /// Where its name stands.
    pub location: Location,
    /// What stands between `{` and `}`; of an included file, the directives follow the `include`.
    pub block: Option<Vec<Directive>>,
    /// The line of the `;` or `{`, which is the one that nginx names in its messages.
    pub end_line: usize,
}

/// One argument, as nginx takes it: without quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its text.
    pub text: String,
    /// Where it stands, its opening quote included.
    pub location: Location,
}

impl Directive {
    /// Whether it is called `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The text of the argument at `index`, from zero.
    pub fn arg(&self, index: usize) -> Option<&str> {
        self.args.get(index).map(|arg| arg.text.as_str())
    }

    /// The directives in its block; none if it has no block.
    pub fn children(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The directives called `name` right in its block.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.children().iter().filter(move |child| child.is(name))
    }
}
