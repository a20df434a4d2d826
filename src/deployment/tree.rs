//! The files that the deployment brings, as the Pod sees them. Nothing else of this machine is read.
//!
//! A path is looked up in the directory of `--root` first, which mirrors `/`, then in the directory that stands for
//! `/etc/nginx`. Links are followed within that, as if it were a machine of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use super::directive::Argument;
use super::layer::{self, Entry};
use super::{DeploymentError, glob};

/// Where nginx looks for relative paths in the Pod.
pub(super) const CONF_DIR: &str = "/etc/nginx";

/// How many names of directories one pattern may look at.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// Links in links end somewhere; the kernel has the same limit.
const MOST_LINKS: usize = 40;

/// The kernel takes no longer path.
const LONGEST_PATH: usize = 4096;

/// The files that the deployment brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    dir: PathBuf,
    root: Option<PathBuf>,
    /// Files that have a place of their own in the Pod.
    placed: BTreeMap<String, PathBuf>,
}

/// What an `include` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Included {
    pub(super) path_in_pod: String,
    pub(super) found: Found,
}

/// What a path in the Pod leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file of this machine (which may be a device, too).
    File(PathBuf),
    Dir(String),
    /// A link whose target nobody has.
    LinkTo(String),
    Nothing,
}

impl Tree {
    /// `dir` as `/etc/nginx`, and `root` as `/`.
    pub(super) fn new(dir: &Path, root: Option<&Path>) -> Self {
        Self { dir: dir.to_owned(), root: root.map(Path::to_owned), placed: BTreeMap::new() }
    }

    /// Puts a file of this machine into the Pod.
    pub(super) fn place(&mut self, path_in_pod: String, file: &Path) {
        self.placed.insert(path_in_pod, file.to_owned());
    }

    /// The directory that stands for `/etc/nginx`, as the user named it; empty for the current one.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The absolute path that nginx makes of a path in its configuration, `.` and `..` resolved.
    pub fn path_in_pod(named: &str) -> String {
        path_in(CONF_DIR, named)
    }

    /// The file of the tree that a path in the configuration names, if the tree has it.
    ///
    /// # Errors
    /// If it is a link to what the tree does not have.
    pub fn find(&self, named: &Argument) -> Result<Option<PathBuf>, DeploymentError> {
        let path = Self::path_in_pod(&named.text);
        match self.lookup(&path) {
            Found::File(file) => Ok(Some(file)),
            Found::Dir(_) | Found::Nothing => Ok(None),
            Found::LinkTo(target) => Err(leads_out(named, path, target)),
        }
    }

    /// The files that an `include` names: one, perhaps one that is nowhere, or those that fit a pattern.
    pub(super) fn included(&self, named: &Argument) -> Result<Vec<Included>, DeploymentError> {
        if !glob::is_pattern(&named.text) {
            let path_in_pod = Self::path_in_pod(&named.text);
            let found = self.lookup(&path_in_pod);
            return Ok(vec![Included { path_in_pod, found }]);
        }
        let too_many =
            || DeploymentError::TooManyFiles { location: named.location.clone(), pattern: named.text.clone() };
        let paths = self.matches(&Self::path_in_pod(&named.text)).ok_or_else(too_many)?;
        let included = paths.into_iter().map(|path_in_pod| Included { found: self.lookup(&path_in_pod), path_in_pod });
        Ok(included.filter(|included| included.found != Found::Nothing).collect())
    }

    /// The files right in a directory of the Pod, sorted by name; hidden ones are none.
    pub(super) fn files_in(&self, dir: &str) -> Vec<Included> {
        let paths = self.matches(&format!("{dir}/*")).unwrap_or_default();
        let included = paths.into_iter().map(|path_in_pod| Included { found: self.lookup(&path_in_pod), path_in_pod });
        included.filter(|included| matches!(included.found, Found::File(_))).collect()
    }

    /// Where a path in the configuration leads in the Pod, and to what.
    pub(super) fn look(&self, named: &str) -> Found {
        self.lookup(&Self::path_in_pod(named))
    }

