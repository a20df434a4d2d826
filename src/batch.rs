//! Many deployments, so many at once, each reported as it ends.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::{Id, JoinSet};

use crate::check::Selection;
use crate::deployment::{Deployment, Options};
use crate::error::{Error, Result};
use crate::finding::Level;
use crate::lab::{BootOptions, Lab};
use crate::report::Report;
use crate::runtime::{Bed, Commons};

/// How deployments are checked.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// What is said beside the paths, to each of them.
    pub deployment: Options,
    /// How each Lab is booted.
    pub boot: BootOptions,
    /// What is asked.
    pub selection: Selection,
    /// The lowest level of a finding that fails a report.
    pub fail_on: Level,
    /// Whether the reports say what the time went into.
    pub timings: bool,
    /// How many Labs run at once, at least one.
    pub jobs: usize,
}

/// A run over many deployments. Dropping it ends the Labs that run.
///
/// ```no_run
/// # async fn example(options: proxyproof::BatchOptions) -> proxyproof::Result<()> {
/// use proxyproof::{Batch, Deployment};
///
/// let paths = Deployment::paths_at("deployments", &options.deployment)?;
/// let mut batch = Batch::begin(paths, options).await?;
/// while let Some(ended) = batch.next().await {
///     match ended.result {
///         Ok(report) => println!("{}: {:?}", ended.path.display(), report.verdict),
///         Err(error) => println!("{}: {error}", ended.path.display()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Batch {
    options: Arc<BatchOptions>,
    waiting: std::iter::Enumerate<std::vec::IntoIter<PathBuf>>,
    running: JoinSet<Result<Report>>,
    /// What the running ones are about.
    about: HashMap<Id, (usize, PathBuf)>,
}

/// What came of one path.
#[derive(Debug)]
pub struct Ended {
    /// Which of the paths it is, from 0.
    pub place: usize,
    /// The path.
    pub path: PathBuf,
    /// What was found, or why nothing could be.
    pub result: Result<Report>,
}

impl Batch {
    /// Makes ready to check these paths. Each is loaded when its turn comes. In the sandbox they have a Prometheus in common
    /// where they can: see [`Commons`].
    ///
    /// # Errors
    ///
    /// If no runtime works here.
    pub async fn begin(paths: Vec<PathBuf>, mut options: BatchOptions) -> Result<Self> {
        // Looked for once, and not by each of them.
        options.boot.runtime = Bed::find(options.boot.runtime).await?.runtime();
        if options.boot.commons.is_none() && !options.selection.changes_programs() {
            options.boot.commons = Some(Commons::new());
        }
        options.boot = options.boot.for_each_of(options.jobs.min(paths.len()));
        let waiting = paths.into_iter().enumerate();
        Ok(Self { options: Arc::new(options), waiting, running: JoinSet::new(), about: HashMap::new() })
    }

    /// What came of the next one that ends; none when all have. A call that is dropped loses nothing.
    pub async fn next(&mut self) -> Option<Ended> {
        while self.running.len() < self.options.jobs.max(1) {
            let Some((place, path)) = self.waiting.next() else { break };
            let task = self.running.spawn(check(path.clone(), Arc::clone(&self.options)));
            self.about.insert(task.id(), (place, path));
        }
        let (id, result) = match self.running.join_next_with_id().await? {
            Ok(ended) => ended,
            Err(ended) => (ended.id(), Err(Error::Bug)),
        };
        let (place, path) = self.about.remove(&id)?;
        Some(Ended { place, path, result })
    }

    /// Ends the Labs that run, and returns when they are gone.
    pub async fn stop(mut self) {
        self.running.shutdown().await;
    }
}

async fn check(path: PathBuf, options: Arc<BatchOptions>) -> Result<Report> {
    let begun = Instant::now();
    let deployment = Deployment::load_with(&path, &options.deployment)?;
    let lab = Lab::boot_for_checks(deployment, &options.boot).await?;
    let mut report = lab.check_with(&options.selection, options.fail_on).await?;
    report.set_duration(begun.elapsed());
    let timings = lab.close_timed().await?;
    if options.timings {
        report.set_timings(timings);
    }
    Ok(report)
}
