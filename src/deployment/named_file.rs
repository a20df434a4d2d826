//! A file that the configuration names, and its content if the tree brings it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::directive::Argument;
use super::tree::Tree;
use super::{DeploymentError, read};
use crate::location::Location;

/// How many bytes of memory all named files may take: thousands of servers can inherit thousands of them.
const MAX_MEMORY: usize = 64 * 1024 * 1024;
/// What a look at the disk counts for, so that their number is bounded too.
const LOOK: usize = 2048;

/// A file that a directive names.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Its absolute path in the Pod, as nginx resolves it; for what is no file (see [`NamedFile::is_file`]), as written.
    pub path: String,
    /// What the tree brings at this path.
    pub content: Option<Arc<[u8]>>,
    /// Where it is named.
    pub location: Location,
}

impl NamedFile {
    /// Whether `path` is the path of one file: it has no variable, and it isn't `data:…`, `engine:…` or `store:…`.
    pub fn is_file(&self) -> bool {
        names_a_file(&self.path)
    }
}

/// Reads what the tree brings: each file once, and all of them within one bound.
pub(super) struct Reader<'a> {
    pub(super) tree: &'a Tree,
    known: HashMap<PathBuf, Arc<[u8]>>,
    /// The paths that have been looked for in vain: thousands of servers may inherit the same ones.
    missing: HashSet<String>,
    left: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        Self { tree, known: HashMap::new(), missing: HashSet::new(), left: MAX_MEMORY }
    }

    /// The file that an argument names, relative to the nginx.conf.
    pub(super) fn named(&mut self, named: &Argument) -> Result<NamedFile, DeploymentError> {
        let is_file = names_a_file(&named.text);
        let path = if is_file { Tree::path_in_pod(&named.text) } else { named.text.clone() };
        let content = if is_file { self.content(named)? } else { None };
        self.charge(size_of::<NamedFile>() + path.len(), &named.location)?;
        Ok(NamedFile { path, content, location: named.location.clone() })
    }

    /// What the tree has at a path.
    fn content(&mut self, named: &Argument) -> Result<Option<Arc<[u8]>>, DeploymentError> {
        if self.missing.contains(&named.text) {
            return Ok(None);
        }
        self.charge(LOOK, &named.location)?;
        if let Some(path) = self.tree.find(named)? {
            return self.read(path, &named.location).map(Some);
        }
        self.missing.insert(named.text.clone());
        Ok(None)
    }

    /// The content of a file of this host.
    pub(super) fn read(&mut self, path: PathBuf, location: &Location) -> Result<Arc<[u8]>, DeploymentError> {
        if let Some(known) = self.known.get(&path) {
            return Ok(Arc::clone(known));
        }
        let content: Arc<[u8]> = read::bytes(&path)?.into();
        self.charge(content.len() + path.as_os_str().len(), location)?;
        self.known.insert(path, Arc::clone(&content));
        Ok(content)
    }

    /// Takes memory from what is left.
    pub(super) fn charge(&mut self, bytes: usize, location: &Location) -> Result<(), DeploymentError> {
        let too_much = || DeploymentError::TooMuch { location: location.clone() };
        self.left = self.left.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
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
