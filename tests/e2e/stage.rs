//! A run of the program with directories of its own, and what is left of it afterwards.
//!
//! Other runs go on beside it, of this test binary and of other people. What is its own is told apart by the process id
//! with which the names of its containers and networks begin, by its `TMPDIR`, and by a mark in the environment that
//! all its processes inherit.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::engine::in_the_engine;
use crate::running::{Run, Running};

/// In the environment of every process of a stage.
const MARK: &str = "PROXYPROOF_TEST_STAGE";

/// The directories of a run.
pub(crate) struct Stage {
    directory: TempDir,
    /// Instead of the user's.
    cache: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Stage {
    /// With the user's cache.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), cache: None, environment: Vec::new() }
    }

    /// With an empty cache, so that everything is built.
    pub(crate) fn with_fresh_cache() -> Self {
        let stage = Self::new();
        Self { cache: Some(stage.path("cache")), ..stage }
    }

    /// With this in the environment of its runs.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// A place in its directory, which goes with it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The run's `TMPDIR`.
    fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }

    /// Starts the program in the project's directory.
    pub(crate) fn start<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Running {
        fs::create_dir_all(self.temporary()).expect("a directory");
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("proxyproof"));
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("TMPDIR", self.temporary()).env(MARK, self.directory.path()).env("NO_COLOR", "1");
        command.env_remove("PROXYPROOF_REFRESH").envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(cache) = &self.cache {
            command.env("PROXYPROOF_CACHE", cache);
        }
        Running::begin(command)
    }

    /// Runs `doctor` where it sees what the stage's runs left behind, and gives what it says.
    pub(crate) fn doctor(&self, arguments: &[&str]) -> String {
        let ended = self.start(["doctor"].iter().chain(arguments).copied()).end();
        assert_eq!(ended.code(), 0, "{ended:#?}");
        ended.stdout
    }

    /// What is left of a run, each by its name.
    pub(crate) fn left_by(&self, run: Run) -> Vec<String> {
        let mut left = in_the_engine(&run.name());
        left.extend(self.left_on_this_machine(run));
        left
    }

    /// The same, where no engine is to be asked.
    pub(crate) fn left_on_this_machine(&self, run: Run) -> Vec<String> {
        let mut left = files_below(&self.temporary());
        let building = format!("building-{}-", run.pid());
        let cache = self.cache.clone().unwrap_or_else(users_cache);
        left.extend(files_below(&cache.join("v1")).into_iter().filter(|path| path.contains(&building)));
        left.extend(self.processes().into_values());
        left
    }

    /// The processes of its runs, by their ids.
    pub(crate) fn processes(&self) -> HashMap<u32, String> {
        let mark = format!("{MARK}={}", self.directory.path().display());
        let ids = fs::read_dir("/proc").expect("/proc").flatten();
        ids.filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // That of a process that has ended is empty.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            environment.split(|byte| *byte == 0).find(|variable| *variable == mark.as_bytes())?;
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            Some((pid, format!("process {pid} {}", String::from_utf8_lossy(&command).replace('\0', " "))))
        })
        .collect()
    }
}

/// Looks until there is nothing, or the time is over: then what there is.
pub(crate) fn nothing_within(time: Duration, mut look: impl FnMut() -> Vec<String>) -> Vec<String> {
    let end = Instant::now() + time;
    loop {
        let there = look();
        if there.is_empty() || Instant::now() > end {
            return there;
        }
        thread::park_timeout(Duration::from_millis(50));
    }
}

fn files_below(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| format!("file {}", entry.path().display())).collect()
}

/// The cache of all runs that have none of their own.
pub(crate) fn users_cache() -> PathBuf {
    let directory = proxyproof::source::Cache::from_env().expect("a cache").directory().to_owned();
    fs::create_dir_all(&directory).expect("a cache");
    directory
}
