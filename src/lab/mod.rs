//! A Lab: a World and its running Pod. What a test or a check receives.

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
use crate::observe::{CurlVerifier, Http, Observation, Observer, Shell, Sight, client_config};
use crate::report::{DeploymentReport, Programs, Report, SourceText, Verdict};
use crate::runtime::docker::{Engine, Pod};
use crate::runtime::{PodPlan, ProgramPlan, Run};
use crate::source::{Cache, Program, Progress, Source};
use crate::world::{self, World};
pub use kept::Kept;
use provision::{Provided, Provider, UNKNOWN};

/// How a Lab is booted.
#[derive(Clone)]
pub struct BootOptions {
    /// Which nginx.
    pub nginx: Source,
    /// Which Prometheus.
    pub prometheus: Source,
    /// Who is told what is going on.
    pub progress: Arc<dyn Progress + Send + Sync>,
    /// Whether the Lab's files are put where a user can read them: its CA for `curl --cacert`, and what was made up.
    pub keep: bool,
}

impl Default for BootOptions {
    fn default() -> Self {
        Self { nginx: Source::Auto, prometheus: Source::Auto, progress: Arc::new(()), keep: false }
    }
}

impl std::fmt::Debug for BootOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootOptions")
            .field("nginx", &self.nginx)
            .field("prometheus", &self.prometheus)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

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

impl Deployment {
    /// Boots it with the newest programs that are at hand: see [`Source::Auto`].
    ///
    /// ```no_run
    /// # async fn example() -> proxyproof::Result<()> {
    /// let lab = proxyproof::Deployment::load("deploy/nginx.conf")?.boot().await?;
    /// let metrics = lab.get("/prometheus/metrics").await?;
    /// assert_eq!(metrics.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NginxRefused`] if nginx does not start with the configuration; otherwise what the environment lacks.
    pub async fn boot(self) -> Result<Lab> {
        self.boot_with(&BootOptions::default()).await
    }

    /// Boots it as the options say.
    ///
    /// # Errors
    ///
    /// As [`Deployment::boot`].
    pub async fn boot_with(self, options: &BootOptions) -> Result<Lab> {
        let lab = Lab::boot_for_checks(self, options).await?;
        match lab.pod.refusal() {
            Some(refusal) => Err(Error::NginxRefused { log: refusal.log.clone() }),
            None => Ok(lab),
        }
    }
}

impl Lab {
    /// Boots a deployment. An nginx that refuses to start is no error here: the checks say so.
    ///
    /// # Errors
    ///
    /// What the environment lacks.
    pub async fn boot_for_checks(deployment: Deployment, options: &BootOptions) -> Result<Self> {
        let engine = Engine::connect().await?;
        let run = Arc::new(Run::begin()?);
        let world = World::around(&deployment)?;
        let provider = Provider {
            engine: engine.clone(),
            cache: Cache::from_env()?,
            run: Arc::clone(&run),
            progress: Arc::clone(&options.progress),
        };
        let (nginx, prometheus, infrastructure) = tokio::try_join!(
            provider.program(Program::Nginx, &options.nginx),
            provider.program(Program::Prometheus, &options.prometheus),
            provider.infrastructure([&options.nginx, &options.prometheus]),
        )?;
        options.progress.step("booting nginx and Prometheus");
        let plan = plan(&deployment, &world, &nginx, &prometheus);
        let ports = plan.ports.clone();
        let pod = Arc::new(Pod::boot(engine, run, &infrastructure, plan).await?);
        options.progress.done();
        let kept = options.keep.then(|| Kept::write(&pod, &world, ports)).transpose()?;
        let mut programs = Programs { nginx: nginx.program, prometheus: prometheus.program };
        complete(&mut programs, &pod).await;
        Ok(Self {
            http: http(&deployment, &pod, &world)?,
            deployment: Arc::new(deployment),
            world,
            pod,
            programs,
            kept,
            observer: OnceCell::new(),
        })
    }

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

    /// A client that trusts the Lab's CA and resolves the public name to the Lab.
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
        let prometheus = &self.deployment.prometheus;
        let yml = prometheus
            .config_location
            .as_deref()
            .map(|file| SourceText { file: file.into(), text: prometheus.config.as_str().into() });
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
                .chain(yml)
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

/// Asks the programs for versions that their source did not tell.
async fn complete(programs: &mut Programs, pod: &Pod) {
    if programs.nginx.version == UNKNOWN
        && let Some(version) = pod.nginx_version().await
    {
        programs.nginx.version = version;
    }
    if programs.prometheus.version == UNKNOWN
        && let Some(version) = pod.prometheus_version()
    {
        programs.prometheus.version = version;
    }
}

fn http(deployment: &Deployment, pod: &Pod, world: &World) -> Result<Http> {
    let route = &deployment.route;
    let verifier = CurlVerifier::trusting(&world.trust).map_err(|error| Error::Client(error.to_string()))?;
    let tls = client_config(verifier).map_err(|error| Error::Client(error.to_string()))?;
    Http::new(&route.server_name, pod.address(route.port), pod.address(80), &tls)
        .map_err(|failure| Error::Client(failure.to_string()))
}

fn plan(deployment: &Deployment, world: &World, nginx: &Provided, prometheus: &Provided) -> PodPlan {
    let listens = deployment.servers.iter().flat_map(|server| &server.listens);
    let mut ports: Vec<u16> = listens.map(|listen| listen.port).chain([80]).collect();
    ports.sort_unstable();
    ports.dedup();
    // The route's own port first: that nginx listens there is what readiness is about.
    ports.sort_by_key(|port| *port != deployment.route.port);
    PodPlan {
        nginx: ProgramPlan {
            image: nginx.image.clone(),
            arguments: nginx_arguments(deployment),
            in_memory: Vec::new(),
            files: world.nginx_files.clone(),
        },
        prometheus: ProgramPlan {
            image: prometheus.image.clone(),
            arguments: world.prometheus_arguments.clone(),
            in_memory: vec![world::prometheus::DATA.to_owned()],
            files: world.prometheus_files.clone(),
        },
        hosts: world.hosts.clone(),
        addresses: world.addresses.clone(),
        ports,
    }
}

/// As the official image starts it. A configuration that says itself whether nginx is a daemon must not be told twice:
/// nginx refuses the duplicate.
fn nginx_arguments(deployment: &Deployment) -> Vec<String> {
    let says_daemon = deployment.nginx.directives.iter().any(|directive| directive.name == "daemon");
    let config = ["nginx", "-c", "/etc/nginx/nginx.conf"];
    let daemon: &[&str] = if says_daemon { &[] } else { &["-g", "daemon off;"] };
    let words = config.iter().chain(daemon);
    words.map(|word| (*word).to_owned()).collect()
}
