//! A Lab: a World and its running Pod. What a test or a check receives.

mod boot;
mod kept;
mod provision;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use reqwest::Url;
use tokio::sync::OnceCell;

use crate::check::{self, Selection};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::finding::Level;
use crate::observe::{Http, Observation, Observer, Shell, Sight};
use crate::report::{DeploymentReport, Programs, Report, SourceText, Verdict};
use crate::runtime::docker::Pod;
use crate::world::World;
pub use boot::BootOptions;
pub use kept::Kept;

/// A deployment that runs: real nginx, real Prometheus, and clients that reach them by the public name.
///
/// Dropping it takes everything away, blocking until it is gone; [`Lab::close`] does it quicker.
#[derive(Debug)]
pub struct Lab {
    deployment: Arc<Deployment>,
    world: World,
    pod: Arc<Pod>,
    programs: Programs,
    kept: Option<Kept>,
    http: Http,
    observer: OnceCell<Observer>,
}

impl Lab {
    /// Asks for a path of the public server, such as `/prometheus/metrics`, over verified TLS by the public name. No
    /// redirect is followed.
    ///
    /// # Errors
    ///
    /// If there is no answer: the handshake failed, nothing listens, or nothing came in time.
    pub async fn get(&self, path: &str) -> Result<reqwest::Response> {
        let url = self.url(path);
        self.client().get(url.clone()).send().await.map_err(|error| Error::NoAnswer { url, error })
    }

    /// A client that trusts the Lab's CA and resolves the public name to the Lab, for all that [`Lab::get`] does not ask.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> Result<(), reqwest::Error> {
    /// let query = [("query", "up")];
    /// let answer = lab.client().post(lab.url("/prometheus/api/v1/query")).form(&query).send().await?;
    /// assert_eq!(answer.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn client(&self) -> &reqwest::Client {
        self.http.client()
    }

    /// The public URL of a path of the public server.
    pub fn url(&self, path: &str) -> Url {
        self.deployment.route.url_of(path)
    }

    /// The deployment that runs.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What runs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Where clients find Prometheus.
    pub fn public_url(&self) -> String {
        self.deployment.route.public_url()
    }

    /// Commands by which a person talks to the Lab, while it is kept.
    pub fn commands(&self) -> Vec<String> {
        let route = &self.deployment.route;
        let shell = self.shell();
        let paths = ["/", "/metrics", "/api/v1/query?query=up"];
        let curl = paths.iter().map(|path| shell.curl_get(&route.url_of(&format!("{}{path}", route.prefix))));
        curl.chain([shell.s_client(&route.server_name, route.port)]).collect()
    }

    /// What nginx has written so far: its error log, and its access log where that goes to standard output.
    pub fn nginx_log(&self) -> String {
        self.pod.nginx_log()
    }

    /// What Prometheus has written so far.
    pub fn prometheus_log(&self) -> String {
        self.pod.prometheus_log()
    }

    /// Leaves the files of a kept Lab when the Lab goes.
    pub fn keep_files(&self) {
        self.pod.run().keep_directory();
    }

    /// Where the Lab's files are, if it was booted to be kept.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

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
        let begun = Instant::now();
        let observer = self.observer().await?;
        if selection.is_slow() {
            observer.allow_waiting();
        }
        let (checks, findings) = check::run(observer, selection).await;
        let failed = findings.iter().any(|finding| finding.level >= fail_on);
        let verdict = if failed { Verdict::Fail } else { Verdict::Pass };
        let files = self.deployment.nginx.files.iter();
        let of_prometheus = self.deployment.prometheus.sources.iter();
        let of_prometheus = of_prometheus.map(|(file, text)| SourceText { file: file.clone(), text: text.clone() });
        let report = DeploymentReport {
            path: self.deployment.path.display().to_string(),
            public_url: self.deployment.route.public_url().to_string(),
            verdict,
            substitutions: self.world.substitutions.clone(),
            checks,
            findings,
            duration: begun.elapsed(),
            files: files
                .map(|file| SourceText { file: file.file.clone(), text: file.text.clone() })
                .chain(of_prometheus)
                .collect(),
        };
        Ok(Report {
            schema: Report::SCHEMA,
            verdict,
            runtime: "docker",
            programs: self.programs.clone(),
            deployments: vec![report],
        })
    }

    /// What clients see, as data for a snapshot: nothing in it changes from run to run.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
    /// let observation = lab.observe().await?;
    /// assert_eq!(observation.tls, "TLS 1.3");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Lab::check`].
    pub async fn observe(&self) -> Result<Observation> {
        Ok(Observation::of(self.observer().await?).await)
    }

    /// Takes everything away, and returns when it is gone.
    ///
    /// # Errors
    ///
    /// If the engine refuses. The janitor tries again then.
    pub async fn close(self) -> Result<()> {
        Ok(self.pod.remove().await?)
    }

    fn shell(&self) -> Shell {
        self.kept.as_ref().map_or_else(Shell::of_a_lab_that_goes, Kept::shell)
    }

    async fn observer(&self) -> Result<&Observer> {
        let opened = self.observer.get_or_try_init(|| {
            let sight: Arc<dyn Sight> = Arc::clone(&self.pod) as _;
            Observer::new(Arc::clone(&self.deployment), sight, &self.world.trust, self.shell())
        });
        opened.await.map_err(|failure| Error::Client(failure.to_string()))
    }
}

impl Sight for Pod {
    fn address(&self, port: u16) -> SocketAddr {
        self.address(port)
    }

    fn nginx_log(&self) -> String {
        self.nginx_log()
    }

    fn refusal(&self) -> Option<String> {
        self.refusal().map(|refusal| refusal.log.clone())
    }
}
