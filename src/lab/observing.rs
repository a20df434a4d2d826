//! What is seen of a Lab, as data.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::Lab;
use super::provision::UNKNOWN;
use crate::check::{Outcome, Selection};
use crate::error::Result;
use crate::finding::{Finding, Level};
use crate::observe::{CheckSeen, FindingSeen, Observation, Said};
use crate::report::{DeploymentReport, Program};

/// Whether Prometheus has scraped itself yet is a question of the moment.
const OF_THE_MOMENT: [&str; 1] = ["scrape-target-up"];

impl Lab {
    /// What can be seen, as data for a snapshot: nothing in it changes from run to run. It asks the whole catalogue first.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
    /// let observation = lab.observe().await?;
    /// let route = &observation.routes["https://example.com/prometheus/"];
    /// assert_eq!(route.answers["GET /graph"].way, ["200"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Lab::check`].
    pub async fn observe(&self) -> Result<Observation> {
        let reason = "an observation does not wait for the first scrape";
        let left = OF_THE_MOMENT.map(|id| (id.to_owned(), reason.to_owned()));
        let report = self.check_with(&Selection::new(Vec::new(), left.to_vec())?, Level::Error).await?;
        let routes = 0..self.deployment.routes.len();
        let observers = try_join_all(routes.map(|route| self.observer(route))).await?;
        let checks = report.deployments.iter().map(checks).collect();
        let said = self.said().await;
        let observation = Observation::of(&observers, checks, said).await;
        self.pod.shared_serve().await?;
        Ok(observation)
    }

    async fn said(&self) -> Said {
        let known = |program: &Program| {
            (Some(program.version.clone()).filter(|version| version != UNKNOWN), program.source.clone())
        };
        let (build, help) = tokio::join!(self.pod.nginx_says(&["-V"]), self.pod.prometheus_says(&["--help"]));
        Said {
            nginx: known(&self.programs.nginx),
            prometheus: known(&self.programs.prometheus),
            build,
            help,
            logs: (0..self.deployment.prometheus.len()).map(|number| self.pod.prometheus_log(number)).collect(),
        }
    }
}

/// What came of each check.
fn checks(report: &DeploymentReport) -> BTreeMap<String, CheckSeen> {
    let seen = |id: &str, outcome| {
        let findings = report.findings.iter().filter(|finding| finding.check == id).map(finding);
        let mut findings: Vec<FindingSeen> = findings.collect();
        findings.sort();
        CheckSeen { outcome: name(outcome).to_owned(), findings }
    };
    report.checks.iter().map(|check| (check.id.to_owned(), seen(check.id, check.outcome))).collect()
}

fn finding(finding: &Finding) -> FindingSeen {
    FindingSeen {
        level: finding.level,
        message: finding.message.clone(),
        actual: finding.actual.clone(),
        location: finding.location.clone(),
        fix: finding.fix.clone(),
    }
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Skip => "skip",
    }
}
