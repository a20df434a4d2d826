//! What a run found, as data. The renderers beside this file only render it.

mod gathered;
pub mod json;
mod merge;
mod one;
mod paths;
#[cfg(test)]
mod sample;
mod shard;
pub mod text;
pub mod timings;

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

pub use gathered::Gathered;
pub use merge::{MergeError, merge};
pub use one::{DeploymentReport, SourceText, Verdict};
pub use paths::{Broken, Paths};
pub use shard::{Shard, WrongShard};
use timings::Timings;

/// A program that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version, as it says itself; `unknown` where a probe is not told.
    pub version: String,
    /// Where it came from, such as `debian:trixie`; of what is probed, what says the version.
    pub source: String,
}

impl Program {
    /// What stands for a version that is not known.
    pub const UNKNOWN: &str = "unknown";

    /// One whose version nobody has told yet.
    pub(crate) fn of_unknown_version(source: impl Into<String>) -> Self {
        Self { version: Self::UNKNOWN.to_owned(), source: source.into() }
    }

    /// Its version, where that is known.
    #[must_use]
    pub fn known_version(&self) -> Option<&str> {
        Some(self.version.as_str()).filter(|version| *version != Self::UNKNOWN)
    }
}

/// The two programs of a Lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    /// The reverse proxy.
    pub nginx: Program,
    /// What it stands in front of.
    pub prometheus: Program,
}

/// What was found at one path. Many are [`Gathered`].
#[derive(Clone, Debug)]
pub struct Report {
    /// The worst verdict of all its entries.
    pub verdict: Verdict,
    /// What booted the Pod; [`Report::PROBE`] where nothing was booted.
    pub runtime: RuntimeName,
    /// What ran in it.
    pub programs: Programs,
    /// One entry for each route to Prometheus.
    pub deployments: Vec<DeploymentReport>,
}

impl Report {
    /// The runtime of a report about what was running already.
    pub const PROBE: &str = "probe";

    /// The format's name and version.
    pub const SCHEMA: &'static str = "proxyproof/report/1";

    /// Sets how long it took, boot included.
    pub fn set_duration(&mut self, duration: Duration) {
        for deployment in &mut self.deployments {
            deployment.duration = duration;
        }
    }

    /// Adds what the time went into.
    pub fn set_timings(&mut self, timings: Timings) {
        if let Some(deployment) = self.deployments.first_mut() {
            deployment.timings = Some(timings);
        }
    }

    /// Panics with the text report if the verdict is not a pass.
    ///
    /// # Panics
    ///
    /// If a finding reached the level that fails.
    #[track_caller]
    pub fn assert_passed(&self) {
        let mut rendered = Vec::new();
        // Writing to memory can't fail.
        let _ = text::render(self, &mut anstream::StripStream::new(&mut rendered));
        assert!(self.verdict == Verdict::Pass, "the deployment did not pass\n{}", String::from_utf8_lossy(&rendered));
    }
}

/// `docker`, `sandbox`, or [`Report::PROBE`].
pub type RuntimeName = &'static str;

fn known_runtime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = ["docker", "sandbox", Report::PROBE].into_iter().find(|known| *known == name);
    known.ok_or_else(|| serde::de::Error::custom(format!("there is no runtime `{name}`")))
}
