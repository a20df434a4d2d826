//! Small facts that are believed for a day, so that what failed is not tried on every run.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Cache, create_dirs, now};
use crate::source::SourceError;

#[derive(Serialize, Deserialize)]
struct Fact {
    key: String,
    value: String,
    learnt: u64,
}

impl Cache {
    /// What was remembered under `key`, unless it is older than a day or `PROXYPROOF_REFRESH` is set.
    pub fn remembered(&self, key: &str) -> Option<String> {
        let fact: Fact = serde_json::from_slice(&fs::read(self.fact(key)).ok()?).ok()?;
        (fact.key == key && self.is_fresh(fact.learnt)).then_some(fact.value)
    }

    /// Remembers `value` under `key` for a day.
    pub fn remember(&self, key: &str, value: &str) -> Result<(), SourceError> {
        let fact = Fact { key: key.to_owned(), value: value.to_owned(), learnt: now() };
        let (file, text) = (self.fact(key), serde_json::to_vec(&fact).unwrap_or_default());
        // Whoever reads half of it takes it for unknown.
        file.parent()
            .map_or(Ok(()), create_dirs)
            .and_then(|()| fs::write(&file, text).map_err(SourceError::io("write", &file)))
            .map_err(|error| error.in_cache(self.directory()))
    }

    /// A file name can't hold every key; two keys that share one are told apart by the key inside.
    fn fact(&self, key: &str) -> PathBuf {
        let name: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.version().join("remembered").join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_told_by_its_whole_key() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let cache = Cache::new(temporary.path());
        cache.remember("pull nginx:latest", "refused").expect("written");
        assert_eq!(cache.remembered("pull nginx:latest").as_deref(), Some("refused"));
        assert_eq!(cache.remembered("pull nginx-latest"), None);
    }
}
