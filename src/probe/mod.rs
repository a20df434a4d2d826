//! Asks a deployment that already runs what can be asked from outside, slowly, and changes nothing. Nothing is booted.

mod error;
mod outside;
mod place;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use crate::check::{self, CheckResult, Selection};
use crate::deployment::{ClientIdentity, Deployment, Options};
use crate::error::{Error, Result};
use crate::finding::{Finding, Level};
use crate::observe::{BUILD, Client, FailureKind, Observer, Pace, Shell, certificates};
use crate::report::{DeploymentReport, Program, Programs, Report, Verdict};
use crate::world::pki::system_roots;
use crate::world::{Way, stranger};
pub use error::ProbeError;
use outside::{Outside, as_seen};
use place::Place;
pub use place::Resolve;
use target::Target;
pub use target::WrongUrl;

/// How often a server is asked that others use.
const EACH_SECOND: u32 = 10;
const AT_ONCE: usize = 4;
/// How long all of it may take. A server that answers at once is through in a third of it.
const LONGEST: Duration = Duration::from_secs(120);

/// What a client of the deployment knows beside its URL.
#[derive(Clone, Debug, Default)]
pub struct ProbeOptions {
    /// The certificates that clients trust, PEM; else those that this machine trusts.
    pub cacert: Option<PathBuf>,
    /// The certificate that clients show, PEM.
    pub client_cert: Option<PathBuf>,
    /// Its key, PEM.
    pub client_key: Option<PathBuf>,
    /// The user and the password that clients give.
    pub basic_auth: Option<(String, String)>,
    /// Where the name is, if it is not where the system says.
    pub resolve: Vec<Resolve>,
}

/// A deployment that runs, to be asked from outside.
#[derive(Debug)]
pub struct Probe {
    target: Target,
    options: ProbeOptions,
    deployment: Arc<Deployment>,
    trust: Vec<CertificateDer<'static>>,
}

impl Probe {
    /// The deployment at the URL below which Prometheus is.
    ///
    /// ```no_run
    /// # async fn example() -> proxyproof::Result<()> {
    /// let report = proxyproof::Probe::new("https://example.com/prometheus/")?.check().await?;
    /// report.assert_passed();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is no `https` URL, or this machine trusts nobody.
    pub fn new(url: &str) -> Result<Self> {
        Self::with(url, ProbeOptions::default())
    }

    /// The same, as a client that knows more.
    ///
    /// ```no_run
    /// # async fn example() -> proxyproof::Result<()> {
    /// use proxyproof::{Probe, ProbeOptions};
    ///
    /// let options = ProbeOptions {
    ///     cacert: Some("ca.pem".into()),
    ///     resolve: vec!["example.com:443:192.0.2.1".parse()?],
    ///     ..ProbeOptions::default()
    /// };
    /// let report = Probe::with("https://example.com/prometheus/", options)?.check().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Probe::new`], and if a file can't be read.
    pub fn with(url: &str, options: ProbeOptions) -> Result<Self> {
        let target = Target::parse(url)?;
        let given = Options {
            cacert: options.cacert.clone(),
            client_cert: options.client_cert.clone(),
            client_key: options.client_key.clone(),
            basic_auth: options.basic_auth.clone(),
            ..Options::default()
        };
        let place = (target.host.as_str(), target.port, target.prefix.as_str());
        let deployment = Deployment::seen_from_outside(&target.url, place, &given)?;
        let trust = match &deployment.cacert {
            Some(given) => certificates(given),
            None => system_roots(),
        };
        if trust.is_empty() && deployment.cacert.is_none() {
            return Err(ProbeError::NoAuthorities.into());
        }
        Ok(Self { target, options, deployment: Arc::new(deployment), trust })
    }

    /// Asks every check that can be asked from outside.
    ///
    /// # Errors
    ///
    /// If nothing answers there. What is wrong with the deployment is in the report.
    pub async fn check(&self) -> Result<Report> {
        self.check_with(&Selection::default(), Level::Error).await
    }

