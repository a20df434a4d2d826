//! Makes a root of a release's packages: downloads, unpacks, and selects.

use std::path::{Path, PathBuf};

use super::index::Index;
use super::plan::{Package, Plan};
use super::{Job, fetch, release, unpack};
use crate::source::cache::Building;
use crate::source::closure::{Closure, Files, Missing};
use crate::source::root::{self, Assembly, Manifest, Take};
use crate::source::tree::Tree;
use crate::source::{SourceError, image, recipe};

impl Job<'_> {
    /// Builds the root in the directory `finished` of `building`.
    pub(super) fn assemble(&self, index: &Index, plan: &Plan, building: &Building) -> Result<(), SourceError> {
        let staging = building.subdirectory("staging")?;
        unpack::prepare(&staging)?;
        let tree = Tree::new(&staging);
        let (wanted, others) = plan.split(self.build);
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
        let assembly = Assembly::new(&tree, root::files_below(&finished), Take::Link, self.build.recipe())?;
        for tree in self.build.trees() {
            assembly.add_tree(Path::new(tree))?;
        }
        for tree in self.build.library_trees() {
            assembly.add_tree(&Path::new("usr/lib").join(self.arch.triplet()).join(tree))?;
        }
        assembly.add_files(&files)?;
        assembly.finish(self.build.recipe())?;
        root::seal(&finished, self.manifest(index, plan))
    }

    /// Downloads and unpacks packages.
    fn bring(
        &self,
        index: &Index,
        packages: &[&Package],
        building: &Building,
        staging: &Path,
    ) -> Result<(), SourceError> {
        let megabytes = packages.iter().map(|package| package.size).sum::<u64>().div_ceil(1_000_000);
        let (name, release) = (self.build.recipe().name(), index.release(self.release));
        self.progress.step(&format!("Downloading {name} of {release} ({} packages, {megabytes} MB)", packages.len()));
        let debs = fetch::fetch(self.release, packages, building)?;
        self.progress.step(&format!("Unpacking {name} of {release}"));
        unpack::unpack_all(&debs, staging, self.build.recipe())
    }

    /// The programs and modules with their libraries, or what is missing.
    fn files(&self, tree: &Tree) -> Result<Result<Files, Missing>, SourceError> {
        let directories = recipe::library_directories(self.arch);
        let mut closure = Closure::new(tree, &directories);
        for program in self.build.recipe().programs() {
            let Some(file) = program_in(tree, program) else {
                return Ok(Err(Missing { name: (*program).to_owned(), needed_by: self.build.recipe().name().into() }));
            };
            closure.add(Path::new(program), file.clone()).map_err(SourceError::io("read", &file))?;
        }
        for name in self.build.recipe().extra_libraries() {
            closure.add_if_there(name);
        }
        if let Some(directory) = self.build.recipe().modules() {
            add_modules(&mut closure, tree, Path::new(directory))?;
        }
        Ok(closure.files())
    }

    fn missing(&self, missing: Missing) -> SourceError {
        SourceError::Missing {
            name: missing.name,
            needed_by: format!("{} of {}", missing.needed_by.display(), self.release),
            cure: format!("Name another release, such as {}", self.release.distribution().example()),
        }
    }

    fn manifest(&self, index: &Index, plan: &Plan) -> Manifest {
        Manifest {
            recipe: self.build.recipe(),
            source: index.release(self.release).to_string(),
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
fn program_in(tree: &Tree, program: &str) -> Option<PathBuf> {
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
