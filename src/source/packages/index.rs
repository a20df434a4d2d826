//! What a release holds: its names, and for each root the packages that it needs, as apt verified them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::apt::{self, Origin};
use super::plan::{self, Plan};
use super::{Distribution, Job, Release, mirror, update};
use crate::source::cache::{self, Building, Cache};
use crate::source::{Arch, Build, Recipe, SourceError, image, root};

/// A release, as its mirror described it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    codename: String,
    suite: String,
    mirror: String,
    /// The one that the user named to verify it.
    #[serde(default)]
    keyring: Option<PathBuf>,
    architecture: String,
    fetched: u64,
    pub notes: Vec<String>,
    /// By the name of what they are for.
    plans: BTreeMap<String, Plan>,
}

impl Index {
    /// The one in the cache, if it is of the mirror that the user wants, and verified as the user wants.
    pub(super) fn open(cache: &Cache, release: &Release, arch: Arch) -> Option<Self> {
        let index: Self = serde_json::from_slice(&fs::read(file(cache, release, arch)).ok()?).ok()?;
        let distribution = release.distribution();
        let other = cache.mirror(distribution).is_some_and(|mirror| mirror.trim_end_matches('/') != index.mirror)
            || cache.keyring(distribution) != index.keyring.as_deref();
        (!other).then_some(index)
    }

    /// Whether it is young enough not to ask again.
    pub(super) fn is_fresh(&self, cache: &Cache) -> bool {
        cache.is_fresh(self.fetched)
    }

    /// How old it is, in seconds.
    pub(super) fn age(&self) -> u64 {
        cache::now().saturating_sub(self.fetched)
    }

    /// Whether it was worked out what this takes. A recipe always was, though the release may lack it.
    pub(super) fn knows(&self, build: &Build) -> bool {
        build.is_plain() || self.plans.contains_key(&build.name())
    }

    /// The release by its codename, as which it is reported, whatever it was asked for.
    pub(super) fn release(&self, asked: &Release) -> Release {
        asked.sibling(&self.codename).unwrap_or_else(|| asked.clone())
    }

    /// What a root of the release is made of.
    pub(super) fn plan(&self, asked: &Release, build: &Build) -> Result<&Plan, SourceError> {
        self.plans.get(&build.name()).ok_or_else(|| SourceError::NoSuchPackage {
            release: self.release(asked),
            there: Vec::new(),
            package: build.recipe().packages()[0].to_owned(),
            architecture: Arch::named(&self.architecture).map_or("this machine", Arch::debian),
        })
    }

    /// The name of a root in the cache. It changes when any of its packages does. Debian's have no more than the codename
    /// in it.
    pub(super) fn key(&self, asked: &Release, build: &Build) -> Option<String> {
        let plan = self.plans.get(&build.name())?;
        let mut contents = Sha256::new();
        plan.packages.iter().for_each(|package| contents.update(&package.sha256));
        let contents = image::hex(&contents.finalize());
        let release = match asked.distribution() {
            Distribution::Debian => self.codename.clone(),
            other @ Distribution::Ubuntu => format!("{}-{}", other.id(), self.codename),
        };
        Some(root::key(build.recipe(), &release, &self.architecture, &plan.version, &contents))
    }

    /// Asks the mirror what each recipe takes, and what is asked for does, and keeps the answer in the cache. Of an index
    /// that is still believed, what it says of other sets of modules is kept.
    pub(super) fn fetch(job: &Job<'_>, believed: Option<Self>) -> Result<Self, SourceError> {
        let Job { release, build, arch, cache, progress } = *job;
        let distribution = release.distribution();
        let (mirror, keyring) = (mirror::find(cache, distribution)?, apt::keyring(cache, distribution)?);
        progress.step(&format!("Reading the package index of {release}"));
        let building = Building::new(cache, progress)?;
        let origin = Origin { mirror: &mirror, keyring: &keyring, release, arch, dated: true };
        let (apt, notes) = update::verified(&building, &origin)?;
        let (codename, suite) = update::names(&apt.release_file(release).unwrap_or_default(), release);
        let mut plans = believed.map(|index| index.plans).unwrap_or_default();
        let builds: Vec<Build> = Recipe::ALL.into_iter().map(Build::from).chain([build.clone()]).collect();
        plans.extend(plan::plans(&apt, release, &builds)?);
        let architecture = arch.debian().to_owned();
        let keyring = cache.keyring(distribution).map(Path::to_owned);
        let index = Self { codename, suite, mirror, keyring, architecture, fetched: cache::now(), notes, plans };
        let file = file(cache, release, arch);
        let text = serde_json::to_vec_pretty(&index).map_err(|error| SourceError::io("write", &file)(error.into()))?;
        building.write("index.json", &text)?;
        building.finish("index.json", &file)?;
        Ok(index)
    }
}

/// What was worked out for other packages, by another version of this program, is another index.
fn file(cache: &Cache, release: &Release, arch: Arch) -> PathBuf {
    let mut asked = Sha256::new();
    Recipe::ALL.iter().flat_map(|recipe| recipe.packages()).for_each(|package| asked.update(format!("{package} ")));
    let key = format!("{}-{}-{:.8}", release.name(), arch.debian(), image::hex(&asked.finalize()));
    cache.index(release.distribution(), &key)
}
