//! The one directory of a run for files that a user of the Lab reads, such as the CA's certificate for `curl --cacert`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::RuntimeError;
use super::owner::Owner;
use super::run::RunId;

const PREFIX: &str = "proxyproof-";
const OWNER_FILE: &str = "owner";

/// A run's directory, removed when this is dropped unless it is kept.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
    keep: bool,
}

impl RunDirectory {
    /// Where the directory of a run is.
    pub(crate) fn place(run: &RunId) -> PathBuf {
        std::env::temp_dir().join(run.name("run"))
    }

    /// Creates it, for this user only.
    pub(crate) fn create(run: &RunId) -> Result<Self, RuntimeError> {
        let path = Self::place(run);
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| failure(&path, error))?;
        let directory = Self { path, keep: false };
        directory.write(OWNER_FILE, Owner::this_process().to_string().as_bytes())?;
        Ok(directory)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only this user can read, and says where it is.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, RuntimeError> {
        let path = self.path.join(name);
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(content))
            .map_err(|error| failure(&path, error))?;
        Ok(path)
    }

    /// Leaves the directory for a look after the run.
    pub(crate) fn keep(&mut self) -> &Path {
        self.keep = true;
        // Without an owner it is no leftover: it is the user's now.
        let _ = fs::remove_file(self.path.join(OWNER_FILE));
        &self.path
    }

    /// The directories of runs whose owner is dead.
    pub(crate) fn of_dead_runs() -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(PREFIX) && is_of_a_dead_run(path)
            })
            .collect()
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if !self.keep {
            // The janitor tries again.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes a directory that a dead run left behind.
pub(crate) fn remove(directory: &Path) -> Result<(), RuntimeError> {
    fs::remove_dir_all(directory).map_err(|error| failure(directory, error))
}

fn is_of_a_dead_run(directory: &Path) -> bool {
    fs::read_to_string(directory.join(OWNER_FILE))
        .ok()
        .and_then(|owner| owner.parse::<Owner>().ok())
        .is_some_and(|owner| owner.is_dead())
}

fn failure(path: &Path, error: std::io::Error) -> RuntimeError {
    RuntimeError::Directory { path: path.display().to_string(), error }
}
