//! Builds roots from the packages of a release of Debian or Ubuntu, with the machine's own apt and dpkg and no privileges.
//!
//! The way: the release's index is read and verified by apt in a directory of its own, so that nothing of the machine's
//! is touched (`apt`, `update`); what each root needs is worked out at once and kept for a day (`plan`, `index`); the
//! packages are downloaded against those checksums and unpacked (`fetch`, `unpack`); a selection of their files is the
//! root (`assemble`). Where distributions differ is said in one place (`distribution`).

mod apt;
mod assemble;
mod diagnose;
mod distribution;
mod fetch;
mod index;
mod mirror;
mod plan;
mod release;
mod settings;
mod there;
mod unpack;
mod update;

pub use diagnose::diagnose;
pub use distribution::Distribution;
pub use release::Release;
pub(super) use there::{offer, offer_others};

use index::Index;

use super::cache::{Building, Cache, Lock};
use super::{Arch, Build, Progress, Root, SourceError};

/// The root that is asked for from the packages of `release`: from the cache, or built now. It blocks.
///
/// A root that is there is used without asking anybody, as long as the release's index was read within a day. After
/// that the index is read again; if the mirror does not answer then, the root that is there is used all the same, with a
/// note that says so.
pub fn build(
    release: &Release,
    build: &Build,
    arch: Arch,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Root, SourceError> {
    let job = Job { release, build, arch, cache, progress };
    job.run().map_err(|error| job.offering(error.in_cache(cache.directory())))
}

struct Job<'a> {
    release: &'a Release,
    build: &'a Build,
    arch: Arch,
    cache: &'a Cache,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    fn run(&self) -> Result<Root, SourceError> {
        let known = Index::open(self.cache, self.release, self.arch);
        if let Some(root) =
            known.as_ref().filter(|index| index.is_fresh(self.cache)).and_then(|index| self.finished(index))
        {
            return Ok(root);
        }
        let index = match self.index() {
            Ok(index) => index,
            Err(error) => return self.older(known.as_ref(), error),
        };
        match self.root(&index) {
            // A package that is gone from the mirror means that the index is older than what the mirror holds now.
            Err(SourceError::Download { .. }) if index.age() > 0 => self.root(&self.index_anew()?),
            other => other,
        }
    }

    /// The same error with what the mirror has instead, if that is what is wrong.
    fn offering(&self, mut error: SourceError) -> SourceError {
        match &mut error {
            SourceError::NoSuchRelease { there, .. } => *there = self.there(),
            SourceError::NoSuchPackage { release, there, .. } => {
                *there = self.there();
                there.retain(|name| name.split(' ').next() != Some(release.name()));
            }
            _ => {}
        }
        error
    }

    /// The releases that the mirror has. That it can't be asked is no reason for another error.
    fn there(&self) -> Vec<String> {
        let distribution = self.release.distribution();
        let asked = mirror::find(self.cache, distribution).and_then(|mirror| {
            let building = Building::new(self.cache, self.progress)?;
            there::releases(distribution, &mirror, &building)
        });
        asked.unwrap_or_default()
    }

    /// The finished root that the index stands for.
    fn finished(&self, index: &Index) -> Option<Root> {
        Root::open(&self.cache.root(&index.key(self.release, self.build)?))
    }

    /// A finished root of an index that could not be renewed; else the reason why it could not.
    fn older(&self, known: Option<&Index>, error: SourceError) -> Result<Root, SourceError> {
        let root = known.filter(|_| error.is_no_answer()).and_then(|index| self.finished(index));
        let note = "an older build is used, because the package index could not be read again";
        root.map(|root| root.noting(format!("{note} ({})", self.release))).ok_or(error)
    }

    /// An index to be believed, with a plan for what is asked for: the one that is there, or a new one. Only one process
    /// reads it at a time.
    fn index(&self) -> Result<Index, SourceError> {
        let _lock = self.lock_index()?;
        let known = Index::open(self.cache, self.release, self.arch).filter(|index| index.is_fresh(self.cache));
        match known {
            Some(index) if index.knows(self.build) => Ok(index),
            known => Index::fetch(self, known),
        }
    }

    fn index_anew(&self) -> Result<Index, SourceError> {
        let _lock = self.lock_index()?;
        Index::fetch(self, None)
    }

    fn lock_index(&self) -> Result<Lock, SourceError> {
        let name = format!("index-{}-{}-{}", self.release.distribution().id(), self.release.name(), self.arch.debian());
        Lock::acquire(self.cache, &name, || {
            self.progress.step(&format!("Waiting for the package index of {}, which is being read", self.release));
        })
    }

    /// The root that the index stands for, built if nobody did so before or meanwhile.
    fn root(&self, index: &Index) -> Result<Root, SourceError> {
        let plan = index.plan(self.release, self.build)?;
        let key = index.key(self.release, self.build).unwrap_or_default();
        let place = self.cache.root(&key);
        let _lock = Lock::acquire(self.cache, &format!("root-{key}"), || {
            self.progress.step(&format!(
                "Waiting for {} of {}, which is being built",
                self.build.recipe().name(),
                self.release
            ));
        })?;
        if let Some(root) = Root::open(&place) {
            return Ok(root);
        }
        let building = Building::new(self.cache, self.progress)?;
        self.assemble(index, plan, &building)?;
        building.finish("finished", &place)?;
        Root::open(&place).ok_or_else(|| SourceError::io("read", &place)(std::io::ErrorKind::NotFound.into()))
    }
}
