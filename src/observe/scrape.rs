//! What Prometheus says of the targets that it scrapes.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, interval};

use super::{Failure, FailureKind, Observer};

/// How long a first scrape is waited for. Prometheus looks at its targets for the first time five seconds after its
/// start (the discovery manager's interval), and scrapes within one scrape interval from then.
const PATIENCE: Duration = Duration::from_secs(25);

/// A target, as `/api/v1/targets` shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    /// Where it is scraped.
    pub(crate) scrape_url: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub(crate) health: String,
    /// Why it is down.
    pub(crate) last_error: String,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    active_targets: Vec<Target>,
}

impl Target {
    /// Whether it was scraped at least once.
    pub(crate) fn is_known(&self) -> bool {
        self.health != "unknown"
    }

    /// Whether the next scrape would say the same. One that was too slow says nothing about the target: the machine may
    /// have been busy.
    fn is_settled(&self) -> bool {
        self.is_known() && !self.last_error.contains("deadline exceeded")
    }

    /// As it is before the first scrape.
    fn before_its_first_scrape(self) -> Self {
        Self { health: "unknown".to_owned(), last_error: String::new(), ..self }
    }

    /// Whether it is the Prometheus of this Lab itself.
    pub(crate) fn is_prometheus_itself(&self, port: u16) -> bool {
        let place = self.host_port().unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| place == format!("{host}:{port}"))
    }

    /// The host and port of its URL.
    pub(crate) fn host_port(&self) -> Option<&str> {
        let (_, rest) = self.scrape_url.split_once("://")?;
        rest.split('/').next()
    }
}

impl Observer {
    /// The targets: once each was scraped in time or patience has ended, the same for all who ask; as they are now where
    /// nobody may wait. One that others use too has run for them: there they are as at the start of their own.
    pub(crate) async fn targets(&self) -> Result<Vec<Target>, Failure> {
        match self.may_wait() && !self.sight.is_sharing() {
            true => self.targets.get_or_init(|| self.wait_for_targets()).await.clone(),
            false => self.targets_now().await,
        }
    }

    async fn wait_for_targets(&self) -> Result<Vec<Target>, Failure> {
        let begun = Instant::now();
        let mut ticks = interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let targets = self.targets_now().await?;
            let all_settled = !targets.is_empty() && targets.iter().all(Target::is_settled);
            if all_settled || begun.elapsed() > PATIENCE {
                return Ok(targets);
            }
        }
    }

    async fn targets_now(&self) -> Result<Vec<Target>, Failure> {
        let url = self.url("/api/v1/targets?state=active");
        let seen = self.http().ask(reqwest::Method::GET, url, &[]).await?;
        let answer: Answer = serde_json::from_slice(&seen.body).map_err(|_| Failure {
            kind: FailureKind::Broken,
            message: format!("/api/v1/targets answered {}", seen.summary()),
        })?;
        let targets = answer.data.active_targets.into_iter();
        Ok(targets
            .map(|target| if self.sight.is_sharing() { target.before_its_first_scrape() } else { target })
            .collect())
    }
}
