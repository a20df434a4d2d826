//! A running Pod, whichever runtime runs it: read, asked, taken away. What changes it is in [`super::change`].

use std::ffi::OsString;
use std::net::IpAddr;
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use super::backend::Backend;
use super::error::RuntimeError;
use super::host::Host;
use super::program::Program;
use super::reach::Reach;
use super::run::Run;
use super::wait::{Deadline, Look};
use super::{PodPlan, ProgramPlan, Refusal};

/// How long the stubs may take to write a line.
const MARK_TIME: Duration = Duration::from_secs(10);

/// A running Pod. Dropping it takes everything away; [`Pod::remove`] does it without blocking.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(super) plan: PodPlan,
    pub(super) nginx: Mutex<Result<Program, Refusal>>,
    /// How nginx is started: as in the plan of the boot, until another takes its place.
    pub(super) nginx_plan: Mutex<ProgramPlan>,
    pub(super) prometheus: Mutex<Vec<Backend>>,
    pub(super) stubs: Option<Program>,
    /// What names mean now.
    pub(super) hosts: Mutex<Vec<(String, IpAddr)>>,
    /// What its boot took.
    took: BootTimes,
    /// How often something was changed.
    pub(super) changes: AtomicUsize,
    // Dropped in this order: the host ends the Pod, then the run's janitor takes away the rest.
    pub(super) host: Host,
    pub(super) run: Arc<Run>,
}

/// The programs of a Pod as they came up.
pub(super) struct Started {
    pub(super) nginx: Result<Program, Refusal>,
    pub(super) prometheus: Vec<Backend>,
    pub(super) stubs: Option<Program>,
    pub(super) took: BootTimes,
}

/// What the parts of a boot took; the programs start beside each other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BootTimes {
    /// Until programs could be started.
    pub(crate) pod: Duration,
    /// Until nginx served.
    pub(crate) nginx: Duration,
    /// Until each Prometheus served.
    pub(crate) prometheus: Duration,
}

impl Pod {
    /// A Pod whose programs serve, or whose nginx has refused to.
    pub(super) fn of(host: Host, run: Arc<Run>, plan: PodPlan, started: Started) -> Self {
        Self {
            nginx: Mutex::new(started.nginx),
            nginx_plan: Mutex::new(plan.nginx.clone()),
            prometheus: Mutex::new(started.prometheus),
            stubs: started.stubs,
            took: started.took,
            hosts: Mutex::new(plan.hosts.clone()),
            changes: AtomicUsize::new(0),
            plan,
            host,
            run,
        }
    }

    /// The runtime that runs it, as reports name it.
    pub(crate) fn runtime(&self) -> &'static str {
        self.host.name()
    }

    /// What its boot took.
    pub(crate) fn took(&self) -> BootTimes {
        self.took
    }

    /// How clients outside the Pod get to a TCP port of it.
    pub(crate) fn reach(&self, port: u16) -> Reach {
        self.host.reach(port)
    }

    /// Why nginx does not run, if it does not.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        locked(&self.nginx).as_ref().err().cloned()
    }

    /// What nginx has written so far.
    pub(crate) fn nginx_log(&self) -> String {
        match &*locked(&self.nginx) {
            Ok(program) => program.log(),
            Err(refusal) => refusal.log.clone(),
        }
    }

    /// What a Prometheus has written so far, since it was started the last time.
    pub(crate) fn prometheus_log(&self, number: usize) -> String {
        locked(&self.prometheus).get(number).map(Backend::log).unwrap_or_default()
    }

    /// What the stubs have written, down to a mark that they are asked to make now with these words.
    pub(crate) async fn stubs_log(&self, mark: &str, words: &[&str]) -> Result<String, RuntimeError> {
        let Some(stubs) = &self.stubs else { return Ok(String::new()) };
        stubs.exec(words).await;
        Deadline::after(MARK_TIME)
            .until("the stubs to write down what they received", async || {
                let log = stubs.log();
                Ok(if log.contains(mark) { Look::Done(log) } else { Look::NotYet(tail(&log)) })
            })
            .await
    }

    /// The version of nginx as it says it itself: `nginx version: nginx/1.29.3`.
    pub(crate) async fn nginx_version(&self) -> Option<String> {
        let nginx = locked(&self.nginx).as_ref().ok()?.clone();
        let said = nginx.exec(&["nginx", "-v"]).await?;
        Some(said.split_once('/')?.1.split_whitespace().next()?.to_owned())
    }

    /// The version of Prometheus as it says it itself in its first lines: `version="(version=3.5.0, branch=…`.
    pub(crate) fn prometheus_version(&self) -> Option<String> {
        let log = self.prometheus_log(0);
        Some(log.split_once("(version=")?.1.split([',', ')']).next()?.to_owned())
    }

    /// Whether it has a Prometheus that other Pods use too.
    pub(crate) fn is_sharing(&self) -> bool {
        locked(&self.prometheus).iter().any(|backend| backend.own().is_err())
    }

    /// An error if a Prometheus that other Pods use too has ended: what was seen since then says nothing of this Pod.
    pub(crate) async fn shared_serve(&self) -> Result<(), RuntimeError> {
        #[cfg(target_os = "linux")]
        {
            let shared = |backend: &Backend| match backend {
                Backend::Own(_) => None,
                Backend::Shared(shared) => Some(shared.watch()),
            };
            let watches: Vec<_> = locked(&self.prometheus).iter().filter_map(shared).collect();
            for watch in watches {
                watch.check().await?;
            }
        }
        Ok(())
    }

    /// A command of this machine that runs in the Pod's network, where these names mean the Pod.
    pub(crate) fn inside(&self, words: &[OsString], names: &[String]) -> Result<Command, RuntimeError> {
        let hosts = locked(&self.hosts).clone();
        self.host.inside(words, names, &hosts)
    }

    /// The run that this Pod is of.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Takes everything away, and returns when it is gone.
    pub(crate) async fn remove(&self) -> Result<(), RuntimeError> {
        let prometheus = std::mem::take(&mut *locked(&self.prometheus));
        let own = prometheus.iter().filter_map(|backend| backend.own().ok());
        let mut programs: Vec<Program> = own.chain(&self.stubs).cloned().collect();
        programs.extend(locked(&self.nginx).as_ref().ok().cloned());
        let (removed, host) = tokio::join!(join_all(programs.iter().map(Program::remove)), self.host.end());
        removed.into_iter().chain([host]).collect::<Result<(), _>>()?;
        self.host.remove().await?;
        self.run.end();
        Ok(())
    }
}

/// What a lock guards, also where somebody panicked with it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last lines of a log, for a message.
pub(super) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(5)..].join("\n");
    if last.is_empty() { "its log is empty".to_owned() } else { format!("its log ends with:\n{last}") }
}
