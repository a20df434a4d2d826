//! A deployment with one nginx and one Prometheus: booted, checked, looked at, taken away.

use crate::deployment::Deployment;
use crate::error::Result;
use crate::lab::{Boot, BootOptions, Lab, Provided};
use crate::observation::Observation;
use crate::observe::Scope;
use crate::report::Program;

/// What is to be booted.
#[derive(Debug)]
pub(super) struct Combination {
    pub(super) deployment: Deployment,
    pub(super) options: BootOptions,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Booted {
    /// It can be looked at, an nginx that refuses to start too.
    Lab(Box<Lab>),
    /// Prometheus refuses to start, and that is all that can be seen.
    Refused(Box<Refused>),
}

/// A combination with a Prometheus that refuses to start.
#[derive(Debug)]
pub(super) struct Refused {
    nginx: Provided,
    prometheus: Program,
    /// What Prometheus said.
    log: String,
}

impl Combination {
    /// Boots it. A program that refuses to start is an observation.
    pub(super) async fn boot(self) -> Result<Booted> {
        Ok(match Lab::try_boot(self.deployment, &self.options).await? {
            Boot::Lab(lab) => Booted::Lab(lab),
            Boot::PrometheusRefuses { nginx, prometheus, log } => {
                Booted::Refused(Box::new(Refused { nginx: *nginx, prometheus, log }))
            }
        })
    }
}

impl Booted {
    /// Asks what is in the scope.
    pub(super) async fn observe(&self, scope: &Scope) -> Result<Observation> {
        match self {
            Self::Refused(refused) => Ok(refused.observation()),
            Self::Lab(lab) => lab.observe_within(scope).await,
        }
    }

    /// Its nginx, which may be put in front of another Prometheus.
    pub(super) fn nginx(&self) -> &Provided {
        match self {
            Self::Lab(lab) => lab.provided_nginx(),
            Self::Refused(refused) => &refused.nginx,
        }
    }

    /// Puts this nginx in front of its Prometheus, freshly started.
    pub(super) async fn replace_nginx(&mut self, nginx: Provided) -> Result<()> {
        match self {
            Self::Lab(lab) => lab.replace_nginx(nginx).await,
            // Whatever stands in front of it, nothing is answered.
            Self::Refused(refused) => {
                refused.nginx = nginx;
                Ok(())
            }
        }
    }

    /// Takes it away.
    pub(super) async fn close(self) -> Result<()> {
        match self {
            Self::Refused(_) => Ok(()),
            Self::Lab(lab) => lab.close().await,
        }
    }
}

impl Refused {
    fn observation(&self) -> Observation {
        let known = |program: &Program| (program.known_version().map(str::to_owned), program.source.clone());
        Observation::of_refusal(known(self.nginx.program()), known(&self.prometheus), &self.log)
    }
}
