//! A directory that is looked at as if it were `/`: its links lead within it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Links in links end somewhere; the kernel has the same limit.
const MOST_LINKS: usize = 40;

/// A directory that stands for `/`.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// `root` seen as `/`.
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where `path` (relative to the tree) is on this machine, links not followed.
    pub(super) fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The path that a file of this machine has in the tree.
    pub(super) fn relative(&self, file: &Path) -> PathBuf {
        Path::new("/").join(file.strip_prefix(&self.root).unwrap_or(file))
    }

    /// What `path` leads to, relative to the tree and free of links; none if it does not exist.
    pub(super) fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let mut resolved = PathBuf::new();
        let mut ahead = components(path);
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                resolved.pop();
                continue;
            }
            let next = resolved.join(&name);
            if !self.at(&next).symlink_metadata().ok()?.is_symlink() {
                resolved = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            let target = fs::read_link(self.at(&next)).ok()?;
            if target.is_absolute() {
                resolved = PathBuf::new();
            }
            for name in components(&target).into_iter().rev() {
                ahead.push_front(name);
            }
        }
        Some(resolved)
    }

    /// What `path` leads to, if that is a file: its place on this machine.
    pub(super) fn file(&self, path: &Path) -> Option<PathBuf> {
        let file = self.at(&self.resolve(path)?);
        file.is_file().then_some(file)
    }
}

fn components(path: &Path) -> VecDeque<OsString> {
    let named = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_within_the_tree() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let root = temporary.path();
        fs::create_dir_all(root.join("usr/lib/x")).expect("directories");
        fs::write(root.join("usr/lib/x/real"), "").expect("a file");
        symlink("usr/lib", root.join("lib")).expect("a link");
        symlink("/lib/x/real", root.join("usr/absolute")).expect("a link");
        symlink("../../../../../usr/absolute", root.join("usr/climbing")).expect("a link");
        symlink("loop", root.join("loop")).expect("a link");

        let tree = Tree::new(root);
        assert_eq!(tree.resolve(Path::new("/usr/climbing")), Some(PathBuf::from("usr/lib/x/real")));
        assert_eq!(tree.file(Path::new("lib/x/real")), Some(root.join("usr/lib/x/real")));
        assert_eq!(tree.resolve(Path::new("loop")), None);
        assert_eq!(tree.resolve(Path::new("etc/passwd")), None);
    }
}
