//! Directories that hold many deployments.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::tree::{Found, Tree};
use super::super::{DeploymentError, Options, read};
use super::kind::{Kind, classify};
use super::{MAIN, folder};

/// How deep deployments lie below the directory that is named.
const DEEPEST: usize = 8;

/// The deployments at `path`, in the order of their names: the path itself, or those in the directories below it where it
/// is no deployment itself.
///
/// A directory is one if it has an `nginx.conf` or fragments. If it has no `nginx.conf` and several files that are each
/// a whole configuration, each of those is one. Directories of hidden names and links to directories are not gone into.
///
/// # Errors
/// If a directory can't be read.
pub(in crate::deployment) fn deployments(path: &Path, options: &Options) -> Result<Vec<PathBuf>, DeploymentError> {
    let mut found = Vec::new();
    if path.is_dir() {
        // Which directories are meant has nothing to do with what is in the place of absolute paths.
        let options = Options { root: None, ..options.clone() };
        collect(path, &options, DEEPEST, &mut found)?;
    }
    // What is none says so when it is loaded.
    Ok(if found.is_empty() { vec![path.to_owned()] } else { found })
}

fn collect(dir: &Path, options: &Options, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), DeploymentError> {
    let tree = Tree::new(dir, None);
    if matches!(tree.lookup(MAIN), Found::File(_)) {
        found.push(dir.to_owned());
        return Ok(());
    }
    let (_, fragments) = folder::fragments(dir, tree, options);
    let whole = |file: &Path| matches!(classify(file, options), Ok(Some(Kind::Full)));
    let wholes: Vec<&PathBuf> = fragments.iter().map(|(_, file)| file).filter(|file| whole(file)).collect();
    if wholes.len() > 1 {
        found.extend(wholes.into_iter().cloned());
    } else if !fragments.is_empty() {
        found.push(dir.to_owned());
    } else if depth > 0 {
        for directory in directories(dir)? {
            collect(&directory, options, depth - 1, found)?;
        }
    }
    Ok(())
}

/// The directories in one, by name.
fn directories(dir: &Path) -> Result<Vec<PathBuf>, DeploymentError> {
    let unreadable = |error| read::unreadable(dir, error);
    let mut directories = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.file_type().map_err(unreadable)?.is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "events {} http { server { listen 80; location / { proxy_pass http://prometheus:9090; } } }";
    const FRAGMENT: &str = "server { listen 80; location / { proxy_pass http://prometheus:9090; } }";

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let paths = deployments(dir.path(), &Options::default()).unwrap();
        let relative = |path: PathBuf| path.strip_prefix(dir.path()).unwrap().display().to_string();
        paths.into_iter().map(relative).collect()
    }

    #[test]
    fn a_directory_with_a_configuration_is_one_deployment() {
        assert_eq!(found(&[("nginx.conf", WHOLE), ("conf.d/a.conf", FRAGMENT), ("b/nginx.conf", WHOLE)]), [""]);
        assert_eq!(found(&[("a.conf", FRAGMENT), ("b.conf", FRAGMENT)]), [""]);
        assert_eq!(found(&[("sites-enabled/a", FRAGMENT), ("snippets/b.conf", "")]), [""]);
    }

    #[test]
    fn whole_configurations_side_by_side_are_deployments_of_their_own() {
        assert_eq!(found(&[("b.conf", WHOLE), ("a.conf", WHOLE), ("c.conf", FRAGMENT)]), ["a.conf", "b.conf"]);
    }

    #[test]
    fn those_below_come_by_name_and_what_is_none_is_passed_over() {
        let files = [
            ("b/site.conf", FRAGMENT),
            ("a/x/nginx.conf", WHOLE),
            ("a/y/nginx.conf", "not nginx"),
            ("pki/ca.pem", ""),
            (".git/nginx.conf", WHOLE),
        ];
        assert_eq!(found(&files), ["a/x", "a/y", "b"]);
    }

    #[test]
    fn a_directory_without_any_is_itself_and_says_so_when_it_is_loaded() {
        assert_eq!(found(&[("pki/ca.pem", "")]), [""]);
    }
}
