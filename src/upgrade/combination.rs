//! A deployment with one nginx and one Prometheus: booted, checked, looked at, taken away.

use crate::deployment::Deployment;
use crate::error::Result;
use crate::lab::{Boot, BootOptions, Lab};
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
    Refused(Box<Observation>),
}

impl Combination {
    /// Boots it. A program that refuses to start is an observation.
    pub(super) async fn boot(self) -> Result<Booted> {
        Ok(match Lab::try_boot(self.deployment, &self.options).await? {
            Boot::Lab(lab) => Booted::Lab(lab),
            Boot::PrometheusRefuses { programs, log } => {
                let known = |program: &Program| (program.known_version().map(str::to_owned), program.source.clone());
                let (nginx, prometheus) = (known(&programs.nginx), known(&programs.prometheus));
                Booted::Refused(Box::new(Observation::of_refusal(nginx, prometheus, &log)))
            }
        })
    }
}

impl Booted {
    /// Asks what is in the scope.
    pub(super) async fn observe(&self, scope: &Scope) -> Result<Observation> {
        match self {
            Self::Refused(observation) => Ok((**observation).clone()),
            Self::Lab(lab) => lab.observe_within(scope).await,
        }
    }

    /// Exchanges the Prometheus of two, where that is possible: see [`Lab::exchange`].
    pub(super) async fn exchange(&mut self, other: &mut Self) -> bool {
        match (self, other) {
            (Self::Lab(one), Self::Lab(other)) => one.exchange(other).await,
            _ => false,
        }
    }

    /// Whether its Prometheus can be exchanged.
    pub(super) fn may_be_exchanged(&self) -> bool {
        match self {
            Self::Lab(lab) => lab.may_be_exchanged(),
            Self::Refused(_) => false,
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
