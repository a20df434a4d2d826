//! Why a program is not to be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::packages::{offer, offer_others};
use super::{Distribution, Release};

/// Why a Source could not be read or turned into something that runs.
///
/// Every message says what happened and what to do. [`SourceError::exit_code`] tells wrong input (2) from an environment
/// that can't do it (3).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The text names no Source.
    #[error(
        "`{text}` names no source: {reason}. Write docker:IMAGE (docker:nginx:1.29), debian:RELEASE (debian:trixie), \
         ubuntu:RELEASE (ubuntu:noble), path:FILE (path:/usr/sbin/nginx) or auto."
    )]
    Malformed {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The mirror answers, but has no such release.
    #[error(
        "{}'s mirror {mirror} has no release `{}`. {}", .release.distribution(), .release.name(),
        offer(.release.distribution(), .there)
    )]
    NoSuchRelease {
        /// What was asked for, or the part of it that is not there, such as `noble-security`.
        release: Release,
        /// Who was asked.
        mirror: String,
        /// What it has: `trixie (stable)`. Empty if that could not be read.
        there: Vec<String>,
    },
    /// The release lacks a package.
    #[error(
        "{} {} has no package `{package}` for {architecture}. {}", .release.distribution(), .release.name(),
        offer_others(.release.distribution(), .there)
    )]
    NoSuchPackage {
        /// The release that was read.
        release: Release,
        /// The other releases that its mirror has: `trixie (stable)`. Empty if that could not be read.
        there: Vec<String>,
        /// What it lacks.
        package: String,
        /// For which machine.
        architecture: &'static str,
    },
    /// None of the sources of `auto` is to be had.
    #[error("{program} is not to be had from any source that `auto` tries:\n  {reasons}\nName one with --{program}.")]
    NothingForAuto {
        /// The program.
        program: &'static str,
        /// What each source said.
        reasons: String,
    },
    /// The file of a `path:` source can't be run here.
    #[error(
        "The program {path} can't be used: {reason}. Name an executable file of this machine, such as path:/usr/sbin/nginx."
    )]
    BadProgram {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A container image is not what it has to be.
    #[error(
        "The image {image} can't be used: {reason}. Name a tar that `docker save`, `docker export` or a tool of OCI \
         layouts has written (docker:FILE.tar), or packages, such as debian:stable."
    )]
    BadImage {
        /// Its reference or file.
        image: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The machine's own apt knows no mirror of the distribution.
    #[error(
        "This machine's apt knows no mirror of {0}'s packages. Set {variable} to the URL of one (it ends in /{id}), or name \
         another source, such as docker:IMAGE or path:FILE.", variable = .0.mirror_variable(), id = .0.id()
    )]
    NoMirror(Distribution),
    /// The archive's keys are not installed.
    #[error(
        "The keys that verify {distribution}'s packages are missing: there is no {path}, or its path is not one word. \
         Install the package {}, set {} to a file that has them, or name another source, such as docker:IMAGE or path:FILE.",
        .distribution.keyring_package(), .distribution.keyring_variable()
    )]
    NoKeyring {
        /// Whose keys.
        distribution: Distribution,
        /// Where they are expected.
        path: PathBuf,
    },
    /// A program that builds roots is not installed.
    #[error(
        "`{tool}` is needed to read packages and is not installed. Install the package {package}, or name \
         another source, such as docker:IMAGE or path:FILE."
    )]
    NoTool {
        /// The program.
        tool: &'static str,
        /// The package that brings it.
        package: &'static str,
    },
    /// The machine's processor is none that this crate knows.
    #[error(
        "There are no packages for this machine's processor ({0}). Name another source, such as docker:IMAGE or path:FILE."
    )]
    UnknownArchitecture(String),
    /// The mirror does not answer.
    #[error(
        "{distribution}'s mirror {mirror} can't be read: {detail}. Check the network and its proxy, or set {} to a mirror \
         that answers.", .distribution.mirror_variable()
    )]
    Unreachable {
        /// Whose mirror.
        distribution: Distribution,
        /// Who was asked.
        mirror: String,
        /// What apt said.
        detail: String,
    },
    /// The index is not signed by the distribution.
    #[error(
        "The package index of {release} on {mirror} is not signed by a key of {keyring}: {detail}. Update the package {}, \
         set {} to a file that has the key, or {} to another mirror.", .release.distribution().keyring_package(),
        .release.distribution().keyring_variable(), .release.distribution().mirror_variable()
    )]
    Unverified {
        /// The release.
        release: Release,
        /// The keys that would be believed.
        keyring: PathBuf,
        /// Whose index it is.
        mirror: String,
        /// What apt said.
        detail: String,
    },
    /// The index is older or younger than this machine's clock allows.
    #[error(
        "The package index of {release} on {mirror} has the wrong age: {detail}. Set this machine's clock, or set {} to a \
         mirror that is kept up to date.", .release.distribution().mirror_variable()
    )]
    WrongAge {
        /// The release.
        release: Release,
        /// Whose index it is.
        mirror: String,
        /// What apt said.
        detail: String,
    },
    /// A package did not arrive whole.
    #[error(
        "A package of {release} could not be downloaded: {detail}. Run it again, or set {} to another mirror.",
        .release.distribution().mirror_variable()
    )]
    Download {
        /// The release.
        release: Release,
        /// What apt said.
        detail: String,
    },
    /// apt failed in another way.
    #[error(
        "apt could not work out what {release} needs to run {program}: {detail}. Name another release, such as {}.",
        .release.distribution().example()
    )]
    Resolve {
        /// The release.
        release: Release,
        /// What was to be run.
        program: String,
        /// What apt said.
        detail: String,
    },
    /// A package could not be unpacked.
    #[error("The package {package} could not be unpacked: {detail}. {cure}.")]
    Unpack {
        /// The package's file.
        package: String,
        /// What went wrong.
        detail: String,
        /// What to do.
        cure: &'static str,
    },
    /// A program or a library that it needs is in none of the packages.
    #[error("{needed_by} needs {name}, which was not found. {cure}.")]
    Missing {
        /// What is missing.
        name: String,
        /// Who needs it.
        needed_by: String,
        /// What to do.
        cure: String,
    },
    /// The disk is full.
    #[error(
        "No space is left in {directory}. Free at least {megabytes} MB there, or set PROXYPROOF_CACHE to a directory \
         with {megabytes} MB free."
    )]
    DiskFull {
        /// The cache, or the file that could not be written.
        directory: PathBuf,
        /// What a build may need.
        megabytes: u32,
    },
    /// There is no place for the cache.
    #[error("There is no home directory to keep a cache in. Set PROXYPROOF_CACHE to a directory that can be written.")]
    NoCache,
    /// A file or a program of this machine failed.
    #[error(
        "Could not {action} {path}: {source}. Check that it can be read and written, or set PROXYPROOF_CACHE to another directory."
    )]
    Io {
        /// What was tried, such as `create`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SourceError {
    /// The process's exit code: 2 where the call is wrong, 3 where the environment can't do it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Malformed { .. } | Self::BadProgram { .. } | Self::BadImage { .. } => 2,
            _ => 3,
        }
    }

    /// For `map_err`: what was tried on which file. A full disk becomes [`SourceError::DiskFull`].
    pub(super) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::disk_full(path),
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }

    /// A full disk below `directory`.
    pub(super) fn disk_full(directory: &Path) -> Self {
        Self::DiskFull { directory: directory.to_owned(), megabytes: super::cache::MEGABYTES_NEEDED }
    }

    /// The same error, naming the cache rather than the file in it that could not be written.
    pub(super) fn in_cache(self, cache: &Path) -> Self {
        match self {
            Self::DiskFull { .. } => Self::disk_full(cache),
            other => other,
        }
    }

    /// Whether nobody could be asked, or nobody knew better: then an older root may be used meanwhile. An index with a
    /// wrong signature is not such a case: somebody has to hear of it.
    pub(super) fn is_no_answer(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::WrongAge { .. }
                | Self::NoMirror(_)
                | Self::NoKeyring { .. }
                | Self::NoTool { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_names_the_cache_and_the_cure() {
        let error =
            SourceError::io("write", Path::new("/c/v1/x"))(io::ErrorKind::StorageFull.into()).in_cache(Path::new("/c"));
        assert_eq!(error.exit_code(), 3);
        let text = error.to_string();
        assert!(text.contains("in /c.") && text.contains("PROXYPROOF_CACHE"), "{text}");
    }

    #[test]
    fn wrong_input_is_told_from_a_poor_environment() {
        let wrong = "nosuch".parse::<super::super::Source>().expect_err("no source");
        let release = Release::new(Distribution::Ubuntu, "nosuch").expect("a name");
        let poor = SourceError::NoSuchRelease { release, mirror: "m".into(), there: vec!["noble".into()] };
        assert_eq!((wrong.exit_code(), poor.exit_code()), (2, 3));
        let words = "Ubuntu's mirror m has no release `nosuch`. It has noble. Name one of them, such as ubuntu:noble.";
        assert_eq!(poor.to_string(), words);
    }
}