    /// The paths of all that is right in a directory of the Pod, hidden or not, sorted by name; at most `most` of them.
    pub(super) fn entries_in(&self, dir: &str, most: usize) -> Vec<(String, Found)> {
        let listed = self.layers(dir).flat_map(|(base, below)| layer::names(base, below, most));
        let names: BTreeSet<String> = listed.chain(self.implied(dir).map(str::to_owned)).collect();
        let paths = names.into_iter().take(most).map(|name| format!("{dir}/{name}"));
        paths.map(|path| (path.clone(), self.lookup(&path))).collect()
    }

    /// What an absolute path in the Pod leads to, link by link.
    pub(super) fn lookup(&self, path: &str) -> Found {
        if path.len() > LONGEST_PATH {
            return Found::Nothing;
        }
        let mut resolved = String::new();
        let mut ahead: VecDeque<(String, bool)> = names(path).map(|name| (name, false)).collect();
        let mut links = 0;
        while let Some((name, linked)) = ahead.pop_front() {
            if name == ".." {
                resolved.truncate(resolved.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{resolved}/{name}");
            match self.entry(&next) {
                Some(Entry::Dir) => resolved = next,
                Some(Entry::File(file)) if ahead.is_empty() => return Found::File(file),
                Some(Entry::Link(target)) if links < MOST_LINKS => {
                    links += 1;
                    let target = target.to_string_lossy();
                    if target.starts_with('/') {
                        resolved.clear();
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        ahead.push_front((name, true));
                    }
                }
                _ if linked => return Found::LinkTo(rest_of(next, &ahead)),
                _ => return Found::Nothing,
            }
        }
        Found::Dir(resolved)
    }

    /// What is in a place of the Pod, links not followed.
    fn entry(&self, path: &str) -> Option<Entry> {
        if let Some(file) = self.placed.get(path) {
            return Some(Entry::File(file.clone()));
        }
        let mut layers = self.layers(path);
        let found = layers.find_map(|(base, below)| layer::entry(base, below));
        found.or_else(|| self.implied(path).next().map(|_| Entry::Dir))
    }

    fn layers<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a Path, &'a str)> {
        let root = self.root.as_deref().map(|root| (root, path.trim_start_matches('/')));
        let below = path.strip_prefix(CONF_DIR).filter(|below| below.is_empty() || below.starts_with('/'));
        root.into_iter().chain(below.map(|below| (self.dir.as_path(), below.trim_start_matches('/'))))
    }

    /// The names in a directory of which it is only known that something is in it: `/etc`, as there is `/etc/nginx`.
    fn implied<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = &'a str> {
        let known = self.placed.keys().map(String::as_str).chain([CONF_DIR]);
        known.filter_map(move |path| path.strip_prefix(dir)?.strip_prefix('/')?.split('/').next())
    }

    /// The paths that fit a pattern, in the order in which nginx reads them; none if there are too many to look at.
    fn matches(&self, pattern: &str) -> Option<Vec<String>> {
        if pattern.len() > LONGEST_PATH {
            return Some(Vec::new());
        }
        let mut budget = MAX_ENTRIES;
        let mut found = vec![String::new()];
        for component in names(pattern) {
            let mut next = Vec::new();
            for dir in &found {
                next.extend(self.next_level(dir, &component, &mut budget)?);
            }
            found = next;
        }
        Some(found)
    }

    fn next_level(&self, dir: &str, component: &str, budget: &mut usize) -> Option<Vec<String>> {
        if !glob::is_pattern(component) {
            *budget = budget.checked_sub(1)?;
            return Some(vec![format!("{dir}/{component}")]);
        }
        let Found::Dir(resolved) = self.lookup(dir) else { return Some(Vec::new()) };
        let most = *budget + 1;
        let listed = self.layers(&resolved).flat_map(|(base, below)| layer::names(base, below, most));
        let names: BTreeSet<String> = listed.chain(self.implied(&resolved).map(str::to_owned)).collect();
        *budget = budget.checked_sub(names.len())?;
        let fitting = names.iter().filter(|name| glob::fits(component, name));
        Some(fitting.map(|name| format!("{dir}/{name}")).collect())
    }
}

/// The absolute path in the Pod of one that is written in a file in `dir`, `.` and `..` resolved.
pub(super) fn path_in(dir: &str, named: &str) -> String {
    let mut path = PathBuf::from("/");
    for component in Path::new(dir).join(named).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                path.pop();
            }
            _ => {}
        }
    }
    path.to_string_lossy().into_owned()
}

