//! The directories of `root` and `alias`, and the files that the tree has below them.

use std::fs;
use std::path::{Path, PathBuf};

use super::walk::Walk;
use super::{FileKind, FileUse};
use crate::deployment::DeploymentError;
use crate::deployment::directive::Argument;
use crate::deployment::named_file::NamedFile;
use crate::deployment::read::MAX_BYTES;
use crate::deployment::tree::CONF_DIR;
use crate::location::Location;

/// How much of a site is taken: its pages are not what a run is about.
const MAX_FILES: usize = 500;
const MAX_SITE_BYTES: u64 = 16 * 1024 * 1024;
const MAX_DEPTH: usize = 16;

impl Walk<'_> {
    /// Takes down a directory that nginx serves files from.
    pub(super) fn site(&mut self, named: &Argument, elsewhere: Vec<String>) -> Result<(), DeploymentError> {
        let path = named.text.trim_end_matches('/');
        // The configuration itself is there, and a site in `/` is not made.
        let is_there = path.is_empty() || path == CONF_DIR;
        if is_there || self.is_known(FileKind::Site, path) || self.is_known(FileKind::SiteFile, path) {
            return Ok(());
        }
        let named = Argument { text: path.to_owned(), location: named.location.clone() };
        match self.reader.tree.find(&named)? {
            Some(place) if place.is_dir() => self.brought(&place, &named),
            // An `alias` can be of one file.
            Some(place) => self.site_file(place, &named),
            None => self.made(FileKind::Site, &named, elsewhere),
        }
    }

    fn brought(&mut self, place: &Path, named: &Argument) -> Result<(), DeploymentError> {
        let mut site = Site::default();
        site.look(place, 0);
        self.made(if site.cut { FileKind::CutSite } else { FileKind::SiteFile }, named, Vec::new())?;
        site.files.sort_unstable();
        for file in site.files {
            let below = file.strip_prefix(place).unwrap_or(&file).to_string_lossy().into_owned();
            let text = format!("{}/{below}", named.text);
            self.site_file(file, &Argument { text, location: named.location.clone() })?;
        }
        Ok(())
    }

    fn site_file(&mut self, place: PathBuf, named: &Argument) -> Result<(), DeploymentError> {
        if self.is_known(FileKind::SiteFile, &named.text) {
            return Ok(());
        }
        let location: &Location = &named.location;
        let content = Some(self.reader.read(place, location)?);
        let file = NamedFile { path: named.text.clone(), content, location: location.clone() };
        self.add(FileUse { kind: FileKind::SiteFile, file, elsewhere: Vec::new() })
    }
}

/// What a directory of the tree has to serve.
#[derive(Default)]
struct Site {
    files: Vec<PathBuf>,
    bytes: u64,
    /// Whether there is more than this: links, which may lead out of the tree, among it.
    cut: bool,
}

impl Site {
    fn look(&mut self, directory: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(directory) else {
            self.cut = true;
            return;
        };
        let mut entries: Vec<_> = entries.take(MAX_FILES + 1).filter_map(Result::ok).collect();
        entries.sort_unstable_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && depth < MAX_DEPTH && self.files.len() < MAX_FILES {
                self.look(&entry.path(), depth + 1);
            } else if metadata.is_file() && self.has_room(metadata.len()) {
                self.bytes += metadata.len();
                self.files.push(entry.path());
            } else {
                self.cut = true;
            }
        }
    }

    fn has_room(&self, bytes: u64) -> bool {
        bytes <= MAX_BYTES && self.files.len() < MAX_FILES && self.bytes + bytes <= MAX_SITE_BYTES
    }
}
