//! From a deployment to a Lab: the programs are got, the World is made, the Pod is booted.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::OnceCell;
use toml::Spanned;

use super::client::{client, place};
use super::provision::{Provided, Provider};
use super::sharing::shareable;
use super::timings::{boot_timings, milliseconds};
use super::{Kept, Lab};
use crate::check::Selection;
use crate::deployment::{Deployment, stream_listens};
use crate::error::{Error, Result};
use crate::observe::Meter;
use crate::report::timings::Timings;
use crate::report::{Program, Programs};
use crate::runtime::{Bed, Commons, Entrances, PROMETHEUS, Pod, PodPlan, ProgramPlan, Run, Runtime, RuntimeError};
use crate::source::{Cache, Progress, Source, SourceError};
use crate::world::stubs::{READY, Stubs};
use crate::world::{self, AddedModules, Started, World};

/// How a Lab is booted.
///
/// ```no_run
/// # async fn example() -> proxyproof::Result<()> {
/// use proxyproof::{BootOptions, Deployment};
///
/// let options = BootOptions { nginx: "docker:nginx:1.29".parse()?, ..BootOptions::default() };
/// let lab = Deployment::load("deploy/nginx.conf")?.boot_with(&options).await?;
/// println!("{}", lab.public_url());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BootOptions {
    /// What boots the programs.
    pub runtime: Runtime,
    /// Which nginx.
    pub nginx: Source,
    /// Which Prometheus.
    pub prometheus: Source,
    /// Who is told what is going on.
    pub progress: Arc<dyn Progress + Send + Sync>,
    /// What the Lab uses together with others that are booted with the same handle, if anything. Of the sandbox alone.
    pub commons: Option<Commons>,
    /// How many Labs run at once. Where it is more than one, each Prometheus counts on its share of the processors
    /// (`GOMAXPROCS`): with all of them for each, they take turns in vain.
    pub at_once: usize,
    /// Whether the Lab's files are put where a user can read them: its CA for `curl --cacert`, and what was made up.
    pub keep: bool,
}

/// What came of a boot.
#[derive(Debug)]
pub(crate) enum Boot {
    /// A Lab, in which nginx may have refused to start.
    Lab(Box<Lab>),
    /// Prometheus ended before it served.
    PrometheusRefuses {
        /// The nginx that was to run.
        nginx: Box<Provided>,
        /// The Prometheus that was to run.
        prometheus: Program,
        /// What Prometheus wrote.
        log: String,
    },
}

impl Default for BootOptions {
    fn default() -> Self {
        Self {
            runtime: Runtime::Auto,
            nginx: Source::Auto,
            prometheus: Source::Auto,
            progress: Arc::new(()),
            commons: None,
            at_once: 1,
            keep: false,
        }
    }
}

impl BootOptions {
    /// The same for each of so many Labs that run at once, beside those that run already.
    pub(crate) fn for_each_of(self, count: usize) -> Self {
        Self { at_once: self.at_once.max(1) * count.max(1), ..self }
    }

    /// How many processors a Prometheus may count on, where that is not all of them.
    fn processors(&self) -> Option<usize> {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        (self.at_once > 1 && all > 1).then(|| (all / self.at_once).max(1))
    }
}

