//! Directories that have a meaning in `/etc/nginx`, and where in the Pod a file of one belongs.

use std::path::{Path, PathBuf};

use super::super::Options;
use super::super::tree::{CONF_DIR, Found, Included, Tree};

/// Directories of `/etc/nginx`: what is in one is a fragment, and the directory around it stands for `/etc/nginx`.
const USUAL: [&str; 6] = ["conf.d", "http.d", "sites-enabled", "sites-available", "snippets", "vhosts.d"];

/// The directory of a file; empty for the current one.
pub(super) fn parent(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// The directory that stands for `/etc/nginx` if this fragment is in it.
pub(super) fn conf_dir_of(file: &Path) -> PathBuf {
    match usual(parent(file)) {
        Some(_) => above(parent(file)),
        None => parent(file).to_owned(),
    }
}

/// Where a fragment belongs in the Pod.
pub(super) fn place_of(file: &Path) -> String {
    let folder = match usual(parent(file)) {
        Some("sites-available") => "sites-enabled",
        Some(folder) => folder,
        None => "conf.d",
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    // What would need quotes, or be a pattern, is written as a letter.
    let letter = |c: char| if c.is_ascii_alphanumeric() || "._-+@".contains(c) { c } else { '_' };
    format!("{CONF_DIR}/{folder}/{}", name.chars().map(letter).take(200).collect::<String>())
}

/// The fragments in a directory, by their paths in the Pod: all files of sites-enabled, elsewhere the `*.conf`.
pub(super) fn fragments(dir: &Path, tree: Tree, options: &Options) -> (Tree, Vec<(String, PathBuf)>) {
    if let Some(name) = usual(dir) {
        let tree = Tree::new(&above(dir), options.root.as_deref());
        let listed = files(&tree, &format!("{CONF_DIR}/{name}"), name);
        return (tree, listed);
    }
    let mut listed = files(&tree, CONF_DIR, "");
    for name in ["conf.d", "http.d", "sites-enabled"] {
        listed.extend(files(&tree, &format!("{CONF_DIR}/{name}"), name));
    }
    (tree, listed)
}

fn files(tree: &Tree, dir: &str, name: &str) -> Vec<(String, PathBuf)> {
    let all = name.starts_with("sites-");
    let files = tree.files_in(dir).into_iter().filter(|file| all || file.path_in_pod.ends_with(".conf"));
    files
        .filter_map(|Included { path_in_pod, found }| match found {
            Found::File(file) => Some((path_in_pod, file)),
            _ => None,
        })
        .collect()
}

fn usual(dir: &Path) -> Option<&'static str> {
    // `.` has a name too.
    let absolute = std::path::absolute(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }).ok()?;
    let name = absolute.file_name()?.to_str()?;
    USUAL.into_iter().find(|usual| *usual == name)
}

fn above(dir: &Path) -> PathBuf {
    match dir.file_name() {
        Some(_) => dir.parent().unwrap_or(Path::new("")).to_owned(),
        None => dir.join(".."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_put_where_it_belongs() {
        for (file, place, dir) in [
            ("deploy/conf.d/x.conf", "/etc/nginx/conf.d/x.conf", "deploy"),
            ("conf.d/x.conf", "/etc/nginx/conf.d/x.conf", ""),
            ("sites-available/x", "/etc/nginx/sites-enabled/x", ""),
            ("a/snippets/x", "/etc/nginx/snippets/x", "a"),
            ("a/b [1].conf", "/etc/nginx/conf.d/b__1_.conf", "a"),
            ("x;y", "/etc/nginx/conf.d/x_y", ""),
        ] {
            let file = Path::new(file);
            assert_eq!((place_of(file).as_str(), conf_dir_of(file).as_path()), (place, Path::new(dir)));
        }
    }
}