/// The error for a link out of the tree.
pub(super) fn leads_out(named: &Argument, file: String, target: String) -> DeploymentError {
    DeploymentError::LeadsOut { location: named.location.clone(), file, target }
}

fn names(path: &str) -> impl Iterator<Item = String> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned)
}

fn rest_of(place: String, ahead: &VecDeque<(String, bool)>) -> String {
    ahead.iter().fold(place, |path, (name, _)| format!("{path}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::Files;
    use std::os::unix::fs::symlink;

    fn found(tree: &Tree, path: &str) -> String {
        match tree.lookup(path) {
            Found::File(file) => std::fs::read_to_string(file).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn paths_are_resolved_as_nginx_does() {
        for (named, expected) in [
            ("mime.types", "/etc/nginx/mime.types"),
            ("./conf.d/../a", "/etc/nginx/a"),
            ("../../root/key", "/root/key"),
            ("/etc/ssl/x", "/etc/ssl/x"),
        ] {
            assert_eq!(Tree::path_in_pod(named), expected);
        }
    }

    #[test]
    fn the_root_comes_first_and_then_the_tree() {
        let files = Files::of(&[("t/a", "tree"), ("t/b", "tree"), ("r/etc/nginx/a", "root"), ("r/srv/c", "root")]);
        let tree = Tree::new(&files.path("t"), Some(&files.path("r")));
        assert_eq!(found(&tree, "/etc/nginx/a"), "root");
        assert_eq!(found(&tree, "/etc/nginx/b"), "tree");
        assert_eq!(found(&tree, "/srv/c"), "root");
        assert_eq!(found(&tree, "/srv/c/d"), "Nothing");
        assert_eq!(found(&tree, "/etc/passwd"), "Nothing");
        assert_eq!(tree.matches("/etc/nginx/*").unwrap(), ["/etc/nginx/a", "/etc/nginx/b"]);
        assert_eq!(tree.matches("/[es]*/c").unwrap(), ["/etc/c", "/srv/c"]);
        assert_eq!(tree.matches("/et?/ngin[x]/b").unwrap(), ["/etc/nginx/b"]);
    }

    #[test]
    fn links_lead_within_the_tree_alone() {
        let files = Files::of(&[("t/sites-available/x", "site"), ("t/e/y", "own"), ("r/opt/z", "root")]);
        let dir = files.path("t");
        for (target, link) in [
            ("../sites-available/x", "e/relative"),
            ("/etc/nginx/sites-available/x", "e/absolute"),
            ("/etc/nginx/sites-available", "dir"),
            ("/opt/z", "e/root"),
            ("../../../../../../opt/z", "e/climbing"),
            ("/etc/passwd", "e/out"),
            ("loop", "loop"),
            ("/", "slash"),
        ] {
            symlink(target, dir.join(link)).unwrap();
        }
        // The layer above has a directory where the tree has a link: the link is not followed by the system.
        symlink("/etc", dir.join("host")).unwrap();
        std::fs::create_dir_all(files.path("r/etc/nginx/host")).unwrap();
        let tree = Tree::new(&dir, Some(&files.path("r")));
        for (path, expected) in [
            ("e/relative", "site"),
            ("e/absolute", "site"),
            ("dir/x", "site"),
            ("e/root", "root"),
            ("e/climbing", "root"),
            ("slash/etc/nginx/e/y", "own"),
            ("e/out", "LinkTo(\"/etc/passwd\")"),
            ("loop", "LinkTo(\"/etc/nginx/loop\")"),
            ("host/passwd", "Nothing"),
            ("dir/none", "Nothing"),
        ] {
            assert_eq!(found(&tree, &format!("/etc/nginx/{path}")), expected, "{path}");
        }
        assert_eq!(tree.matches("/etc/nginx/dir/*").unwrap(), ["/etc/nginx/dir/x"]);
    }

    #[test]
    fn patterns_are_bounded() {
        let files = Files::of(&[("a/x", "")]);
        for link in ["b", "c", "d"] {
            symlink(".", files.path(link)).unwrap();
        }
        let tree = Tree::new(&files.path(""), None);
        assert!(tree.matches(&format!("/etc/nginx{}", "/*".repeat(30))).is_none());
        assert!(tree.matches(&"*".repeat(100_000)).unwrap().is_empty());
    }
}
