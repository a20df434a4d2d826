//! The report of an upgrade, as data.

use serde::Serialize;

use super::change::Change;
use super::diff::Observed;
use super::fact::Looked;
use crate::deployment::Deployment;
use crate::report::{Program, Programs, SourceText, Verdict};

/// What an upgrade changes. Serialised, it is the documented JSON of `proxyproof/upgrade/1`.
#[derive(Clone, Debug, Serialize)]
pub struct UpgradeReport {
    /// The format's name and version.
    pub schema: &'static str,
    /// Whether a change reached `--fail-on`.
    pub verdict: Verdict,
    /// The old programs.
    pub from: Programs,
    /// The new programs.
    pub to: Programs,
    /// What changes for each deployment.
    pub deployments: Vec<UpgradedDeployment>,
}

/// What an upgrade changes for a deployment.
#[derive(Clone, Debug, Serialize)]
pub struct UpgradedDeployment {
    /// The path that the user named.
    pub path: String,
    /// What changes, the worst first.
    pub changes: Vec<Change>,
    /// What a reader should know of the comparison.
    pub notes: Vec<String>,
    /// The texts of the deployment's files, for renderers that show lines.
    #[serde(skip)]
    pub files: Vec<SourceText>,
}

impl UpgradeReport {
    /// The format's name and version.
    pub const SCHEMA: &'static str = "proxyproof/upgrade/1";

    pub(super) fn of(observed: &Observed, deployment: &Deployment, verdict: Verdict, changes: Vec<Change>) -> Self {
        let deployment = UpgradedDeployment {
            path: deployment.path.display().to_string(),
            changes,
            notes: notes(observed),
            files: SourceText::all_of(deployment),
        };
        let mixtures = [&observed.new_nginx, &observed.new_prometheus].into_iter().flatten();
        Self {
            schema: Self::SCHEMA,
            verdict,
            from: Programs {
                nginx: nginx([&observed.old].into_iter()),
                prometheus: prometheus([&observed.old].into_iter()),
            },
            to: Programs {
                nginx: nginx([&observed.new].into_iter().chain(&observed.new_nginx)),
                prometheus: prometheus([&observed.new].into_iter().chain(&observed.new_prometheus)),
            },
            deployments: vec![deployment],
        }
        .with_mixtures(mixtures.count())
    }

    /// All changes of all deployments.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.deployments.iter().flat_map(|deployment| &deployment.changes)
    }

    /// Two observations can't tell whose doing a change is, unless one program alone has another version.
    fn with_mixtures(mut self, mixtures: usize) -> Self {
        if mixtures == 0 && self.changes().any(|change| change.by.is_none()) {
            let note =
                "whose doing some changes are is not known: both programs changed, and their mixtures were not booted";
            for deployment in &mut self.deployments {
                deployment.notes.push(note.to_owned());
            }
        }
        self
    }
}

fn notes(observed: &Observed) -> Vec<String> {
    let mut notes = Vec::new();
    if !observed.old.ran() {
        notes.push(
            "the old programs do not start with this deployment: what clients saw of them is not known".to_owned(),
        );
    } else if !observed.new.ran() {
        let what = match (&observed.new_nginx, &observed.new_prometheus) {
            (Some(nginx), _) if nginx.ran() => "what the new nginx changes was seen with the old Prometheus",
            (_, Some(prometheus)) if prometheus.ran() => "what the new Prometheus changes was seen with the old nginx",
            _ => "nothing of the new programs could be seen",
        };
        notes.push(format!("the new programs do not start together: {what}"));
    }
    notes
}

/// As the first combination in which it ran shows it.
fn nginx<'a>(sights: impl Iterator<Item = &'a Looked>) -> Program {
    let mut known: Vec<(Option<String>, String)> =
        sights.map(|seen| (seen.nginx.version.clone(), seen.nginx.source.clone())).collect();
    known.sort_by_key(|(version, _)| version.is_none());
    program(known)
}

fn prometheus<'a>(sights: impl Iterator<Item = &'a Looked>) -> Program {
    let first = sights.filter_map(|seen| seen.prometheus.first());
    let mut known: Vec<(Option<String>, String)> =
        first.map(|seen| (seen.version.clone(), seen.source.clone())).collect();
    known.sort_by_key(|(version, _)| version.is_none());
    program(known)
}

fn program(known: Vec<(Option<String>, String)>) -> Program {
    let (version, source) = known.into_iter().next().unwrap_or_default();
    Program { version: version.unwrap_or_else(|| Program::UNKNOWN.to_owned()), source }
}
