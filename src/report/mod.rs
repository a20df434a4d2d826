//! What a run found, as data. The renderers beside this file only render it.

pub mod json;
#[cfg(test)]
mod sample;
pub mod text;
pub mod timings;

use std::time::Duration;

use serde::Serialize;

use crate::check::CheckResult;
use crate::finding::Finding;
use crate::world::Substitution;

/// A program that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Its version, as it says itself; `unknown` where a probe is not told.
    pub version: String,
    /// Where it came from, such as `debian:trixie`; of what is probed, what says the version.
    pub source: String,
}

/// The two programs of a Lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Programs {
    /// The reverse proxy.
    pub nginx: Program,
    /// What it stands in front of.
    pub prometheus: Program,
}

/// What was found about one deployment.
#[derive(Clone, Debug, Serialize)]
pub struct DeploymentReport {
    /// The path that the user named.
    pub path: String,
    /// Where clients find Prometheus.
    pub public_url: String,
    /// Whether a finding reached `--fail-on`.
    pub verdict: Verdict,
    /// What the World made up.
    pub substitutions: Vec<Substitution>,
    /// Every check of the catalogue that was asked for.
    pub checks: Vec<CheckResult>,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// How long it took, from the boot to the last check.
    #[serde(skip)]
    pub duration: Duration,
    /// The texts of the deployment's files, for renderers that show lines.
    #[serde(skip)]
    pub files: Vec<SourceText>,
}

impl DeploymentReport {
    /// What is found by the way of one route is not said again for the others of the same deployment.
    pub(crate) fn say_once(reports: &mut [Self]) {
        let mut said: Vec<Finding> = Vec::new();
        for report in reports {
            report.findings.retain(|finding| !said.contains(finding));
            said.extend(report.findings.iter().cloned());
        }
    }
}

/// A file of the deployment, as the renderers show it.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Its name, as in [`Location::file`](crate::location::Location::file).
    pub file: std::sync::Arc<str>,
    /// Its whole text.
    pub text: std::sync::Arc<str>,
}

/// The end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No finding at or above the level that fails.
    Pass,
    /// At least one.
    Fail,
}

/// A whole run. Serialised, it is the documented JSON of `proxyproof/report/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The format's name and version.
    pub schema: &'static str,
    /// The worst verdict of all deployments.
    pub verdict: Verdict,
    /// What booted the Pod; [`Report::PROBE`] where nothing was booted.
    pub runtime: &'static str,
    /// What ran in it.
    pub programs: Programs,
    /// One entry for each path and each route to Prometheus in it.
    pub deployments: Vec<DeploymentReport>,
}

impl Report {
    /// One report of several, with the worst verdict; none of none.
    pub fn joined(reports: Vec<Self>) -> Option<Self> {
        let mut reports = reports.into_iter();
        let mut whole = reports.next()?;
        for report in reports {
            if report.verdict == Verdict::Fail {
                whole.verdict = Verdict::Fail;
            }
            whole.deployments.extend(report.deployments);
        }
        Some(whole)
    }

    /// Sets how long each deployment took, boot included.
    pub fn set_duration(&mut self, duration: Duration) {
        for deployment in &mut self.deployments {
            deployment.duration = duration;
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

    /// The runtime of a report about what was running already.
    pub const PROBE: &str = "probe";

    /// The format's name and version.
    pub const SCHEMA: &'static str = "proxyproof/report/1";
}
