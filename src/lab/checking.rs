//! Asks the catalogue, turn by turn, and reports what came of it.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::Lab;
use crate::check::{self, Asked, Selection};
use crate::error::Result;
use crate::finding::Level;
use crate::report::{DeploymentReport, Report, SourceText, Verdict};

/// What was asked about one route, and how long it took.
#[derive(Default)]
struct Look {
    asked: Asked,
    duration: Duration,
}

impl Look {
    async fn of(asking: impl Future<Output = Asked>) -> Self {
        let begun = Instant::now();
        Self { asked: asking.await, duration: begun.elapsed() }
    }

    fn add(&mut self, other: Self) {
        self.asked.extend(other.asked);
        self.duration += other.duration;
    }
}

impl Lab {
    /// Asks the whole catalogue.
    ///
    /// # Errors
    ///
    /// Only if the harness itself fails. What is wrong with the deployment is in the report.
    pub async fn check(&self) -> Result<Report> {
        self.check_with(&Selection::default(), Level::Error).await
    }

    /// Asks the selected checks. Findings at or above `fail_on` fail the report.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
    /// use proxyproof::{Level, Selection};
    ///
    /// let skipped = vec![("ui-page".to_owned(), "our build has no UI".to_owned())];
    /// let report = lab.check_with(&Selection::new(Vec::new(), skipped)?, Level::Warning).await?;
    /// report.assert_passed();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Lab::check`].
    pub async fn check_with(&self, selection: &Selection, fail_on: Level) -> Result<Report> {
        self.check_beside(selection, fail_on, std::future::ready(())).await.map(|(report, ())| report)
    }

    /// The same, with something else that is asked beside the checks that don't have to be alone.
    pub(super) async fn check_beside<T>(
        &self,
        selection: &Selection,
        fail_on: Level,
        beside: impl Future<Output = T>,
    ) -> Result<(Report, T)> {
        let selection = &selection.clone().under(&self.deployment.settings)?;
        let begun = Instant::now();
        let mut looks = Vec::new();
        for route in 0..self.deployment.routes.len() {
            let observer = self.observer(route).await?;
            if selection.is_slow() {
                observer.allow_waiting();
            }
            looks.push(Look::of(check::run_alone(observer, selection)).await);
        }
        let together = (0..looks.len()).map(async |route| -> Result<Look> {
            let observer = self.observer(route).await?;
            Ok(Look::of(check::run(observer, selection)).await)
        });
        let (together, beside) = tokio::join!(try_join_all(together), beside);
        for (look, together) in looks.iter_mut().zip(together?) {
            look.add(together);
        }
        for (route, look) in looks.iter_mut().enumerate() {
            look.add(Look::of(check::run_after(self.observer(route).await?, selection)).await);
        }
        self.add_checks(begun.elapsed());
        self.pod.shared_serve().await?;
        let reports = looks.into_iter().enumerate().map(|(route, look)| self.report_of(route, look, fail_on));
        let mut deployments: Vec<DeploymentReport> = reports.collect();
        DeploymentReport::say_once(&mut deployments);
        let failed = deployments.iter().any(|deployment| deployment.verdict == Verdict::Fail);
        let report = Report {
            verdict: if failed { Verdict::Fail } else { Verdict::Pass },
            runtime: self.pod.runtime(),
            programs: self.programs.clone(),
            deployments,
        };
        Ok((report, beside))
    }

    fn report_of(&self, route: usize, look: Look, fail_on: Level) -> DeploymentReport {
        let (checks, mut findings) = check::in_order(look.asked);
        for finding in &mut findings {
            let place = finding.location.take();
            finding.location = place.and_then(|place| self.deployment.nginx.users_place(&place));
        }
        let failed = findings.iter().any(|finding| finding.level >= fail_on);
        DeploymentReport {
            path: self.deployment.path.display().to_string(),
            public_url: self.deployment.routes[route].public_url(),
            verdict: if failed { Verdict::Fail } else { Verdict::Pass },
            runtime: self.pod.runtime(),
            programs: self.programs.clone(),
            substitutions: self.world.substitutions(),
            checks,
            findings,
            duration: look.duration,
            timings: None,
            files: SourceText::all_of(&self.deployment),
        }
    }
}
