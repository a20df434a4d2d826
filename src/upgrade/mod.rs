//! What an upgrade of nginx and Prometheus changes for a deployment, before it is made.
//!
//! The deployment is booted with the old and with the new programs, and where both change with each of the two
//! mixtures, so that a change is known to be one program's. Each time the same is asked; what differs is a [`Change`].
//!
//! ```no_run
//! # async fn example() -> proxyproof::Result<()> {
//! use proxyproof::upgrade::{ChangeLevel, Side, Upgrade};
//!
//! let deployment = proxyproof::Deployment::load("deploy/nginx.conf")?;
//! let (from, to): (Side, Side) = ("debian:bookworm".parse()?, "debian:trixie".parse()?);
//! let report = Upgrade::between(deployment, from, to).run().await?;
//! assert!(report.changes().all(|change| change.level < ChangeLevel::Breaking), "{report:?}");
//! # Ok(())
//! # }
//! ```

mod answers;
mod baseline;
mod change;
mod checks;
mod combination;
mod crossing;
mod diff;
mod fact;
mod grouping;
pub mod json;
mod known;
mod places;
mod programs;
mod report;
mod side;
pub mod text;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use baseline::BaselineError;
pub use change::{By, Change, ChangeLevel};
pub use report::{UpgradeReport, UpgradedDeployment};
pub use side::{Side, WrongSide};

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::lab::BootOptions;
use crate::observation::Observation;
use crate::report::Verdict;
use crate::runtime::RuntimeError;
use combination::Combination;
use diff::Observed;

/// So many Labs run at once for each processor.
const EACH_PROCESSOR: usize = 2;

/// An upgrade of a deployment's programs.
#[derive(Debug)]
pub struct Upgrade {
    deployment: Deployment,
    from: Old,
    to: Side,
    options: BootOptions,
    fail_on: ChangeLevel,
}

/// What the new programs are compared with.
#[derive(Debug)]
enum Old {
    Programs(Side),
    Baseline(Box<Observation>),
}

impl Upgrade {
    /// From these programs to those.
    #[must_use]
    pub fn between(deployment: Deployment, from: Side, to: Side) -> Self {
        Self::of(deployment, Old::Programs(from), to)
    }

    /// From what was recorded to these programs.
    #[must_use]
    pub fn since(deployment: Deployment, baseline: Observation, to: Side) -> Self {
        Self::of(deployment, Old::Baseline(Box::new(baseline)), to)
    }

    fn of(deployment: Deployment, from: Old, to: Side) -> Self {
        Self { deployment, from, to, options: BootOptions::default(), fail_on: ChangeLevel::Breaking }
    }

    /// How the Labs are booted. Its sources are those of a program that the sides do not name.
    #[must_use]
    pub fn booted(self, options: BootOptions) -> Self {
        Self { options, ..self }
    }

    /// From which level on a change fails the report.
    #[must_use]
    pub fn fail_on(self, fail_on: ChangeLevel) -> Self {
        Self { fail_on, ..self }
    }

    /// Boots, looks and compares.
    ///
    /// # Errors
    ///
    /// What the environment lacks, and what keeps the old and the new programs alike from starting: nothing can be
    /// compared then. What keeps the new ones alone from it is a change.
    pub async fn run(self) -> Result<UpgradeReport> {
        let observed = match &self.from {
            Old::Programs(from) => self.observe(from).await?,
            Old::Baseline(baseline) => {
                let new = self.combination(&Side::default(), true, true).run().await?;
                Observed::of_two((**baseline).clone(), new)
            }
        };
        comparable(&observed)?;
        let changes = change::all(&observed, &self.deployment);
        let failed = changes.iter().any(|change| change.level >= self.fail_on);
        let verdict = if failed { Verdict::Fail } else { Verdict::Pass };
        Ok(UpgradeReport::of(&observed, &self.deployment, verdict, changes))
    }

    /// Boots every combination that tells something.
    async fn observe(&self, from: &Side) -> Result<Observed> {
        let (old, new) = (from.or(&self.options), self.to.or(&self.options));
        let changes = (old.0 != new.0, old.1 != new.1);
        let mixtures = if changes == (true, true) { [(true, false), (false, true)].as_slice() } else { &[] };
        let combinations = [(false, false), (true, true)].iter().chain(mixtures);
        let combinations = combinations.map(|(nginx, prometheus)| self.combination(from, *nginx, *prometheus));
        let mut observations = observe_all(combinations.collect()).await?.into_iter();
        // The first two are always there.
        let mut next = || observations.next();
        let (old, new) = (next(), next());
        let nothing = || Observation::of_refusal("", "", "");
        Ok(Observed {
            old: old.unwrap_or_else(nothing),
            new: new.unwrap_or_else(nothing),
            new_nginx: next(),
            new_prometheus: next(),
            only: match changes {
                (true, false) => Some(By::Nginx),
                (false, true) => Some(By::Prometheus),
                _ => None,
            },
        })
    }

    /// The deployment with the old or the new of each program.
    fn combination(&self, from: &Side, new_nginx: bool, new_prometheus: bool) -> Combination {
        let (old, new) = (from.or(&self.options), self.to.or(&self.options));
        let options = BootOptions {
            nginx: if new_nginx { new.0 } else { old.0 },
            prometheus: if new_prometheus { new.1 } else { old.1 },
            ..self.options.clone()
        };
        Combination { deployment: self.deployment.clone(), options }
    }
}

/// Boots these, a few at once: most of a run is waiting. The first that can't be booted ends the others.
async fn observe_all(combinations: Vec<Combination>) -> Result<Vec<Observation>> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from) * EACH_PROCESSOR;
    let places = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    for (index, combination) in combinations.into_iter().enumerate() {
        let places = Arc::clone(&places);
        running.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await.ok();
            combination.run().await.map(|seen| (index, seen))
        });
    }
    let mut observations = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        match ended.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic())) {
            Ok((index, observation)) => drop(observations.insert(index, observation)),
            Err(error) => {
                // Their Labs are gone when this returns.
                running.shutdown().await;
                return Err(error);
            }
        }
    }
    Ok(observations.into_values().collect())
}

/// Boots a deployment once and writes down what is seen, for [`Upgrade::since`].
///
/// # Errors
///
/// What the environment lacks, and what keeps the programs from starting.
pub async fn record(deployment: Deployment, options: &BootOptions) -> Result<Observation> {
    let observation = Combination { deployment, options: options.clone() }.run().await?;
    comparable(&Observed::of_two(observation.clone(), observation.clone()))?;
    Ok(observation)
}

/// Nothing is known where neither the old nor the new programs start.
fn comparable(observed: &Observed) -> Result<()> {
    let (old, new) = (&observed.old, &observed.new);
    if !old.nginx.refusal.is_empty() && !new.nginx.refusal.is_empty() {
        let log = new.nginx.refusal.iter().cloned().collect::<Vec<_>>().join("\n");
        return Err(Error::NginxRefused { log });
    }
    let refusal = |seen: &Observation| seen.prometheus.iter().find_map(|prometheus| prometheus.refusal.clone());
    match (refusal(old), refusal(new)) {
        (Some(_), Some(log)) => Err(RuntimeError::Ended { program: "prometheus", log }.into()),
        _ => Ok(()),
    }
}
