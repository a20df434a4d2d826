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
mod open;
mod pair;
mod places;
mod programs;
mod report;
mod side;
pub mod text;
mod tls;
mod together;

pub use baseline::BaselineError;
pub use change::{By, Change, ChangeLevel};
pub use report::{UpgradeReport, UpgradedDeployment};
pub use side::{Side, WrongSide};

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::lab::BootOptions;
use crate::observation::Observation;
use crate::report::Verdict;
use crate::runtime::{PROMETHEUS, RuntimeError};
use crate::source::Source;
use combination::Combination;
use diff::Observed;
use together::{Closing, Together};

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
        match &self.from {
            Old::Programs(from) => {
                let (observed, closing) = self.observe(from).await?;
                let report = self.report(&observed);
                for lab in closing {
                    lab.end().await?;
                }
                report
            }
            Old::Baseline(baseline) => {
                let new = together::alone(self.combination(self.to.or(&self.options), 1)).await?;
                self.report(&Observed::of_two((**baseline).clone(), new))
            }
        }
    }

    fn report(&self, observed: &Observed) -> Result<UpgradeReport> {
        comparable(&observed.old, &observed.new)?;
        let changes = change::all(observed, &self.deployment);
        let failed = changes.iter().any(|change| change.level >= self.fail_on);
        let verdict = if failed { Verdict::Fail } else { Verdict::Pass };
        Ok(UpgradeReport::of(observed, &self.deployment, verdict, changes))
    }

    /// Boots every combination that tells something. They are being taken away when this returns.
    async fn observe(&self, from: &Side) -> Result<(Observed, [Closing; 2])> {
        let (old, new) = (from.or(&self.options), self.to.or(&self.options));
        let changes = (old.0 != new.0, old.1 != new.1);
        let ends = [old, new].map(|side| self.combination(side, 2));
        let Together { old, new, mixtures, closing } = together::observe(ends, changes == (true, true)).await?;
        let (new_nginx, new_prometheus) = mixtures.map(|[nginx, prometheus]| (nginx, prometheus)).unzip();
        let only = match changes {
            (true, false) => Some(By::Nginx),
            (false, true) => Some(By::Prometheus),
            _ => None,
        };
        Ok((Observed { old, new, new_nginx, new_prometheus, only }, closing))
    }

    /// The deployment with these programs, one of so many at once.
    fn combination(&self, (nginx, prometheus): (Source, Source), at_once: usize) -> Combination {
        let options = BootOptions { nginx, prometheus, ..self.options.clone() };
        Combination { deployment: self.deployment.clone(), options: options.for_each_of(at_once) }
    }
}

/// Boots a deployment once and writes down what is seen, for [`Upgrade::since`].
///
/// # Errors
///
/// What the environment lacks, and what keeps the programs from starting.
pub async fn record(deployment: Deployment, options: &BootOptions) -> Result<Observation> {
    let observation = together::alone(Combination { deployment, options: options.clone() }).await?;
    comparable(&observation, &observation)?;
    Ok(observation)
}

/// Nothing is known where neither the old nor the new programs start.
fn comparable(old: &Observation, new: &Observation) -> Result<()> {
    if !old.nginx.refusal.is_empty() && !new.nginx.refusal.is_empty() {
        let log = new.nginx.refusal.iter().cloned().collect::<Vec<_>>().join("\n");
        return Err(Error::NginxRefused { log });
    }
    let refusal = |seen: &Observation| seen.prometheus.iter().find_map(|prometheus| prometheus.refusal.clone());
    match (refusal(old), refusal(new)) {
        (Some(_), Some(log)) => Err(RuntimeError::Ended { program: PROMETHEUS, log }.into()),
        _ => Ok(()),
    }
}
