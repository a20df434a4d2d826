//! A deployment with one nginx and one Prometheus: booted, checked, looked at, taken away.

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::lab::{BootOptions, Lab};
use crate::observation::Observation;
use crate::runtime::RuntimeError;

/// What is to be booted.
#[derive(Debug)]
pub(super) struct Combination {
    pub(super) deployment: Deployment,
    pub(super) options: BootOptions,
}

impl Combination {
    /// Boots it, asks all that there is to ask, and takes it away. A program that refuses to start is an observation.
    pub(super) async fn run(self) -> Result<Observation> {
        let lab = match Lab::boot_for_checks(self.deployment, &self.options).await {
            Err(Error::Runtime(RuntimeError::Ended { program: "prometheus", log })) => {
                let sources = (self.options.nginx.to_string(), self.options.prometheus.to_string());
                return Ok(Observation::of_refusal(&sources.0, &sources.1, &log));
            }
            booted => booted?,
        };
        let observation = lab.observe().await?;
        lab.close().await?;
        Ok(observation)
    }
}
