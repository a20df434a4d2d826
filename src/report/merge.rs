//! Reports of several runs, such as the shards of one, as one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Broken, DeploymentReport, Gathered, Paths, Report, Shard};

/// Why reports can't be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file can't be read.
    #[error("could not read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that is no report.
    #[error("{} is no report of `check --format json`: {reason}", path.display())]
    NoReport {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Two reports of the same part.
    #[error("{} and {} are both of shard {shard}; name each shard's report once", first.display(), second.display())]
    Twice {
        /// The part.
        shard: Shard,
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Parts of different runs.
    #[error("{} is {}, and {} is {}: these are not of one run", first.0.display(), described(first.1), second.0.display(), described(second.1))]
    Mixed {
        /// One of them, and its part.
        first: (PathBuf, Option<Shard>),
        /// Another one.
        second: (PathBuf, Option<Shard>),
    },
    /// A run that is not complete.
    #[error("the report of shard {} is missing: a run is only as good as all its shards", listed(missing))]
    Missing {
        /// The parts that nobody named.
        missing: Vec<Shard>,
    },
    /// The temporary directory does not take what is merged.
    #[error("could not keep what is merged: {0}")]
    Disk(io::Error),
}

impl MergeError {
    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Disk(_)) { 3 } else { 2 }
    }
}

fn described(shard: Option<Shard>) -> String {
    shard.map_or_else(|| "a whole run".to_owned(), |shard| format!("shard {shard}"))
}

fn listed(shards: &[Shard]) -> String {
    shards.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A report as it is read: its head first.
#[derive(Deserialize)]
struct Head {
    schema: String,
    shard: Option<Shard>,
    paths: Paths,
}

#[derive(Deserialize)]
struct Body {
    deployments: Vec<DeploymentReport>,
    broken: Vec<Broken>,
}

/// Joins reports in JSON, as `check` writes them. Those of shards must be all of one run; the order of the run is kept.
///
/// # Errors
///
/// If a file is no report, or a shard is missing or named twice.
pub fn merge<P: AsRef<Path>>(files: &[P]) -> Result<Gathered, MergeError> {
    let heads = files.iter().map(|file| Ok((file.as_ref(), head(file.as_ref())?)));
    let mut heads: Vec<(&Path, Head)> = heads.collect::<Result<_, MergeError>>()?;
    all_of_one_run(&heads)?;
    heads.sort_by_key(|(_, head)| head.shard.map(|shard| shard.number));
    let given = heads.iter().map(|(_, head)| head.paths.given).sum();
    let mut gathered = Gathered::of(given, None).map_err(MergeError::Disk)?;
    let mut place = 0;
    for (file, _) in &heads {
        let body: Body = read(file)?;
        // The routes of one path lie side by side.
        for entries in body.deployments.chunk_by(|one, other| one.path == other.path) {
            gathered.add_entries(place, entries).map_err(MergeError::Disk)?;
            place += 1;
        }
        for broken in body.broken {
            gathered.add_broken(place, broken);
            place += 1;
        }
    }
    Ok(gathered)
}

fn head(file: &Path) -> Result<Head, MergeError> {
    let head: Head = read(file)?;
    match head.schema == Report::SCHEMA {
        true => Ok(head),
        false => {
            let reason = format!("its schema is {}, not {}", head.schema, Report::SCHEMA);
            Err(MergeError::NoReport { path: file.to_owned(), reason })
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, MergeError> {
    let unreadable = |error| MergeError::Unreadable { path: path.to_owned(), error };
    let file = File::open(path).map_err(unreadable)?;
    serde_json::from_reader(BufReader::new(file)).map_err(|error| match error.is_io() {
        true => unreadable(error.into()),
        false => MergeError::NoReport { path: path.to_owned(), reason: error.to_string() },
    })
}

/// Either no report is of a shard, or all shards of one run are there once.
fn all_of_one_run(heads: &[(&Path, Head)]) -> Result<(), MergeError> {
    let Some((first, Head { shard, .. })) = heads.first() else { return Ok(()) };
    let mut seen: BTreeMap<Shard, &Path> = BTreeMap::new();
    for (file, head) in heads {
        if head.shard.map(|shard| shard.of) != shard.map(|shard| shard.of) {
            let (first, second) = ((first.to_path_buf(), *shard), (file.to_path_buf(), head.shard));
            return Err(MergeError::Mixed { first, second });
        }
        if let Some(shard) = head.shard
            && let Some(first) = seen.insert(shard, file)
        {
            return Err(MergeError::Twice { shard, first: first.to_owned(), second: file.to_path_buf() });
        }
    }
    let of = shard.map_or(0, |shard| shard.of);
    let missing = (1..=of).map(|number| Shard { number, of }).filter(|shard| !seen.contains_key(shard));
    match missing.collect::<Vec<_>>() {
        missing if missing.is_empty() => Ok(()),
        missing => Err(MergeError::Missing { missing }),
    }
}
