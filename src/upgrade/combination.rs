//! A deployment with one nginx and one Prometheus: booted, checked, looked at, taken away.

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::lab::{BootOptions, Lab};
use crate::observation::Observation;
use crate::report::Report;
use crate::runtime::RuntimeError;

/// What is to be booted.
#[derive(Debug)]
pub(super) struct Combination {
    pub(super) deployment: Deployment,
    pub(super) options: BootOptions,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Ran {
    /// What the checks say; none where Prometheus refused to start.
    #[expect(dead_code, reason = "for a table of many combinations, which shows a verdict for each")]
    pub(super) report: Option<Report>,
    /// All that was seen.
    pub(super) observation: Observation,
}

impl Combination {
    /// Boots it, asks all that there is to ask, and takes it away. A program that refuses to start is an observation.
    pub(super) async fn run(self) -> Result<Ran> {
        let lab = match Lab::boot_for_checks(self.deployment, &self.options).await {
            Err(Error::Runtime(RuntimeError::Ended { program: "prometheus", log })) => {
                let sources = (self.options.nginx.to_string(), self.options.prometheus.to_string());
                return Ok(Ran { report: None, observation: Observation::of_refusal(&sources.0, &sources.1, &log) });
            }
            booted => booted?,
        };
        let (report, observation) = lab.check_and_observe().await?;
        lab.close().await?;
        Ok(Ran { report: Some(report), observation })
    }
}
