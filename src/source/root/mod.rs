//! A root: a directory that stands for `/`, with nothing in it but what one program needs.

mod assemble;
mod layout;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(super) use assemble::{Assembly, Take};
pub(super) use layout::{mode, owner};

use super::recipe::REVISION;
use super::{Recipe, SourceError, image};

const MANIFEST: &str = "manifest.json";
const FILES: &str = "root";

/// What a finished root is, as it is written beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it was built for.
    pub recipe: Recipe,
    /// The Source, with the codename that a suite such as `stable` stands for: `debian:trixie`.
    pub source: String,
    /// The processor, as engines name it.
    pub architecture: String,
    /// The program's version: `1.26.3`.
    pub version: String,
    /// The version of its package: `1.26.3-3+deb13u10`. For `path:` the same as the version.
    pub package_version: String,
    /// The packages that its files came from, each as `name=version`.
    pub packages: Vec<String>,
    /// What a report should mention, such as an index that is past its date.
    pub notes: Vec<String>,
    /// What an image of it is, without making it.
    pub(super) image: image::Facts,
}

/// A finished root in the cache.
#[derive(Clone, Debug)]
pub struct Root {
    directory: PathBuf,
    manifest: Manifest,
}

impl Root {
    /// The directory that stands for `/`. It belongs to the cache: mount or copy it, change nothing in it.
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILES)
    }

    /// The files of the modules that its program may load: `ngx_http_js_module.so`.
    pub fn modules(&self) -> Vec<String> {
        let directory = self.manifest.recipe.modules().map(|directory| self.path().join(directory));
        let entries = directory.and_then(|directory| fs::read_dir(directory).ok()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut modules: Vec<String> = names.filter(|name| name.ends_with(".so")).collect();
        modules.sort();
        modules
    }

    /// What it is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The finished root in `directory`, if there is one.
    pub(super) fn open(directory: &Path) -> Option<Self> {
        let manifest = serde_json::from_slice(&fs::read(directory.join(MANIFEST)).ok()?).ok()?;
        Some(Self { directory: directory.to_owned(), manifest })
    }

    /// The same root with something more to mention.
    pub(super) fn noting(mut self, note: String) -> Self {
        self.manifest.notes.push(note);
        self
    }
}

/// The directory for the files of a root that is being built in `directory`.
pub(super) fn files_below(directory: &Path) -> PathBuf {
    directory.join(FILES)
}

/// Completes a root that is being built: works out its image and writes the manifest.
pub(super) fn seal(directory: &Path, mut manifest: Manifest) -> Result<(), SourceError> {
    manifest.image = image::Facts::of(&files_below(directory), &manifest)?;
    let file = directory.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| SourceError::io("write", &file)(error.into()))?;
    fs::write(&file, text).map_err(SourceError::io("write", &file))
}

/// The name of a root in the cache: all that decides what is in it.
pub(super) fn key(recipe: Recipe, release: &str, architecture: &str, version: &str, contents: &str) -> String {
    let safe = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || ".+~".contains(c) { c } else { '-' }).collect()
    };
    format!("{}-{release}-{architecture}-{}-r{REVISION}-{contents:.12}", recipe.name(), safe(version))
}
