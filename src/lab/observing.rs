//! What is seen of a Lab, as data.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::future::{join_all, try_join_all};

use super::Lab;
use crate::check::{Outcome, Selection};
use crate::error::Result;
use crate::finding::{Finding, Level};
use crate::observe::{CheckSeen, FindingSeen, Observation, RouteSeen, Said, Scope, without_temporary_names};
use crate::report::{DeploymentReport, Program};
use crate::source::Cache;

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
        self.observe_within(&Scope::Everything).await
    }

    /// What can be seen of what is in the scope.
    pub(crate) async fn observe_within(&self, scope: &Scope) -> Result<Observation> {
        let routes = 0..self.deployment.routes.len();
        let observers = try_join_all(routes.map(|route| self.observer(route))).await?;
        let looks = join_all(observers.iter().map(|observer| RouteSeen::of(observer, scope)));
        let (checks, mut seen) = self.checks_within(scope, looks).await?;
        for (route, checks) in seen.iter_mut().zip(checks) {
            route.checks = checks;
        }
        let said = self.said(scope).await;
        self.pod.shared_serve().await?;
        Ok(Observation::of(observers.into_iter().zip(seen).collect(), said))
    }

    /// What came of the checks that are in the scope, route by route, and of the looks beside them.
    async fn checks_within<T>(
        &self,
        scope: &Scope,
        looks: impl Future<Output = T>,
    ) -> Result<(Vec<BTreeMap<String, CheckSeen>>, T)> {
        let only = scope.only_checks();
        if only.as_ref().is_some_and(Vec::is_empty) {
            return Ok((vec![BTreeMap::new(); self.deployment.routes.len()], looks.await));
        }
        let reason = "an observation does not wait for the first scrape";
        let left = OF_THE_MOMENT.map(|id| (id.to_owned(), reason.to_owned()));
        let selection = Selection::new(only.unwrap_or_default(), left.to_vec())?;
        let (report, looks) = self.check_beside(&selection, Level::Error, looks).await?;
        Ok((report.deployments.iter().map(checks).collect(), looks))
    }

    /// What the programs say when they are asked by their options is theirs alone: who looks at parts knows it already.
    async fn said(&self, scope: &Scope) -> Said {
        let known = |program: &Program| (program.known_version().map(str::to_owned), program.source.clone());
        let (build, help) = match scope {
            Scope::Everything => tokio::join!(self.build(), self.help()),
            Scope::Parts(_) => (None, None),
        };
        Said {
            nginx: known(&self.programs.nginx),
            prometheus: known(&self.programs.prometheus),
            build,
            help,
            logs: (0..self.deployment.prometheus.len()).map(|number| self.pod.prometheus_log(number)).collect(),
        }
    }

    /// What nginx says that it was built with.
    async fn build(&self) -> Option<String> {
        let root = self.pod.roots().map(|[nginx, _]| nginx);
        once(root.as_deref(), "-V", self.pod.nginx_says(&["-V"])).await
    }

    /// What Prometheus says of its flags.
    async fn help(&self) -> Option<String> {
        let root = self.pod.roots().map(|[_, prometheus]| prometheus);
        once(root.as_deref(), "--help", self.pod.prometheus_says(&["--help"])).await
    }
}

/// What a program says to an option, asked once for as long as its files are the same: to start Prometheus takes a
/// fifth as long as to check a deployment.
async fn once(root: Option<&str>, option: &str, asking: impl Future<Output = Option<String>>) -> Option<String> {
    let Some((cache, root)) = Cache::from_env().ok().zip(root) else { return asking.await };
    let root = Path::new(root).strip_prefix(cache.directory()).unwrap_or(Path::new(root));
    let key = format!("{} says {option}", root.display());
    if let Some(said) = cache.remembered(&key) {
        return Some(said);
    }
    let said = asking.await?;
    // What can't be remembered is asked again.
    let _ = cache.remember(&key, &said);
    Some(said)
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
        message: without_temporary_names(&finding.message),
        actual: without_temporary_names(&finding.actual),
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
