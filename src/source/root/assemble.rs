//! Puts a root together from a tree that holds much more: packages that were unpacked, or the host.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::layout;
use crate::source::closure::Files;
use crate::source::tree::Tree;
use crate::source::{Recipe, SourceError};

/// How files come into the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Take {
    /// As a second name of the same file: for a tree that is thrown away afterwards.
    Link,
    /// As a copy: for a tree that must stay as it is.
    Copy,
}

/// A root that is being put together.
pub(in crate::source) struct Assembly<'a> {
    tree: &'a Tree,
    root: PathBuf,
    take: Take,
}

impl<'a> Assembly<'a> {
    /// An empty root in `root`, to be filled from `tree`.
    pub(crate) fn new(tree: &'a Tree, root: PathBuf, take: Take, recipe: Recipe) -> Result<Self, SourceError> {
        layout::skeleton(&root, recipe)?;
        Ok(Self { tree, root, take })
    }

    /// Takes a program with all that it needs.
    pub(crate) fn add_files(&self, files: &Files) -> Result<(), SourceError> {
        files.iter().try_for_each(|(place, file)| self.add_file(place, file))
    }

    /// Takes what is at `path`: a file, a directory with all that is in it, or a link with what it leads to. What is
    /// not there is left out.
    pub(crate) fn add_tree(&self, path: &Path) -> Result<(), SourceError> {
        let (from, to) = (self.tree.at(path), self.root.join(path));
        let Ok(metadata) = from.symlink_metadata() else {
            return Ok(());
        };
        if metadata.is_symlink() {
            return self.add_link(path);
        }
        if !metadata.is_dir() {
            return self.add_file(path, &from);
        }
        fs::create_dir_all(&to).map_err(SourceError::io("create", &to))?;
        for entry in fs::read_dir(&from).map_err(SourceError::io("read", &from))? {
            let entry = entry.map_err(SourceError::io("read", &from))?;
            self.add_tree(&path.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// Fills in what nobody brought, and gives everything its permissions.
    pub(crate) fn finish(self, recipe: Recipe) -> Result<(), SourceError> {
        layout::defaults(&self.root, recipe)?;
        layout::permissions(&self.root, &self.root)
    }

    /// A link leads straight to its end, since what lies between is not in the root. One that leads nowhere is taken
    /// as it is: some packages have such links.
    fn add_link(&self, path: &Path) -> Result<(), SourceError> {
        let link = self.root.join(path);
        if link.symlink_metadata().is_ok() {
            return Ok(());
        }
        create_parent(&link)?;
        let end = self.tree.resolve(path);
        let target = match &end {
            Some(end) => Path::new("/").join(end),
            None => fs::read_link(self.tree.at(path)).map_err(SourceError::io("read", &link))?,
        };
        symlink(target, &link).map_err(SourceError::io("create", &link))?;
        match end {
            Some(end) if self.root.join(&end).symlink_metadata().is_err() => self.add_tree(&end),
            _ => Ok(()),
        }
    }

    fn add_file(&self, place: &Path, file: &Path) -> Result<(), SourceError> {
        let place = self.root.join(place);
        create_parent(&place)?;
        if self.take == Take::Link {
            match fs::hard_link(file, &place) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
                // Not every file system has second names.
                Err(_) => {}
                Ok(()) => return Ok(()),
            }
        }
        fs::copy(file, &place).map(|_| ()).map_err(SourceError::io("write", &place))
    }
}

fn create_parent(path: &Path) -> Result<(), SourceError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(SourceError::io("create", parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_brings_what_it_leads_to() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let (from, to) = (temporary.path().join("from"), temporary.path().join("to"));
        for directory in ["usr/share/prometheus/static", "usr/share/javascript", "usr/share/nodejs/d3"] {
            fs::create_dir_all(from.join(directory)).expect("a directory");
        }
        fs::write(from.join("usr/share/nodejs/d3/d3.js"), "d3").expect("a file");
        symlink("../nodejs/d3", from.join("usr/share/javascript/d3")).expect("a link");
        symlink("../../javascript/d3", from.join("usr/share/prometheus/static/d3")).expect("a link");
        symlink("../../javascript/gone", from.join("usr/share/prometheus/static/gone")).expect("a link");

        let tree = Tree::new(&from);
        let assembly = Assembly::new(&tree, to.clone(), Take::Link, Recipe::Prometheus).expect("a skeleton");
        assembly.add_tree(Path::new("usr/share/prometheus")).expect("taken");
        assembly.finish(Recipe::Prometheus).expect("finished");

        let script = Tree::new(&to).file(Path::new("usr/share/prometheus/static/d3/d3.js")).expect("it is there");
        assert_eq!(fs::read_to_string(script).expect("readable"), "d3");
        assert!(to.join("usr/share/prometheus/static/gone").is_symlink());
        assert!(to.join("etc/prometheus/prometheus.yml").exists());
    }
}
