//! Which build of a program runs: a container image, the package of a release of Debian or Ubuntu, or a binary of the
//! host.
//!
//! A [`Source`] is what the user names. [`packages::build`] and [`host::build`] make a [`Root`] of it: a directory with
//! nothing but what the program needs, kept in the [`Cache`]; [`image::Archive`] turns a Root into an image that an
//! engine can load. Roots and images keep the contract of the official images: where the configuration is, which ports
//! are exposed, who the user is, where the logs go.

mod arch;
mod auto;
mod build;
pub mod cache;
mod children;
mod closure;
mod elf;
mod error;
pub mod host;
pub mod image;
pub mod layers;
pub mod packages;
mod parse;
mod recipe;
pub mod root;
mod tree;

use std::path::{Path, PathBuf};

pub use arch::Arch;
pub use auto::auto_candidates;
pub use build::Build;
pub use cache::Cache;
pub use children::abandon_builds;
pub use error::SourceError;
pub use packages::{Distribution, Release};
pub use recipe::Recipe;
pub use root::Root;

/// Which build of a program runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A container image, present in the engine or pulled by it: `docker:nginx:1.29`.
    Docker(String),
    /// A container image in a file, as `docker save`, `docker export` and tools of OCI layouts write it:
    /// `docker:./nginx.tar`.
    Archive(PathBuf),
    /// The package of a release of Debian or Ubuntu: `debian:trixie`, `debian:stable`, `ubuntu:noble`.
    Packages(Release),
    /// A binary of this machine: `path:/usr/sbin/nginx`.
    Path(PathBuf),
    /// The first of [`auto_candidates`] that is to be had.
    Auto,
}

/// A program of which the user names the Source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// The reverse proxy.
    Nginx,
    /// What it stands in front of.
    Prometheus,
}

impl Program {
    /// Its name, which is also that of its binary.
    pub fn name(self) -> &'static str {
        Recipe::from(self).name()
    }
}

/// Who is told what a build is doing. `()` is nobody.
pub trait Progress: Sync {
    /// A step of the build begins; the message is for people.
    fn step(&self, message: &str);

    /// There is no more to tell.
    fn done(&self) {}

    /// A directory is about to be created that has to go when this process goes, however it goes. It is called before
    /// the directory exists, so that whoever cleans up knows of it first.
    fn creating(&self, directory: &Path) {
        let _ = directory;
    }
}

impl Progress for () {
    fn step(&self, _message: &str) {}
}
