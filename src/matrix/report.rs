//! What came of every combination, as data.

use serde::Serialize;

use super::newest;
use crate::deployment::Deployment;
use crate::finding::Level;
use crate::report::{DeploymentReport, Program, Programs, Report, Verdict};

/// A table of verdicts. Serialised, it is the documented JSON of `proxyproof/matrix/1`.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixReport {
    /// The format's name and version.
    pub schema: &'static str,
    /// A pass if every combination passes.
    pub verdict: Verdict,
    /// The deployment, as the user named it.
    pub path: String,
    /// What booted the programs.
    pub runtime: &'static str,
    /// The combinations that pass and than which none that passes is newer in one program and not older in the other.
    pub newest_clean: Vec<Programs>,
    /// Every combination: all nginx of the first Prometheus, then of the next.
    pub cells: Vec<Cell>,
}

/// What came of one combination.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// What ran.
    pub programs: Programs,
    /// The end of it.
    pub verdict: CellVerdict,
    /// What Prometheus said when it did not start.
    pub message: Option<String>,
    /// The report of each route, as `check` gives it; none where Prometheus did not start.
    pub deployments: Vec<DeploymentReport>,
}

/// The end of one combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellVerdict {
    /// No finding at or above the level that fails.
    Pass,
    /// At least one.
    Fail,
    /// nginx refuses the configuration.
    NginxRefuses,
    /// Prometheus does not start with its flags and configuration.
    PrometheusRefuses,
}

/// The check that finds that nginx does not start.
const STARTS: &str = "nginx-starts";

impl Cell {
    pub(super) fn of(report: Report) -> Self {
        let refused = |one: &DeploymentReport| one.findings.iter().any(|finding| finding.check == STARTS);
        let verdict = match report.verdict {
            _ if report.deployments.iter().any(refused) => CellVerdict::NginxRefuses,
            Verdict::Pass => CellVerdict::Pass,
            Verdict::Fail => CellVerdict::Fail,
        };
        Self { programs: report.programs, verdict, message: None, deployments: report.deployments }
    }

    /// Prometheus has ended before it served.
    pub(super) fn not_started(programs: Programs, log: String) -> Self {
        Self { programs, verdict: CellVerdict::PrometheusRefuses, message: Some(log), deployments: Vec::new() }
    }

    /// How many findings of a level there are.
    pub(super) fn count(&self, level: Level) -> usize {
        let findings = self.deployments.iter().flat_map(|deployment| &deployment.findings);
        findings.filter(|finding| finding.level == level).count()
    }
}

impl MatrixReport {
    /// The format's name and version.
    pub const SCHEMA: &'static str = "proxyproof/matrix/1";

    pub(super) fn of(deployment: &Deployment, runtime: &'static str, mut cells: Vec<Cell>) -> Self {
        tell_versions(&mut cells);
        let clean = cells.iter().filter(|cell| cell.verdict == CellVerdict::Pass).map(|cell| &cell.programs);
        let newest_clean = newest::of(&clean.collect::<Vec<_>>());
        let passes = cells.iter().all(|cell| cell.verdict == CellVerdict::Pass);
        Self {
            schema: Self::SCHEMA,
            verdict: if passes { Verdict::Pass } else { Verdict::Fail },
            path: deployment.path.display().to_string(),
            runtime,
            newest_clean,
            cells,
        }
    }
}

/// What a program did not say in one combination it may have said in another.
fn tell_versions(cells: &mut [Cell]) {
    let known: Vec<Programs> = cells.iter().map(|cell| cell.programs.clone()).collect();
    let tell = |program: &mut Program, of: fn(&Programs) -> &Program| {
        let mut others = known.iter().map(of).filter(|other| other.source == program.source);
        if program.known_version().is_none()
            && let Some(other) = others.find(|other| other.known_version().is_some())
        {
            other.version.clone_into(&mut program.version);
        }
    };
    for Cell { programs, .. } in cells {
        tell(&mut programs.nginx, |programs| &programs.nginx);
        tell(&mut programs.prometheus, |programs| &programs.prometheus);
    }
}
