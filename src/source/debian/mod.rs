//! Builds roots from the packages of a Debian release, with the machine's own apt and dpkg and no privileges.
//!
//! The way: the release's index is read and verified by apt in a directory of its own, so that nothing of the machine's
//! is touched ([`apt`]); what each root needs is worked out at once and kept for a day ([`index`]); the packages are
//! downloaded against those checksums ([`fetch`]) and unpacked ([`unpack`]); a selection of their files is the root.

mod apt;
mod diagnose;
mod fetch;
mod index;
mod mirror;
mod release;
mod unpack;

use std::path::Path;

pub use diagnose::diagnose;
pub use release::Release;

use index::{Index, Plan};

use super::cache::{Building, Cache, Lock};
use super::closure::{Closure, Files, Missing};
use super::root::{self, Assembly, Manifest, Root, Take};
use super::tree::Tree;
use super::{Arch, Progress, Recipe, SourceError, image, recipe};

/// The root of `recipe` from the packages of `release`: from the cache, or built now. It blocks.
///
/// A root that is there is used without asking anybody, as long as the release's index was read within a day. After
/// that the index is read again; if the mirror does not answer then, the root that is there is used all the same, with a
/// note that says so.
pub fn build(
    release: &Release,
    recipe: Recipe,
    arch: Arch,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Root, SourceError> {
    let job = Job { release, recipe, arch, cache, progress };
    job.run().map_err(|error| error.in_cache(cache.directory()))
}

struct Job<'a> {
    release: &'a Release,
    recipe: Recipe,
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

    /// The finished root that the index stands for.
    fn finished(&self, index: &Index) -> Option<Root> {
        Root::open(&self.cache.root(&index.key(self.recipe)?))
    }

    /// A finished root of an index that could not be renewed; else the reason why it could not.
    fn older(&self, known: Option<&Index>, error: SourceError) -> Result<Root, SourceError> {
        match known.filter(|_| error.is_transient()).and_then(|index| self.finished(index)) {
            Some(root) => {
                Ok(root.noting(format!("an older build is used, because the index could not be renewed. {error}")))
            }
            None => Err(error),
        }
    }

    /// An index to be believed: the one that is there, or a new one. Only one process reads it at a time.
    fn index(&self) -> Result<Index, SourceError> {
        let _lock = self.lock_index()?;
        match Index::open(self.cache, self.release, self.arch).filter(|index| index.is_fresh(self.cache)) {
            Some(index) => Ok(index),
            None => Index::fetch(self.cache, self.release, self.arch, self.progress),
        }
    }

    fn index_anew(&self) -> Result<Index, SourceError> {
        let _lock = self.lock_index()?;
        Index::fetch(self.cache, self.release, self.arch, self.progress)
    }

    fn lock_index(&self) -> Result<Lock, SourceError> {
        let name = format!("index-{}-{}", self.release, self.arch.debian());
        Lock::acquire(self.cache, &name, || {
            self.progress.step(&format!("Waiting for another run that reads the index of debian:{}", self.release));
        })
    }

    /// The root that the index stands for, built if nobody did so before or meanwhile.
    fn root(&self, index: &Index) -> Result<Root, SourceError> {
        let plan = index.plan(self.recipe)?;
        let key = index.key(self.recipe).unwrap_or_default();
        let place = self.cache.root(&key);
        let _lock = Lock::acquire(self.cache, &format!("root-{key}"), || {
            self.progress.step(&format!(
                "Waiting for another run that builds {} of debian:{}",
                self.recipe.name(),
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

    fn assemble(&self, index: &Index, plan: &Plan, building: &Building) -> Result<(), SourceError> {
        let staging = building.subdirectory("staging")?;
        unpack::prepare(&staging)?;
        let tree = Tree::new(&staging);
        let (wanted, others) = plan.split(self.recipe);
        self.bring(index, &wanted, building, &staging)?;
        let files = match self.files(&tree)? {
            Ok(files) => files,
            Err(_) if !others.is_empty() => {
                self.bring(index, &others, building, &staging)?;
                self.files(&tree)?.map_err(|missing| self.missing(missing))?
            }
            Err(missing) => return Err(self.missing(missing)),
        };
        let finished = building.subdirectory("finished")?;
        let assembly = Assembly::new(&tree, root::files_below(&finished), Take::Link, self.recipe)?;
        for tree in self.recipe.trees() {
            assembly.add_tree(Path::new(tree))?;
        }
        assembly.add_files(&files)?;
        assembly.finish(self.recipe)?;
        root::seal(&finished, self.manifest(index, plan))
    }

    /// Downloads and unpacks packages.
    fn bring(
        &self,
        index: &Index,
        packages: &[&index::Package],
        building: &Building,
        staging: &Path,
    ) -> Result<(), SourceError> {
        let megabytes = packages.iter().map(|package| package.size).sum::<u64>().div_ceil(1_000_000);
        let (name, release) = (self.recipe.name(), &index.codename);
        self.progress
            .step(&format!("Downloading {name} of debian:{release} ({} packages, {megabytes} MB)", packages.len()));
        let debs = fetch::fetch(self.release, packages, building)?;
        self.progress.step(&format!("Unpacking {name} of debian:{release}"));
        unpack::unpack_all(&debs, staging, self.recipe)
    }

    /// The programs and modules with their libraries, or what is missing.
    fn files(&self, tree: &Tree) -> Result<Result<Files, Missing>, SourceError> {
        let directories = recipe::library_directories(self.arch);
        let mut closure = Closure::new(tree, &directories);
        for program in self.recipe.programs() {
            let Some(file) = program_in(tree, program) else {
                return Ok(Err(Missing { name: (*program).to_owned(), needed_by: self.recipe.name().into() }));
            };
            closure.add(Path::new(program), file.clone()).map_err(SourceError::io("read", &file))?;
        }
        for name in self.recipe.extra_libraries() {
            closure.add_if_there(name);
        }
        if let Some(directory) = self.recipe.modules() {
            add_modules(&mut closure, tree, Path::new(directory))?;
        }
        Ok(closure.files())
    }

    fn missing(&self, missing: Missing) -> SourceError {
        SourceError::Missing {
            name: missing.name,
            needed_by: format!("{} of debian:{}", missing.needed_by.display(), self.release),
            cure: "Name another release, such as debian:stable",
        }
    }

    fn manifest(&self, index: &Index, plan: &Plan) -> Manifest {
        Manifest {
            recipe: self.recipe,
            source: format!("debian:{}", index.codename),
            architecture: self.arch.engine().to_owned(),
            version: release::upstream_version(&plan.version),
            package_version: plan.version.clone(),
            packages: plan.packages.iter().map(|package| format!("{}={}", package.name, package.version)).collect(),
            notes: index.notes.clone(),
            image: image::Facts::default(),
        }
    }
}

/// A program, wherever this release has it: some moved between `bin` and `sbin`.
fn program_in(tree: &Tree, program: &str) -> Option<std::path::PathBuf> {
    let other = program.replace("/bin/", "/sbin/");
    tree.file(Path::new(program)).or_else(|| tree.file(Path::new(&other)))
}

fn add_modules(closure: &mut Closure<'_>, tree: &Tree, directory: &Path) -> Result<(), SourceError> {
    let Ok(entries) = std::fs::read_dir(tree.at(directory)) else {
        return Ok(());
    };
    for entry in entries {
        let file = entry.map_err(SourceError::io("read", directory))?.path();
        if file.extension().is_some_and(|extension| extension == "so") {
            let place = directory.join(file.file_name().unwrap_or_default());
            closure.add(&place, file.clone()).map_err(SourceError::io("read", &file))?;
        }
    }
    Ok(())
}