impl std::fmt::Debug for BootOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootOptions")
            .field("runtime", &self.runtime)
            .field("nginx", &self.nginx)
            .field("prometheus", &self.prometheus)
            .field("commons", &self.commons)
            .field("at_once", &self.at_once)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
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
            Some(refusal) => Err(Error::NginxRefused { log: refusal.log }),
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
        match Self::try_boot(deployment, options).await? {
            Boot::Lab(lab) => Ok(*lab),
            Boot::PrometheusRefuses { log, .. } => Err(RuntimeError::Ended { program: PROMETHEUS, log }.into()),
        }
    }

    /// Boots a deployment. That a program refuses to start is no error here.
    pub(crate) async fn try_boot(deployment: Deployment, options: &BootOptions) -> Result<Boot> {
        let selection = Selection::default();
        selection.under(&deployment.settings)?;
        let sources = Sources::of(&deployment, options)?;
        let bed = Bed::find(options.runtime).await?;
        let run = Arc::new(Run::begin()?);
        let mut timings = Timings::default();
        let begun = Instant::now();
        let mut world = World::around(&deployment)?;
        timings.world = milliseconds(begun.elapsed());
        let begun = Instant::now();
        let provider = Provider {
            bed: bed.clone(),
            cache: Cache::from_env()?,
            run: Arc::clone(&run),
            progress: Arc::clone(&options.progress),
        };
        let (nginx, prometheus, infrastructure) = tokio::try_join!(
            provider.nginx(&sources.nginx, &deployment.modules),
            provider.prometheus(&sources.prometheus),
            async {
                match needs_infrastructure(&bed, &world) {
                    true => provider.infrastructure([&sources.nginx, &sources.prometheus]).await,
                    false => Ok(String::new()),
                }
            },
        )?;
        timings.sources = milliseconds(begun.elapsed());
        world.modules = AddedModules::of(&deployment, &nginx.modules);
        options.progress.step("booting nginx and Prometheus");
        let plan = PodPlan {
            commons: options.commons.clone().map(|commons| (commons, shareable(&deployment, &world))),
            ..plan(&deployment, &world, &nginx, &prometheus, &infrastructure, options.processors())
        };
        let ports = plan.ports.iter().chain(&plan.relays).copied().collect();
        let begun = Instant::now();
        let mut programs = Programs { nginx: nginx.program.clone(), prometheus: prometheus.program };
        let pod = match bed.boot(run, &infrastructure, plan).await {
            Err(RuntimeError::Ended { program: PROMETHEUS, log }) => {
                options.progress.done();
                let nginx = Box::new(nginx);
                return Ok(Boot::PrometheusRefuses { nginx, prometheus: programs.prometheus, log });
            }
            booted => Arc::new(booted?),
        };
        timings.boot = boot_timings(&pod, begun.elapsed());
        options.progress.done();
        let kept = match options.keep {
            true => Some(Kept::write(&pod, &world, ports).await?),
            false => None,
        };
        let entrances = Entrances::default();
        let place = place(&pod, world.ways[0].port, &entrances).await?;
        complete(&mut programs, &pod).await;
        let observers = deployment.routes.iter().map(|_| OnceCell::new()).collect();
        Ok(Boot::Lab(Box::new(Self {
            client: client(deployment.route(), place, &world)?,
            _entrances: entrances,
            deployment: Arc::new(deployment),
            world: Arc::new(world),
            pod,
            nginx: Provided { program: programs.nginx.clone(), ..nginx },
            programs,
            kept,
            observers,
            meter: Meter::default(),
            timings: Mutex::new(timings),
            marks: AtomicUsize::new(0),
        })))
    }
}

/// Containers need one that comes first. In the sandbox a deployment of nginx and Prometheus alone needs nothing else.
fn needs_infrastructure(bed: &Bed, world: &World) -> bool {
    bed.engine().is_some() || world.stubs.are_needed(&world.relays) || !world.redirects.is_empty()
}

/// Which builds run: what the call names, else what the deployment's own settings name.
struct Sources {
    nginx: Source,
    prometheus: Source,
}

impl Sources {
    fn of(deployment: &Deployment, options: &BootOptions) -> Result<Self> {
        let settings = &deployment.settings;
        let chosen = |given: &Source, own: &Option<Spanned<String>>| match own {
            Some(own) if *given == Source::Auto => own
                .get_ref()
                .parse()
                .map_err(|error: SourceError| settings.problem(own, &error.to_string(), "Mend the line").into()),
            _ => Ok::<Source, Error>(given.clone()),
        };
        Ok(Self {
            nginx: chosen(&options.nginx, &settings.nginx.source)?,
            prometheus: chosen(&options.prometheus, &settings.prometheus.source)?,
        })
    }
}

/// Asks the programs for versions that their source did not tell.
async fn complete(programs: &mut Programs, pod: &Pod) {
    if programs.nginx.known_version().is_none()
        && let Some(version) = pod.nginx_version().await
    {
        programs.nginx.version = version;
    }
    if programs.prometheus.known_version().is_none()
        && let Some(version) = pod.prometheus_version()
    {
        programs.prometheus.version = version;
    }
}

