//! A deployment with every nginx in front of every Prometheus: which of them go together.
//!
//! ```no_run
//! # async fn example() -> proxyproof::Result<()> {
//! use proxyproof::matrix::Matrix;
//!
//! let deployment = proxyproof::Deployment::load("deploy/nginx.conf")?;
//! let nginx = ["debian:bookworm".parse()?, "debian:trixie".parse()?];
//! let prometheus = ["debian:bookworm".parse()?, "debian:trixie".parse()?];
//! let report = Matrix::of(deployment, nginx.into(), prometheus.into()).run().await?;
//! println!("{:?}", report.newest_clean);
//! # Ok(())
//! # }
//! ```

pub mod json;
mod newest;
mod report;
pub mod text;

use futures_util::StreamExt;
use futures_util::stream;

pub use report::{Cell, CellVerdict, MatrixReport};

use crate::check::Selection;
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::finding::Level;
use crate::lab::{Boot, BootOptions, Lab};
use crate::report::Programs;
use crate::runtime::{Bed, Commons, Runtime};
use crate::source::Source;

/// A deployment, and the programs that it is tried with.
#[derive(Debug)]
pub struct Matrix {
    deployment: Deployment,
    nginx: Vec<Source>,
    prometheus: Vec<Source>,
    boot: BootOptions,
    selection: Selection,
    fail_on: Level,
    jobs: usize,
}

impl Matrix {
    /// Every one of these in front of every one of those.
    #[must_use]
    pub fn of(deployment: Deployment, nginx: Vec<Source>, prometheus: Vec<Source>) -> Self {
        Self {
            deployment,
            nginx,
            prometheus,
            boot: BootOptions::default(),
            selection: Selection::default(),
            fail_on: Level::Error,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// How the Labs are booted; the sources are the matrix's own.
    #[must_use]
    pub fn booted(self, boot: BootOptions) -> Self {
        Self { boot, ..self }
    }

    /// What is asked of each combination, and from which level on a finding fails it.
    #[must_use]
    pub fn asking(self, selection: Selection, fail_on: Level) -> Self {
        Self { selection, fail_on, ..self }
    }

    /// How many Labs run at once, at least one.
    #[must_use]
    pub fn jobs(self, jobs: usize) -> Self {
        Self { jobs, ..self }
    }

    /// Boots and checks every combination.
    ///
    /// # Errors
    ///
    /// What the environment lacks, a version that a source does not have among it. A program that does not start with the
    /// deployment is a verdict.
    pub async fn run(mut self) -> Result<MatrixReport> {
        self.boot.runtime = Bed::find(self.boot.runtime).await?.runtime();
        if !self.selection.changes_programs() {
            self.boot.commons.get_or_insert_with(Commons::new);
        }
        self.boot = self.boot.for_each_of(self.jobs.min(self.nginx.len() * self.prometheus.len()));
        let combinations =
            self.prometheus.iter().flat_map(|prometheus| self.nginx.iter().map(move |nginx| (nginx, prometheus)));
        let cells = stream::iter(combinations.map(|(nginx, prometheus)| self.spawned(nginx, prometheus)));
        let mut cells = cells.buffered(self.jobs.max(1));
        let mut done = Vec::new();
        while let Some(cell) = cells.next().await {
            done.push(cell?);
        }
        drop(cells);
        let runtime = if self.boot.runtime == Runtime::Docker { "docker" } else { "sandbox" };
        Ok(MatrixReport::of(&self.deployment, runtime, done))
    }

    /// On a thread of its own, where there is one.
    async fn spawned(&self, nginx: &Source, prometheus: &Source) -> Result<Cell> {
        let boot = BootOptions { nginx: nginx.clone(), prometheus: prometheus.clone(), ..self.boot.clone() };
        let (deployment, selection, fail_on) = (self.deployment.clone(), self.selection.clone(), self.fail_on);
        let mut task = tokio::task::JoinSet::new();
        task.spawn(cell(deployment, boot, selection, fail_on));
        // Dropped with this future, the task ends, and its Lab goes.
        match task.join_next().await {
            Some(Ok(cell)) => cell,
            _ => Err(Error::Bug),
        }
    }
}

async fn cell(deployment: Deployment, boot: BootOptions, selection: Selection, fail_on: Level) -> Result<Cell> {
    let lab = match Lab::try_boot(deployment, &boot).await? {
        Boot::PrometheusRefuses { nginx, prometheus, log } => {
            let programs = Programs { nginx: nginx.program().clone(), prometheus };
            return Ok(Cell::not_started(programs, log));
        }
        Boot::Lab(lab) => lab,
    };
    let report = lab.check_with(&selection, fail_on).await?;
    lab.close().await?;
    Ok(Cell::of(report))
}
