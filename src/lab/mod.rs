//! A Lab: a World and its running Pod. What a test or a check receives.

mod boot;
mod client;
mod kept;
mod provision;
mod received;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::try_join_all;
use reqwest::Url;
use tokio::sync::OnceCell;

use crate::check::{self, Asked, Selection};
use crate::deployment::{Deployment, Route};
use crate::error::{Error, Result};
use crate::finding::Level;
use crate::observe::{Client, Failure, Observation, Observer, Pace, Shell, Sight, certificates};
use crate::report::{DeploymentReport, Programs, Report, SourceText, Verdict};
use crate::runtime::docker::Pod;
use crate::world::World;
use crate::world::stubs::Stubs;
pub use boot::BootOptions;
pub use kept::Kept;
pub use received::Received;

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
    client: reqwest::Client,
    /// One for each route, opened when it is first asked for.
    observers: Vec<OnceCell<Observer>>,
    /// How often it was asked what was received.
    marks: AtomicUsize,
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
        &self.client
    }

    /// The public URL of a path of the public server.
    pub fn url(&self, path: &str) -> Url {
        self.deployment.route().url_of(path)
    }

    /// The deployment that runs.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What runs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Where clients find Prometheus: by the surest of the routes.
    pub fn public_url(&self) -> String {
        self.deployment.route().public_url()
    }

    /// Where clients find each Prometheus, by every route that is a target of its own.
    pub fn public_urls(&self) -> Vec<String> {
        self.deployment.routes.iter().map(Route::public_url).collect()
    }

    /// Commands by which a person talks to the Lab, while it is kept.
    pub fn commands(&self) -> Vec<String> {
        let routes = self.deployment.routes.iter().enumerate();
        let gets = routes.flat_map(|(index, route)| {
            let shell = self.shell_of(index);
            let paths = ["/", "/metrics", "/api/v1/query?query=up"].map(|path| format!("{}{path}", route.prefix));
            paths.map(|path| shell.curl_get(&route.url_of(&path)))
        });
        let route = self.deployment.route();
        gets.chain([self.shell_of(0).s_client(&route.server_name, route.port)]).collect()
    }

    /// Calls of `proxyproof probe` that ask the Lab from outside, while it is kept: one for each route that is encrypted.
    pub fn probes(&self) -> Vec<String> {
        let routes = self.deployment.routes.iter().enumerate().filter(|(_, route)| route.tls);
        let own =
            |(index, route): (usize, &Route)| self.shell_of(index).probe(&route.url_of(&format!("{}/", route.prefix)));
        routes.filter_map(own).collect()
    }

    /// What nginx has written so far: its error log, and its access log where that goes to standard output.
    pub fn nginx_log(&self) -> String {
        self.pod.nginx_log()
    }

    /// What Prometheus has written so far.
    pub fn prometheus_log(&self) -> String {
        self.pod.prometheus_log()
    }

    /// What the upstreams that are no Prometheus have received so far, in the order in which it came.
    ///
    /// # Errors
    ///
    /// If the stubs in their place do not answer any more.
    pub async fn received(&self) -> Result<Vec<Received>> {
        let mark = format!("mark-{}", self.marks.fetch_add(1, Ordering::Relaxed));
        let log = self.pod.stubs_log(&format!("\"/{mark}\""), &Stubs::mark(&mark)).await?;
        Ok(Received::read(&log, &self.world.stubs))
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
        let selection = &selection.clone().under(&self.deployment.settings)?;
        let mut alone = Vec::new();
        for route in 0..self.deployment.routes.len() {
            alone.push(check::run_alone(self.observer(route).await?, selection).await);
        }
        let looks = alone.into_iter().enumerate();
        let looks = looks.map(|(route, alone)| self.check_route(route, selection, fail_on, alone));
        let mut deployments = try_join_all(looks).await?;
        DeploymentReport::say_once(&mut deployments);
        let failed = deployments.iter().any(|deployment| deployment.verdict == Verdict::Fail);
        Ok(Report {
            schema: Report::SCHEMA,
            verdict: if failed { Verdict::Fail } else { Verdict::Pass },
            runtime: "docker",
            programs: self.programs.clone(),
            deployments,
        })
    }

    async fn check_route(
        &self,
        route: usize,
        selection: &Selection,
        fail_on: Level,
        alone: Asked,
    ) -> Result<DeploymentReport> {
        let begun = Instant::now();
        let observer = self.observer(route).await?;
        if selection.is_slow() {
            observer.allow_waiting();
        }
        let (checks, mut findings) = check::run(observer, selection, alone).await;
        for finding in &mut findings {
            let place = finding.location.take();
            finding.location = place.and_then(|place| self.deployment.nginx.users_place(&place));
        }
        let failed = findings.iter().any(|finding| finding.level >= fail_on);
        Ok(DeploymentReport {
            path: self.deployment.path.display().to_string(),
            public_url: self.deployment.routes[route].public_url(),
            verdict: if failed { Verdict::Fail } else { Verdict::Pass },
            substitutions: self.world.substitutions.clone(),
            checks,
            findings,
            duration: begun.elapsed(),
            files: self.texts(),
        })
    }

    /// The texts that findings point into.
    fn texts(&self) -> Vec<SourceText> {
        let nginx = self.deployment.nginx.files.iter();
        let nginx = nginx.map(|file| SourceText { file: file.file.clone(), text: file.text.clone() });
        let prometheus = self.deployment.prometheus.iter().flat_map(|prometheus| &prometheus.sources);
        let prometheus = prometheus.map(|(file, text)| SourceText { file: file.clone(), text: text.clone() });
        nginx.chain(prometheus).collect()
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
        Ok(Observation::of(self.observer(0).await?).await)
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

    /// As clients of a route type it.
    fn shell_of(&self, route: usize) -> Shell {
        let (public, entrance) = (self.deployment.routes[route].port, self.world.ways[route].port);
        let credentials = self.world.credentials_for(&self.deployment.routes[route]);
        self.shell().by((public, entrance), credentials, self.world.client_identity.is_some())
    }

    /// What clients of a route know.
    fn client_of(&self, route: usize) -> Client {
        let world = &self.world;
        Client {
            way: world.ways[route].clone(),
            trust: certificates(&world.trust),
            credentials: world.credentials_for(&self.deployment.routes[route]).cloned(),
            identity: world.client_identity.clone(),
            stranger: world.stranger_identity.clone(),
            pace: Pace::default(),
        }
    }

    async fn observer(&self, route: usize) -> Result<&Observer> {
        let opened = self.observers[route].get_or_try_init(|| async move {
            let sight: Arc<dyn Sight> = Arc::clone(&self.pod) as _;
            let (client, shell) = (self.client_of(route), self.shell_of(route));
            let opening = Observer::new(Arc::clone(&self.deployment), route, sight, client, shell);
            Ok(opening.await?.of_nginx(&self.programs.nginx.version))
        });
        opened.await.map_err(|failure: Failure| Error::Client(failure.to_string()))
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

    fn sees_inside(&self) -> bool {
        true
    }

    fn end(&self) -> Option<tokio::time::Instant> {
        None
    }
}