fn plan(
    deployment: &Deployment,
    world: &World,
    nginx: &Provided,
    prometheus: &Provided,
    infrastructure: &str,
    processors: Option<usize>,
) -> PodPlan {
    let listens = deployment.servers.iter().flat_map(|server| &server.listens).map(|listen| listen.port);
    let streams = stream_listens(&deployment.nginx).into_iter().map(|listen| listen.port);
    let mut own: Vec<u16> = listens.chain(streams).collect();
    own.sort_unstable();
    own.dedup();
    // The first route's own port first: that nginx listens there is what readiness is about.
    own.sort_by_key(|port| *port != deployment.route().port);
    let others: Vec<u16> = world.prometheus.iter().flat_map(Started::ports).collect();
    let telling = own.iter().copied().filter(|port| !others.contains(port)).collect();
    let more = (!own.contains(&80)).then_some(80);
    let ports = own.into_iter().chain(more).collect();
    PodPlan {
        nginx: nginx_plan(deployment, world, nginx),
        prometheus: world.prometheus.iter().map(|started| prometheus_plan(prometheus, started, processors)).collect(),
        commons: None,
        stubs: world.stubs.are_needed(&world.relays).then(|| (stubs_plan(infrastructure, world), READY)),
        shared_directories: world.stubs.shared_directories(),
        hosts: world.hosts.clone(),
        redirects: world.redirects.clone(),
        addresses: world.addresses.clone(),
        ports,
        telling,
        relays: world.relays.iter().map(|relay| relay.port).collect(),
    }
}

/// How an nginx is started with the deployment.
pub(super) fn nginx_plan(deployment: &Deployment, world: &World, nginx: &Provided) -> ProgramPlan {
    ProgramPlan {
        image: nginx.image.clone(),
        arguments: nginx_arguments(deployment, world),
        environment: Vec::new(),
        in_memory: Vec::new(),
        files: world.files_of_nginx(),
        open_files: open_files(deployment),
    }
}

fn prometheus_plan(prometheus: &Provided, started: &Started, processors: Option<usize>) -> ProgramPlan {
    ProgramPlan {
        image: prometheus.image.clone(),
        arguments: started.arguments.clone(),
        environment: processors.map(|count| ("GOMAXPROCS".to_owned(), count.to_string())).into_iter().collect(),
        in_memory: vec![world::prometheus::DATA.to_owned()],
        files: started.files.clone(),
        open_files: None,
    }
}

fn stubs_plan(infrastructure: &str, world: &World) -> ProgramPlan {
    ProgramPlan {
        image: infrastructure.to_owned(),
        arguments: Stubs::arguments(),
        environment: Vec::new(),
        in_memory: Vec::new(),
        files: world.stubs.files(&world.relays),
        open_files: None,
    }
}

/// As the official image starts it. A configuration that says itself whether nginx is a daemon must not be told twice:
/// nginx refuses the duplicate.
fn nginx_arguments(deployment: &Deployment, world: &World) -> Vec<String> {
    let says_daemon = deployment.nginx.directives.iter().any(|directive| directive.name == "daemon");
    let daemon = (!says_daemon).then(|| "daemon off;".to_owned());
    let globals: Vec<String> = world.modules.globals.iter().cloned().chain(daemon).collect();
    let words = ["nginx", "-c", "/etc/nginx/nginx.conf"].map(str::to_owned).into_iter();
    match globals.is_empty() {
        true => words.collect(),
        false => words.chain(["-g".to_owned(), globals.join(" ")]).collect(),
    }
}

/// What `worker_rlimit_nofile` asks for: nginx alerts if it may not have it.
fn open_files(deployment: &Deployment) -> Option<u32> {
    let limit = deployment.nginx.directives.iter().find(|directive| directive.is("worker_rlimit_nofile"))?;
    limit.arg(0)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_that_run_at_once_share_the_processors() {
        let processors = |count| BootOptions::default().for_each_of(count).processors();
        assert_eq!(processors(1), None, "one has them all");
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        if all > 1 {
            assert_eq!(processors(2), Some(all / 2));
            assert_eq!(BootOptions::default().for_each_of(all).for_each_of(3).processors(), Some(1));
        }
    }
}
