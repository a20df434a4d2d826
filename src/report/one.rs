//! What was found about one deployment, by the way of one route.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::timings::Timings;
use super::{Programs, RuntimeName, known_runtime};
use crate::check::{CheckResult, milliseconds};
use crate::deployment::Deployment;
use crate::finding::Finding;
use crate::world::Substitution;

/// What was found about one deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeploymentReport {
    /// The path that the user named.
    pub path: String,
    /// Where clients find Prometheus.
    pub public_url: String,
    /// Whether a finding reached `--fail-on`.
    pub verdict: Verdict,
    /// What booted the Pod, as in [`Report::runtime`](super::Report::runtime).
    #[serde(deserialize_with = "known_runtime")]
    pub runtime: RuntimeName,
    /// What ran in it.
    pub programs: Programs,
    /// How long it took, from the boot to the last check.
    #[serde(rename = "duration_ms", with = "milliseconds")]
    pub duration: Duration,
    /// What the time went into, if that was asked for. Of several routes in one Lab the first has it.
    #[serde(default)]
    pub timings: Option<Timings>,
    /// What the World made up.
    pub substitutions: Vec<Substitution>,
    /// Every check of the catalogue that was asked for.
    pub checks: Vec<CheckResult>,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
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
    pub file: Arc<str>,
    /// Its whole text.
    pub text: Arc<str>,
}

impl SourceText {
    /// The texts that findings about a deployment point into.
    pub(crate) fn all_of(deployment: &Deployment) -> Vec<Self> {
        let nginx = deployment.nginx.files.iter();
        let nginx = nginx.map(|file| Self { file: Arc::clone(&file.file), text: Arc::clone(&file.text) });
        let prometheus = deployment.prometheus.iter().flat_map(|prometheus| &prometheus.sources);
        let prometheus = prometheus.map(|(file, text)| Self { file: Arc::clone(file), text: Arc::clone(text) });
        nginx.chain(prometheus).collect()
    }
}

/// The end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No finding at or above the level that fails.
    Pass,
    /// At least one, or something was not checked.
    Fail,
}