    /// Asks the selected checks. Findings at or above `fail_on` fail the report.
    ///
    /// # Errors
    ///
    /// As [`Probe::check`].
    pub async fn check_with(&self, selection: &Selection, fail_on: Level) -> Result<Report> {
        let begun = Instant::now();
        let place = Place::of(&self.target, &self.options.resolve).await?;
        let observer = self.observer(place, begun + LONGEST).await?;
        let (checks, findings) = self.ask(&observer, selection).await;
        let failed = findings.iter().any(|finding| finding.level >= fail_on);
        let verdict = if failed { Verdict::Fail } else { Verdict::Pass };
        let programs = programs(&observer).await;
        Ok(Report {
            verdict,
            runtime: Report::PROBE,
            programs: programs.clone(),
            deployments: vec![DeploymentReport {
                path: self.target.url.clone(),
                public_url: self.deployment.route().public_url(),
                verdict,
                runtime: Report::PROBE,
                programs,
                substitutions: Vec::new(),
                checks,
                findings,
                duration: begun.elapsed(),
                timings: None,
                files: Vec::new(),
            }],
        })
    }

    async fn ask(&self, observer: &Observer, selection: &Selection) -> (Vec<CheckResult>, Vec<Finding>) {
        let mut asked = check::run_alone(observer, selection).await;
        asked.extend(check::run(observer, selection).await);
        asked.extend(check::run_after(observer, selection).await);
        let (checks, findings) = check::in_order(asked);
        let route = self.deployment.route();
        (checks, findings.into_iter().map(|finding| as_seen(finding, route)).collect())
    }

    /// Opens the eyes. Where not even a handshake is answered, nothing can be told from a firewall.
    async fn observer(&self, place: Place, end: Instant) -> Result<Observer> {
        let (address, shell) = (place.at(self.target.port), self.shell(&place));
        let sight = Arc::new(Outside { place, end });
        let opened = Observer::new(Arc::clone(&self.deployment), 0, (sight, None), self.client()?, shell).await;
        let observer = opened.map_err(|failure| Error::Client(failure.to_string()))?;
        match observer.unverified() {
            Err(failure) if matches!(failure.kind, FailureKind::Timeout | FailureKind::Refused) => {
                let tried = format!("{address} ({failure})");
                Err(ProbeError::NoAnswer { host: self.target.host.clone(), tried }.into())
            }
            _ => Ok(observer),
        }
    }

    fn client(&self) -> Result<Client> {
        let identity = self.deployment.client_identity.clone();
        let identity = identity.map(|ClientIdentity { certificate, key }| (certificate, key));
        let stranger = identity.as_ref().map(|_| stranger()).transpose()?;
        Ok(Client {
            way: Way { port: self.target.port, client: None, refused: None },
            trust: self.trust.clone(),
            credentials: self.deployment.basic_auth.clone(),
            identity,
            stranger,
            pace: Pace::bounded(EACH_SECOND, AT_ONCE),
        })
    }

    fn shell(&self, place: &Place) -> Shell {
        let shown = |path: &PathBuf| path.display().to_string();
        let ProbeOptions { cacert, client_cert, client_key, basic_auth, .. } = &self.options;
        let identity = client_cert.as_ref().map(shown).zip(client_key.as_ref().map(shown));
        Shell::of_others(
            &self.target.host,
            cacert.as_ref().map(shown).as_deref(),
            place.resolved.clone(),
            basic_auth.as_ref().map(|(user, _)| user.as_str()),
            identity.as_ref().map(|(certificate, key)| (certificate.as_str(), key.as_str())),
        )
    }
}

/// What the programs say of themselves; a version is as good as who says it.
async fn programs(observer: &Observer) -> Programs {
    let server = observer.get("/").await.ok().and_then(|seen| {
        let server = seen.header(reqwest::header::SERVER)?;
        Some(server.to_owned())
    });
    let nginx = match server {
        None => Program::of_unknown_version("no Server header".to_owned()),
        Some(server) => {
            let version = server.strip_prefix("nginx/").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
            Program {
                version: version.unwrap_or_else(|| Program::UNKNOWN.to_owned()),
                source: format!("Server: {server}"),
            }
        }
    };
    let prometheus = match observer.build().await {
        Ok(build) => Program { version: build.version, source: BUILD.to_owned() },
        Err(_) => Program::of_unknown_version(format!("{BUILD} does not say it")),
    };
    Programs { nginx, prometheus }
}
