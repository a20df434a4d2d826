//! Why a program is not to be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

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
         path:FILE (path:/usr/sbin/nginx) or auto."
    )]
    Malformed {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The mirror answers, but has no such release.
    #[error(
        "Debian's mirror {mirror} has no release `{release}`. Name one that it has, such as debian:stable, debian:testing, \
         debian:trixie or debian:bookworm."
    )]
    NoSuchRelease {
        /// What was asked for.
        release: String,
        /// Who was asked.
        mirror: String,
    },
    /// The release lacks a package.
    #[error(
        "Debian {release} has no package `{package}` for {architecture}. Name another release, such as debian:stable."
    )]
    NoSuchPackage {
        /// The release that was read.
        release: String,
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
    /// The machine's own apt knows no mirror of Debian.
    #[error(
        "This machine's apt knows no mirror of Debian's packages. Set PROXYPROOF_DEBIAN_MIRROR to the URL of one \
         (it ends in /debian), or name another source, such as docker:IMAGE or path:FILE."
    )]
    NoMirror,
    /// The archive's keys are not installed.
    #[error(
        "The keys that verify Debian's packages are missing: there is no {path}. Install the package \
         debian-archive-keyring, or name another source, such as docker:IMAGE or path:FILE."
    )]
    NoKeyring {
        /// Where they are expected.
        path: &'static str,
    },
    /// A program that builds roots is not installed.
    #[error(
        "`{tool}` is needed to read Debian's packages and is not installed. Install the package {package}, or name \
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
        "Debian's mirror {mirror} can't be read: {detail}. Check the network and its proxy, or set \
         PROXYPROOF_DEBIAN_MIRROR to a mirror that answers."
    )]
    Unreachable {
        /// Who was asked.
        mirror: String,
        /// What apt said.
        detail: String,
    },
    /// The index is not signed by Debian.
    #[error(
        "The package index of debian:{release} on {mirror} is not signed by a key of this machine's Debian keyring: \
         {detail}. Update the package debian-archive-keyring, or set PROXYPROOF_DEBIAN_MIRROR to another mirror."
    )]
    Unverified {
        /// The release.
        release: String,
        /// Whose index it is.
        mirror: String,
        /// What apt said.
        detail: String,
    },
    /// The index is older or younger than this machine's clock allows.
    #[error(
        "The package index of debian:{release} on {mirror} has the wrong age: {detail}. Set this machine's clock, or set \
         PROXYPROOF_DEBIAN_MIRROR to a mirror that is kept up to date."
    )]
    WrongAge {
        /// The release.
        release: String,
        /// Whose index it is.
        mirror: String,
        /// What apt said.
        detail: String,
    },
    /// A package did not arrive whole.
    #[error(
        "A package of debian:{release} could not be downloaded: {detail}. Run it again, or set PROXYPROOF_DEBIAN_MIRROR to another mirror."
    )]
    Download {
        /// The release.
        release: String,
        /// What apt said.
        detail: String,
    },
    /// apt failed in another way.
    #[error(
        "apt could not work out what debian:{release} needs to run {program}: {detail}. Name another release, such as debian:stable."
    )]
    Resolve {
        /// The release.
        release: String,
        /// What was to be run.
        program: String,
        /// What apt said.
        detail: String,
    },
    /// A package could not be unpacked.
    #[error("The package {package} could not be unpacked: {detail}. Run it again with PROXYPROOF_REFRESH=1.")]
    Unpack {
        /// The package's file.
        package: String,
        /// What went wrong.
        detail: String,
    },
    /// A program or a library that it needs is in none of the packages.
    #[error("{needed_by} needs {name}, which was not found. {cure}.")]
    Missing {
        /// What is missing.
        name: String,
        /// Who needs it.
        needed_by: String,
        /// What to do.
        cure: &'static str,
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
            Self::Malformed { .. }
            | Self::NoSuchRelease { .. }
            | Self::NoSuchPackage { .. }
            | Self::BadProgram { .. }
            | Self::BadImage { .. } => 2,
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
                | Self::NoMirror
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
        let wrong = SourceError::NoSuchRelease { release: "nosuch".into(), mirror: "m".into() };
        assert_eq!((wrong.exit_code(), SourceError::NoMirror.exit_code()), (2, 3));
    }
}
