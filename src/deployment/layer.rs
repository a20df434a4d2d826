//! One directory that stands for a part of the Pod's files.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// What is in a place of the Pod.
pub(super) enum Entry {
    Dir,
    /// A link, and what it says.
    Link(PathBuf),
    /// Anything else, by its place on this machine.
    File(PathBuf),
}

/// What `below` names in `base`. No link is followed on the way: where links lead is for the tree to say.
pub(super) fn entry(base: &Path, below: &str) -> Option<Entry> {
    let mut place = base.to_owned();
    let mut names = below.split('/').filter(|name| !name.is_empty()).peekable();
    if names.peek().is_none() {
        return Some(Entry::Dir);
    }
    while let Some(name) = names.next() {
        place.push(name);
        let metadata = place.symlink_metadata().ok()?;
        match names.peek() {
            Some(_) if metadata.is_dir() => {}
            Some(_) if !metadata.is_symlink() => return None,
            _ => return kind(place, &metadata).filter(|_| names.peek().is_none()),
        }
    }
    None
}

fn kind(place: PathBuf, metadata: &Metadata) -> Option<Entry> {
    match metadata {
        metadata if metadata.is_symlink() => fs::read_link(place).ok().map(Entry::Link),
        metadata if metadata.is_dir() => Some(Entry::Dir),
        _ => Some(Entry::File(place)),
    }
}

/// The names in a directory of `base`, at most so many.
pub(super) fn names(base: &Path, below: &str, most: usize) -> Vec<String> {
    if !matches!(entry(base, below), Some(Entry::Dir)) {
        return Vec::new();
    }
    // `read_dir("")` is an error where `read_dir(".")` is meant.
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let entries = fs::read_dir(base.join(below)).into_iter().flatten().take(most).flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
