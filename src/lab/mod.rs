//! A Lab: a World and its running Pod. What a test or a check receives.

mod boot;
mod checking;
mod client;
mod control;
mod exchange;
mod images;
mod kept;
mod observing;
mod programs;
mod provision;
mod received;
mod sharing;
mod timings;

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use reqwest::Url;
use tokio::sync::OnceCell;

use crate::deployment::{Deployment, Route};
use crate::error::{Error, Result};
use crate::observe::{Client, Failure, Inside, Meter, Observer, Pace, Shell, Sight, certificates};
use crate::report::Programs;
use crate::report::timings::Timings;
use crate::runtime::{Entrances, Pod, Reach, RuntimeError};
use crate::world::World;
use crate::world::stubs::Stubs;
pub(crate) use boot::Boot;
pub use boot::BootOptions;
use control::Hands;
pub use kept::Kept;
pub use programs::{RunningNginx, RunningPrometheus};
pub(crate) use provision::Provided;
pub use received::Received;

/// A deployment that runs: real nginx, real Prometheus, and clients that reach them by the public name.
///
/// Dropping it takes everything away, blocking until it is gone; [`Lab::close`] does it quicker.
#[derive(Debug)]
pub struct Lab {
    deployment: Arc<Deployment>,
    world: Arc<World>,
    pod: Arc<Pod>,
    /// What nginx is started from.
    nginx: Provided,
    programs: Programs,
    kept: Option<Kept>,
    client: reqwest::Client,
    /// What the client comes in by, where the Pod has no address outside.
    _entrances: Entrances,
    /// One for each route, opened when it is first asked for.
    observers: Vec<OnceCell<Observer>>,
    /// Counts what the observers' clients do.
    meter: Meter,
    timings: Mutex<Timings>,
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
        self.pod.prometheus_log(0)
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

    /// The nginx that runs.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
    /// lab.nginx().reload().await?; // as after a renewed certificate
    /// assert!(lab.get("/prometheus/-/ready").await?.status().is_success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn nginx(&self) -> RunningNginx<'_> {
        RunningNginx::of(self)
    }

    /// The Prometheus that runs behind the surest of the routes.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
    /// lab.prometheus().stop().await?;
    /// assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 502);
    /// lab.prometheus().start().await?;
    /// assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn prometheus(&self) -> RunningPrometheus<'_> {
        RunningPrometheus::of(self, self.deployment.route().prometheus)
    }

    /// Leaves the files of a kept Lab when the Lab goes.
    pub fn keep_files(&self) {
        self.pod.run().keep_directory();
    }

    /// Where the Lab's files are, if it was booted to be kept.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Runs a program of this machine inside the Lab's network, and waits for its end: the deployment's names, addresses
    /// and ports are there what they are in production, and nothing else is. Its standard streams are this process's.
    ///
    /// Of a Lab in the sandbox alone; one that was booted with [`BootOptions::keep`] has `curl` and OpenSSL trust its CA.
    ///
    /// ```no_run
    /// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
    /// let ended = lab.run(&["curl", "-sS", "https://example.com/prometheus/-/ready"].map(Into::into)).await?;
    /// assert!(ended.success());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the Lab runs in containers, or the program can't be run.
    pub async fn run(&self, words: &[OsString]) -> Result<ExitStatus> {
        let names: Vec<String> = self.deployment.routes.iter().map(|route| route.server_name.clone()).collect();
        let mut command = tokio::process::Command::from(self.pod.inside(words, &names)?);
        if let Some(kept) = &self.kept {
            command.envs(["SSL_CERT_FILE", "CURL_CA_BUNDLE"].map(|name| (name, kept.cacert())));
        }
        let failed = |error| {
            let program = words.first().map(|word| word.display().to_string()).unwrap_or_default();
            RuntimeError::Guest { program, error }
        };
        Ok(command.kill_on_drop(true).status().await.map_err(failed)?)
    }

    /// Takes everything away, and returns when it is gone.
    ///
    /// # Errors
    ///
    /// If the engine refuses. The janitor tries again then.
    pub async fn close(self) -> Result<()> {
        self.close_timed().await.map(|_| ())
    }

    /// The same, and says what all of the Lab's time went into.
    ///
    /// # Errors
    ///
    /// As [`Lab::close`].
    pub async fn close_timed(self) -> Result<Timings> {
        let begun = Instant::now();
        self.pod.remove().await?;
        Ok(Timings { teardown: Some(timings::milliseconds(begun.elapsed())), ..self.timings() })
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
            pace: Pace::counted_by(&self.meter),
        }
    }

    async fn observer(&self, route: usize) -> Result<&Observer> {
        let opened = self.observers[route].get_or_try_init(|| async move {
            let sight: Arc<dyn Sight> = Arc::clone(&self.pod) as _;
            let control = Arc::new(Hands { pod: Arc::clone(&self.pod), world: Arc::clone(&self.world) });
            let inside = Inside { control, world: Arc::clone(&self.world) };
            let (client, shell) = (self.client_of(route), self.shell_of(route));
            let opening = Observer::new(Arc::clone(&self.deployment), route, (sight, Some(inside)), client, shell);
            Ok(opening.await?.of_nginx(&self.programs.nginx.version))
        });
        opened.await.map_err(|failure: Failure| Error::Client(failure.to_string()))
    }
}

impl Sight for Pod {
    fn reach(&self, port: u16) -> Reach {
        self.reach(port)
    }

    fn nginx_log(&self) -> String {
        self.nginx_log()
    }

    fn refusal(&self) -> Option<String> {
        self.refusal().map(|refusal| refusal.log)
    }

    fn sees_inside(&self) -> bool {
        true
    }

    fn end(&self) -> Option<tokio::time::Instant> {
        None
    }

    fn is_sharing(&self) -> bool {
        self.is_sharing()
    }
}
