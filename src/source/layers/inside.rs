//! A directory that stands for `/`, written to such that nothing gets outside of it, whatever links are in it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The directory.
#[derive(Debug)]
pub(super) struct Inside(OwnedFd);

/// A directory in it. What is done at its places is done there, and nowhere else.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

impl Inside {
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        Ok(Self(open(root, DIRECTORY, Mode::empty())?))
    }

    /// What a relative path leads to, if that is a directory. The kernel follows links as if the root were `/`.
    pub(super) fn directory(&self, path: &Path) -> io::Result<Option<Directory>> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.0, path, DIRECTORY, Mode::empty(), resolve) {
            Ok(directory) => Ok(Some(Directory(directory))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same; it is made if it is not there, with those above it.
    pub(super) fn make_directory(&self, path: &Path) -> io::Result<Directory> {
        if let Some(there) = self.directory(path)? {
            return Ok(there);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        fs::create_dir(self.make_directory(parent)?.at(name))?;
        self.directory(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Directory {
    /// The path of a name in it, for functions that do not follow the last link.
    pub(super) fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path().join(name.as_ref())
    }

    /// Its own path, by its number.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// Removes what is at a place, if anything is: a link, not what it leads to.
pub(super) fn remove(place: &Path) -> io::Result<()> {
    let metadata = match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if metadata.is_dir() { fs::remove_dir_all(place) } else { fs::remove_file(place) }
}
