//! The directory in which something is being built. It belongs to a live process and goes with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Cache, Lock, create_dirs};
use crate::source::children::Build;
use crate::source::{Progress, SourceError};

const PREFIX: &str = "building-";
const LOCK: &str = "lock";

/// A directory of this process's own, below the cache so that what is finished can be renamed into place.
pub(in crate::source) struct Building {
    path: PathBuf,
    _lock: Lock,
    /// Ends after the directory has gone: fields are dropped after [`Drop::drop`].
    _build: Build,
}

impl Building {
    /// A new one. Those of dead processes are removed first; one that can't be removed hinders nobody.
    pub(crate) fn new(cache: &Cache, progress: &dyn Progress) -> Result<Self, SourceError> {
        let _ = remove_stale(cache);
        let build = Build::begin().map_err(SourceError::io("build in", cache.directory()))?;
        // Between its creation and its lock a directory looks dead: nobody may sweep meanwhile.
        let _no_sweep = Lock::acquire(cache, "sweep", || ())?;
        let path = cache.version().join(unused_name());
        progress.creating(&path);
        create_dirs(&path)?;
        match Lock::try_acquire(&path.join(LOCK)) {
            Ok(Some(lock)) => Ok(Self { path, _lock: lock, _build: build }),
            other => {
                let _ = fs::remove_dir_all(&path);
                Err(other
                    .err()
                    .unwrap_or_else(|| SourceError::io("lock", &path)(std::io::ErrorKind::ResourceBusy.into())))
            }
        }
    }

    /// A file in it, written.
    pub(crate) fn write(&self, name: &str, text: &[u8]) -> Result<(), SourceError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(SourceError::io("write", &path))
    }

    /// A directory in it, created.
    pub(crate) fn subdirectory(&self, name: &str) -> Result<PathBuf, SourceError> {
        let path = self.path.join(name);
        create_dirs(&path)?;
        Ok(path)
    }

    /// Puts the finished file or directory `name` to its place in the cache, in one step. What is there already is of
    /// no use, or nobody would have built it again.
    pub(crate) fn finish(self, name: &str, place: &Path) -> Result<(), SourceError> {
        if let Some(parent) = place.parent() {
            create_dirs(parent)?;
        }
        if place.is_dir() {
            fs::remove_dir_all(place).map_err(SourceError::io("remove", place))?;
        }
        fs::rename(self.path.join(name), place).map_err(SourceError::io("create", place))
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        // What can't be removed now is stale from now on, and the next build or `doctor --clean` tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A name that no other thread uses, nor a process of another container that shares the cache.
fn unused_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let nanoseconds = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.subsec_nanos());
    format!("{PREFIX}{}-{nanoseconds:x}{:x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Removes what dead processes were building.
pub fn remove_stale(cache: &Cache) -> Result<(), SourceError> {
    if !cache.version().exists() {
        return Ok(());
    }
    let _sweep = Lock::acquire(cache, "sweep", || ())?;
    for directory in cache.leftovers() {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(SourceError::io("remove", &directory)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Cache {
    /// What dead processes were building and left behind.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.version()).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
            .map(|entry| entry.path())
            .filter(|directory| !is_owned(directory))
            .collect()
    }
}

/// Whether a live process holds the directory's lock, or another user does. Without a lock file it is half removed.
fn is_owned(directory: &Path) -> bool {
    let lock = directory.join(LOCK);
    lock.exists() && !matches!(Lock::try_acquire(&lock), Ok(Some(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owned_stays_and_what_is_not_goes() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let cache = Cache::new(temporary.path());
        let building = Building::new(&cache, &()).expect("a building directory");
        let dead = cache.version().join("building-1-dead");
        fs::create_dir(&dead).expect("a directory");
        fs::write(dead.join(LOCK), "").expect("a lock that nobody holds");

        assert_eq!(cache.leftovers(), std::slice::from_ref(&dead));
        remove_stale(&cache).expect("removed");
        assert!(building.path.exists() && !dead.exists());

        let path = building.path.clone();
        drop(building);
        assert!(!path.exists());
    }
}
