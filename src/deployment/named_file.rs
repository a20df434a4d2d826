//! A file that the configuration names, and its content if the tree brings it.

use super::directive::Argument;
use super::tree::Tree;
use super::{DeploymentError, read};
use crate::location::Location;

/// A file that a directive names.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Its absolute path in the Pod, as nginx resolves it; for what is no file (see [`NamedFile::is_file`]), as written.
    pub path: String,
    /// What the tree brings at this path. For a pair it is both or none.
    pub content: Option<Vec<u8>>,
    /// Where it is named.
    pub location: Location,
}

impl NamedFile {
    /// Whether `path` is the path of one file: it has no variable, and it isn't `data:…`, `engine:…` or `store:…`.
    pub fn is_file(&self) -> bool {
        names_a_file(&self.path)
    }

    pub(super) fn read(named: &Argument, tree: &Tree) -> Result<Self, DeploymentError> {
        let is_file = names_a_file(&named.text);
        let brought = if is_file { tree.find(named)? } else { None };
        Ok(Self {
            path: if is_file { Tree::path_in_pod(&named.text) } else { named.text.clone() },
            content: brought.map(|path| read::bytes(&path)).transpose()?,
            location: named.location.clone(),
        })
    }
}

/// The content may be a private key, so it is not shown.
impl std::fmt::Debug for NamedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let content = self.content.as_ref().map(|content| format!("{} bytes", content.len()));
        f.debug_struct("NamedFile")
            .field("path", &self.path)
            .field("content", &content)
            .field("location", &self.location)
            .finish()
    }
}

fn names_a_file(path: &str) -> bool {
    !path.contains('$') && !["data:", "engine:", "store:"].iter().any(|scheme| path.starts_with(scheme))
}
