//! Where roots are kept between runs: the user's cache directory.
//!
//! ```text
//! v1/
//!   debian/RELEASE-ARCH.json   what the release holds, as apt verified it, and when it was asked
//!   ubuntu/RELEASE-ARCH.json   the same of Ubuntu
//!   roots/KEY/                 a finished root: root/ and manifest.json; put there by one rename
//!   images/ID/                 the files of a container image: root/; put there by one rename
//!   locks/                     one lock for each of the above, so that two runs at once build once
//!   building-PID-NUMBER/       what a live process is building; it goes with the process
//!   remembered/                small facts for a day, such as a pull that failed
//! ```

mod building;
mod lock;
mod remember;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use etcetera::BaseStrategy;

pub(super) use building::Building;
pub use building::remove_stale;
pub(super) use lock::Lock;

use super::{Distribution, SourceError};

/// What a build of the largest root takes while it runs.
pub(super) const MEGABYTES_NEEDED: u32 = 300;

/// How long an index or a remembered fact is believed.
pub(super) const DAY: u64 = 24 * 60 * 60;

/// The cache, and what the environment says about how to fill it.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
    mirrors: BTreeMap<Distribution, String>,
    keyrings: BTreeMap<Distribution, PathBuf>,
    refresh_before: u64,
}

impl Cache {
    /// A cache in `directory`, which need not exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let (mirrors, keyrings) = (BTreeMap::new(), BTreeMap::new());
        Self { directory: directory.into(), mirrors, keyrings, refresh_before: 0 }
    }

    /// The user's: `PROXYPROOF_CACHE`, or `proxyproof` below the XDG cache directory. `PROXYPROOF_DEBIAN_MIRROR` and
    /// `PROXYPROOF_UBUNTU_MIRROR` name mirrors, `PROXYPROOF_DEBIAN_KEYRING` and `PROXYPROOF_UBUNTU_KEYRING` files with the
    /// keys that verify them, `PROXYPROOF_REFRESH=1` distrusts every index that is older than this call.
    pub fn from_env() -> Result<Self, SourceError> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let directory = match set("PROXYPROOF_CACHE") {
            Some(directory) => {
                std::path::absolute(&directory).map_err(SourceError::io("find", Path::new(&directory)))?
            }
            None => etcetera::choose_base_strategy().map_err(|_| SourceError::NoCache)?.cache_dir().join("proxyproof"),
        };
        let mut cache = Self::new(directory);
        for distribution in Distribution::ALL {
            if let Some(url) = set(distribution.mirror_variable()) {
                cache = cache.with_mirror(distribution, url.to_string_lossy());
            }
            if let Some(file) = set(distribution.keyring_variable()) {
                let file = std::path::absolute(&file).map_err(SourceError::io("find", Path::new(&file)))?;
                cache = cache.with_keyring(distribution, file);
            }
        }
        if set("PROXYPROOF_REFRESH").is_some_and(|value| value != "0") {
            cache.refresh_before = now();
        }
        Ok(cache)
    }

    /// The same cache, filled from this mirror of a distribution.
    #[must_use]
    pub fn with_mirror(mut self, distribution: Distribution, url: impl Into<String>) -> Self {
        self.mirrors.insert(distribution, url.into());
        self
    }

    /// The same cache, filled with what the keys in this file verify: what apt takes for `Signed-By`.
    #[must_use]
    pub fn with_keyring(mut self, distribution: Distribution, file: impl Into<PathBuf>) -> Self {
        self.keyrings.insert(distribution, file.into());
        self
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The mirror that the user named.
    pub(super) fn mirror(&self, distribution: Distribution) -> Option<&str> {
        self.mirrors.get(&distribution).map(String::as_str)
    }

    /// The keys that the user named.
    pub(super) fn keyring(&self, distribution: Distribution) -> Option<&Path> {
        self.keyrings.get(&distribution).map(PathBuf::as_path)
    }

    /// Whether what was learnt at that time (in seconds since 1970) is still to be believed.
    pub(super) fn is_fresh(&self, learnt: u64) -> bool {
        let now = now();
        learnt <= now && now - learnt < DAY && learnt >= self.refresh_before
    }

    /// The directory of the finished root with this key.
    pub(super) fn root(&self, key: &str) -> PathBuf {
        self.version().join("roots").join(key)
    }

    /// The directory of the image with this id.
    #[cfg(target_os = "linux")]
    pub(super) fn image(&self, id: &str) -> PathBuf {
        self.version().join("images").join(super::layers::hex_of(id))
    }

    /// The file with what is known about a release.
    pub(super) fn index(&self, distribution: Distribution, key: &str) -> PathBuf {
        self.version().join(distribution.id()).join(format!("{key}.json"))
    }

    /// The layout's version: another layout lives beside it and is not confused with it.
    fn version(&self) -> PathBuf {
        self.directory.join("v1")
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// Creates a directory and those above it.
pub(super) fn create_dirs(directory: &Path) -> Result<(), SourceError> {
    fs::create_dir_all(directory).map_err(SourceError::io("create", directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_believed_for_a_day() {
        let cache = Cache::new("/nowhere");
        assert!(cache.is_fresh(now() - 60));
        assert!(!cache.is_fresh(now() - DAY));
        assert!(!cache.is_fresh(now() + 60), "from the future: the clock was set");
    }

    #[test]
    fn a_refresh_distrusts_what_is_older_than_the_run() {
        let cache = Cache { refresh_before: now(), ..Cache::new("/nowhere") };
        assert!(!cache.is_fresh(now() - 1));
        assert!(cache.is_fresh(now()));
    }
}
