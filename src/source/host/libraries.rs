//! Where this machine keeps its libraries.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::source::tree::Tree;
use crate::source::{Arch, recipe};

/// First comes the directory of the C library, where the loader looks without being told, and where all libraries go in
/// the root.
pub(super) fn directories(tree: &Tree, arch: Arch) -> Vec<PathBuf> {
    let mut directories = recipe::library_directories(arch);
    directories.extend(["lib64", "lib", "usr/local/lib"].map(PathBuf::from));
    directories.extend(listed(&loader_cache()));
    let first = directories.iter().position(|directory| tree.file(&directory.join("libc.so.6")).is_some());
    if let Some(first) = first {
        directories.swap(0, first);
    }
    directories
}

/// What the loader found when it was last told to look; nothing on a machine without `ldconfig`.
fn loader_cache() -> String {
    let output = Command::new("/sbin/ldconfig").arg("-p").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The directories in lines like `libz.so.1 (libc6,x86-64) => /lib/libz.so.1`.
fn listed(cache: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let files = cache.lines().filter_map(|line| line.split(" => ").nth(1));
    for directory in files.filter_map(|file| Path::new(file).parent()) {
        if !found.iter().any(|known| known == directory) {
            found.push(directory.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_directory_of_the_loader_is_listed_once() {
        let cache =
            "2 libs found in cache\n\tliba.so (libc6) => /opt/lib/liba.so\n\tlibb.so (libc6) => /opt/lib/libb.so\n";
        assert_eq!(listed(cache), [PathBuf::from("/opt/lib")]);
    }
}
