//! One at a time, across processes and threads: a lock that the kernel drops with its holder.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{Cache, create_dirs};
use crate::source::SourceError;

/// A held lock. Dropping it, or dying, lets the next one in.
pub(in crate::source) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Takes the lock `name`, waiting for whoever has it; `waiting` is called first if somebody has.
    pub(crate) fn acquire(cache: &Cache, name: &str, waiting: impl FnOnce()) -> Result<Self, SourceError> {
        let directory = cache.version().join("locks");
        create_dirs(&directory)?;
        let path = directory.join(name);
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(SourceError::io("lock", &path))?;
            }
            Err(TryLockError::Error(error)) => return Err(SourceError::io("lock", &path)(error)),
        }
        Ok(Self(file))
    }

    /// Takes the lock in `path`, if nobody has it.
    pub(crate) fn try_acquire(path: &Path) -> Result<Option<Self>, SourceError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(SourceError::io("lock", path)(error)),
        }
    }
}

fn open(path: &Path) -> Result<File, SourceError> {
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
    options.map_err(SourceError::io("open", path))
}
