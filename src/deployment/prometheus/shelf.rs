//! The files that Prometheus finds in its container: from beside its configuration, by compose's volumes, in ConfigMaps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::directive::Argument;
use super::super::tree::{Found as InTree, MAX_ENTRIES, Tree};
use super::super::{DeploymentError, glob, layer, read};
use super::systemd::lies_in;
use super::yaml::Origin;
use crate::location::Location;

/// A file or directory of the Pod, and what is there.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    /// Its path in the Pod.
    pub(super) at: String,
    pub(super) source: Source,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A file or directory below `within`; links that lead out of it are not followed.
    Disk { path: PathBuf, within: PathBuf },
    /// An absolute path of the machine that the deployment is from.
    Absolute(Argument),
    /// A text within another file.
    Text { text: Arc<str>, origin: Origin },
}

/// A file that was found.
pub(super) struct Found {
    /// Its path in the Pod.
    pub(super) at: String,
    pub(super) content: Vec<u8>,
    pub(super) origin: Origin,
}

impl Found {
    /// Its content, if that is text.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }
}

/// All mounts together.
pub(super) struct Shelf<'a> {
    mounts: Vec<Mount>,
    tree: &'a Tree,
}

impl<'a> Shelf<'a> {
    pub(super) fn of(mounts: &[Mount], tree: &'a Tree) -> Self {
        let mut mounts = mounts.to_vec();
        // What is mounted deeper hides what is there.
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.at.len()));
        Self { mounts, tree }
    }

    /// The file at a path of the Pod; none if nothing brings it. Without a mount, the tree may have that path.
    pub(super) fn find(&self, at: &str, named: &Location) -> Result<Option<Found>, DeploymentError> {
        for mount in &self.mounts {
            let Some(below) = below(at, &mount.at) else { continue };
            if let Some(found) = self.look(mount, below, at)? {
                return Ok(Some(found));
            }
        }
        let path = self.tree.find(&Argument { text: at.to_owned(), location: named.clone() })?;
        path.filter(|path| path.is_file()).map(|path| on_disk(at, &path)).transpose()
    }

    fn look(&self, mount: &Mount, below: &str, at: &str) -> Result<Option<Found>, DeploymentError> {
        let (path, within) = match &mount.source {
            Source::Text { text, origin } => {
                let content = text.as_bytes().to_vec();
                return Ok(below.is_empty().then(|| Found { at: at.to_owned(), content, origin: origin.clone() }));
            }
            Source::Disk { path, within } => (path.join(below), Some(within)),
            Source::Absolute(named) => match self.tree.find(named)? {
                Some(path) => (path.join(below), None),
                None => return Ok(None),
            },
        };
        // `join("")` leaves a slash behind a file's name.
        let path: PathBuf = path.components().collect();
        let allowed = path.is_file() && within.is_none_or(|within| lies_in(&path, within));
        if allowed { on_disk(at, &path).map(Some) } else { Ok(None) }
    }

    /// The files that fit a pattern of the Pod's paths, each once, in the order of their paths.
    pub(super) fn glob(&self, pattern: &str, named: &Location) -> Result<Vec<Found>, DeploymentError> {
        if !glob::is_pattern(pattern) {
            return Ok(self.find(pattern, named)?.into_iter().collect());
        }
        let mut paths: Vec<String> = self.mounts.iter().flat_map(|mount| self.fitting(mount, pattern)).collect();
        paths.extend(self.in_tree(pattern, named)?);
        paths.sort();
        paths.dedup();
        let found = paths.iter().map(|path| self.find(path, named));
        found.filter_map(Result::transpose).collect()
    }

    /// What the tree itself has.
    fn in_tree(&self, pattern: &str, named: &Location) -> Result<Vec<String>, DeploymentError> {
        let included = self.tree.included(&Argument { text: pattern.to_owned(), location: named.clone() })?;
        let files = included.into_iter().filter(|included| matches!(included.found, InTree::File(_)));
        Ok(files.map(|included| included.path_in_pod).collect())
    }

    fn fitting(&self, mount: &Mount, pattern: &str) -> Vec<String> {
        if glob::path_fits(pattern, &mount.at) {
            return vec![mount.at.clone()];
        }
        let directory = match &mount.source {
            Source::Text { .. } => None,
            Source::Disk { path, .. } => Some(path.clone()),
            Source::Absolute(named) => self.tree.find(named).ok().flatten(),
        };
        let (Some(directory), Some(rest)) = (directory, below(pattern, &mount.at)) else { return Vec::new() };
        fitting_below(&directory, rest).into_iter().map(|below| format!("{}/{below}", mount.at)).collect()
    }
}

/// The paths below a directory that fit a pattern. No link is followed on the way to their last name.
fn fitting_below(directory: &Path, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let next = found.iter().flat_map(|above| {
            let names = match glob::is_pattern(part) {
                true => layer::names(directory, above, MAX_ENTRIES),
                false => vec![part.to_owned()],
            };
            let fitting = names.into_iter().filter(|name| glob::fits(part, name) || name == part);
            fitting.map(move |name| if above.is_empty() { name } else { format!("{above}/{name}") })
        });
        found = next.take(MAX_ENTRIES).collect();
    }
    found
}

fn on_disk(at: &str, path: &Path) -> Result<Found, DeploymentError> {
    let origin = Origin::file(path.display().to_string());
    Ok(Found { at: at.to_owned(), content: read::bytes(path)?, origin })
}

/// What of a path is below another; empty for the same.
fn below<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(above.trim_end_matches('/'))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The directory of a path in the Pod.
pub(super) fn dir_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((dir, _)) => dir,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::Files;
    use crate::deployment::tree::path_in;

    fn disk(files: &Files, at: &str, name: &str) -> Mount {
        Mount { at: at.to_owned(), source: Source::Disk { path: files.path(name), within: files.path("") } }
    }

    #[test]
    fn the_deepest_mount_counts_and_links_lead_nowhere() {
        let files = Files::of(&[("a/p.yml", "dir"), ("b.yml", "file"), ("a/rules/x.yml", "x"), ("a/rules/y.txt", "y")]);
        std::os::unix::fs::symlink("/etc/hostname", files.path("a/rules/out.yml")).unwrap();
        let tree = Tree::new(&files.path(""), None);
        let shelf = Shelf::of(&[disk(&files, "/etc/p", "a"), disk(&files, "/etc/p/p.yml", "b.yml")], &tree);
        let here = Location::new("f", 1, 1);
        let content = |at: &str| shelf.find(at, &here).unwrap().map(|found| String::from_utf8(found.content).unwrap());
        assert_eq!(content("/etc/p/p.yml").as_deref(), Some("file"));
        assert_eq!(content("/etc/p/rules/x.yml").as_deref(), Some("x"));
        assert_eq!(content("/etc/p/rules/out.yml"), None);
        assert_eq!(content("/etc/passwd"), None);
        let found = shelf.glob("/etc/p/rules/*.yml", &here).unwrap();
        assert_eq!(found.iter().map(|found| found.at.as_str()).collect::<Vec<_>>(), ["/etc/p/rules/x.yml"]);
    }

    #[test]
    fn paths_are_resolved_in_their_directory() {
        assert_eq!(path_in("/etc/prometheus", "../x/./y.yml"), "/etc/x/y.yml");
        assert_eq!(path_in("/etc/prometheus", "/a/../b"), "/b");
        assert_eq!((dir_of("/a/b"), dir_of("/a")), ("/a", "/"));
    }
}
