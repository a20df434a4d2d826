//! The directories of `root` and `alias`, and the files that the tree has below them.

use std::path::{Path, PathBuf};

use super::walk::Walk;
use super::{FileKind, FileUse};
use crate::deployment::DeploymentError;
use crate::deployment::directive::Argument;
use crate::deployment::named_file::NamedFile;
use crate::deployment::read::MAX_BYTES;
use crate::deployment::tree::{CONF_DIR, Found, Tree};
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
        match self.reader.tree.look(path) {
            Found::Dir(place) => self.brought(&place, &named),
            // An `alias` can be of one file.
            Found::File(place) => self.site_file(place, &named),
            Found::LinkTo(_) | Found::Nothing => self.made(FileKind::Site, &named, elsewhere),
        }
    }

    fn brought(&mut self, place: &str, named: &Argument) -> Result<(), DeploymentError> {
        let mut site = Site::default();
        site.look(self.reader.tree, place, 0);
        self.made(if site.cut { FileKind::CutSite } else { FileKind::SiteFile }, named, Vec::new())?;
        for (path, file) in site.files {
            let below = path.strip_prefix(place).unwrap_or(&path);
            let text = format!("{}{below}", named.text);
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
    /// By their paths in the Pod.
    files: Vec<(String, PathBuf)>,
    bytes: u64,
    /// Whether there is more than this.
    cut: bool,
}

impl Site {
    fn look(&mut self, tree: &Tree, directory: &str, depth: usize) {
        for (path, found) in tree.entries_in(directory, MAX_FILES + 1) {
            match found {
                Found::Dir(_) if depth < MAX_DEPTH && self.files.len() < MAX_FILES => self.look(tree, &path, depth + 1),
                Found::File(file) if self.has_room(&file) => self.files.push((path, file)),
                _ => self.cut = true,
            }
        }
    }

    fn has_room(&mut self, file: &Path) -> bool {
        let Ok(metadata) = file.metadata() else { return false };
        let bytes = metadata.len();
        let fits = metadata.is_file()
            && bytes <= MAX_BYTES
            && self.files.len() < MAX_FILES
            && self.bytes + bytes <= MAX_SITE_BYTES;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}
