//! A Pod of containers: booted in order, reached by clients, taken away.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::change::workers;
use super::engine::{Engine, WayIn};
use super::lifeline::{Lifeline, LifelinePlan, Tied};
use super::program::{Membership, Prepared, Program, Role, Sockets};
use super::{network, sweep};
use crate::runtime::error::RuntimeError;
use crate::runtime::run::Run;
use crate::runtime::wait::{Deadline, Look};
use crate::runtime::{BOOT_TIME, PodPlan, ProgramPlan, Refusal};

/// What Prometheus logs once it serves, in every version since 2.0.
const PROMETHEUS_IS_READY: &str = "Server is ready to receive web requests";

/// How long the stubs may take to write a line.
const MARK_TIME: Duration = Duration::from_secs(10);

/// A running Pod. Dropping it takes everything away; [`Pod::remove`] does it without blocking.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(super) engine: Engine,
    network: String,
    pub(super) plan: PodPlan,
    pub(super) nginx: Mutex<Result<Program, Refusal>>,
    pub(super) prometheus: Mutex<Vec<Program>>,
    pub(super) stubs: Option<Program>,
    /// What names mean now.
    pub(super) hosts: Mutex<Vec<(String, IpAddr)>>,
    /// How often something was changed.
    pub(super) changes: AtomicUsize,
    // Dropped in this order: the lifeline ends the Pod, then the run's janitor takes away the rest.
    pub(super) lifeline: Lifeline,
    pub(super) run: Arc<Run>,
}

impl Pod {
    /// Boots a Pod and waits until both programs serve, or nginx has refused to.
    pub(crate) async fn boot(
        engine: Engine,
        run: Arc<Run>,
        infrastructure: &str,
        plan: PodPlan,
    ) -> Result<Self, RuntimeError> {
        let deadline = Deadline::after(BOOT_TIME);
        let network = network::create(&engine, &run, &plan.addresses, deadline).await?;
        let entrances: Vec<u16> = plan.ports.iter().chain(&plan.relays).copied().collect();
        let lifeline_plan = LifelinePlan {
            run: &run,
            image: infrastructure,
            network: &network,
            hosts: &plan.hosts,
            addresses: &plan.addresses,
            redirects: &plan.redirects,
            own_dns: plan.stubs.is_some(),
            ports: &entrances,
        };
        let tied = Tied::prepare(&engine, &lifeline_plan).await?;
        let joined = tied.id.clone();
        let membership = Membership { run: &run, lifeline: &joined, sockets: Sockets::None, again: 0 };
        // The containers are made and filled while the first one gets its network.
        let (lifeline, (stubs, nginx), prometheus) = tokio::try_join!(
            Lifeline::start(&engine, tied, deadline),
            prepare_nginx(&engine, &plan, membership),
            prepare_prometheus(&engine, &plan, membership),
        )?;
        let listens = lifeline.addresses(&plan.ports);
        let (stubs, nginx, prometheus) = tokio::join!(
            start_stubs(&engine, stubs, deadline),
            start_nginx(&engine, nginx, &plan.nginx, membership, &listens, deadline),
            try_join_all(prometheus.into_iter().map(|prepared| start_prometheus(&engine, prepared, deadline))),
        );
        let (stubs, nginx, prometheus) = (stubs?, nginx?, prometheus?);
        let (nginx, prometheus) = (Mutex::new(nginx), Mutex::new(prometheus));
        let (hosts, changes) = (Mutex::new(plan.hosts.clone()), AtomicUsize::new(0));
        Ok(Self { nginx, prometheus, stubs, hosts, changes, plan, engine, network, lifeline, run })
    }

    /// Where clients outside the Pod reach a TCP port of it.
    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        self.lifeline.address(port)
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
        locked(&self.prometheus).get(number).map(Program::log).unwrap_or_default()
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

    /// The run that this Pod is of.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Takes everything away, and returns when it is gone.
    pub(crate) async fn remove(&self) -> Result<(), RuntimeError> {
        let mut programs: Vec<Program> = locked(&self.prometheus).iter().chain(&self.stubs).cloned().collect();
        programs.extend(locked(&self.nginx).as_ref().ok().cloned());
        let containers: Vec<&str> = programs.iter().map(Program::id).chain([self.lifeline.id.as_str()]).collect();
        let removed = join_all(containers.iter().map(|id| sweep::remove_container(&self.engine, id))).await;
        removed.into_iter().collect::<Result<(), _>>()?;
        network::remove(&self.engine, &self.network).await?;
        self.run.end();
        Ok(())
    }
}

/// The sockets that nginx finds are in directories of the stubs' container, which is made first then.
async fn prepare_nginx(
    engine: &Engine,
    plan: &PodPlan,
    membership: Membership<'_>,
) -> Result<(Option<(Prepared, &'static str)>, Prepared), RuntimeError> {
    let sockets = match plan.shared_directories.as_slice() {
        [] => Sockets::None,
        directories => Sockets::Own(directories),
    };
    let stubs = match &plan.stubs {
        Some((stubs, ready)) => {
            let membership = Membership { sockets, ..membership };
            Some((Prepared::prepare(engine, Role::Stubs, stubs, membership).await?, *ready))
        }
        None => None,
    };
    let sockets = match (&stubs, sockets) {
        (Some((stubs, _)), Sockets::Own(_)) => Sockets::Of(stubs.id()),
        _ => Sockets::None,
    };
    let membership = Membership { sockets, ..membership };
    let nginx = Prepared::prepare(engine, Role::Nginx, &plan.nginx, membership).await?;
    Ok((stubs, nginx))
}

async fn prepare_prometheus(
    engine: &Engine,
    plan: &PodPlan,
    membership: Membership<'_>,
) -> Result<Vec<Prepared>, RuntimeError> {
    let all = plan.prometheus.iter().enumerate();
    try_join_all(all.map(|(number, plan)| Prepared::prepare(engine, Role::Prometheus(number), plan, membership))).await
}

async fn start_stubs(
    engine: &Engine,
    stubs: Option<(Prepared, &'static str)>,
    deadline: Deadline,
) -> Result<Option<Program>, RuntimeError> {
    let Some((prepared, ready)) = stubs else { return Ok(None) };
    let program = prepared.start(engine).await?;
    wait_for_word(&program, Role::Stubs, ready, deadline).await?;
    Ok(Some(program))
}

pub(super) async fn start_nginx(
    engine: &Engine,
    prepared: Prepared,
    plan: &ProgramPlan,
    membership: Membership<'_>,
    listens: &[SocketAddr],
    deadline: Deadline,
) -> Result<Result<Program, Refusal>, RuntimeError> {
    let program = prepared.start_within_limits(engine, plan, membership).await?;
    let mut looks = 0_u32;
    let serves = deadline
        .until("nginx to listen", || {
            looks += 1;
            look_at_nginx(engine, &program, listens, looks)
        })
        .await?;
    Ok(if serves { Ok(program) } else { Err(Refusal { log: program.log() }) })
}

/// nginx serves when a client gets in, or, where all its ports are closed to clients, when its workers run.
async fn look_at_nginx(
    engine: &Engine,
    program: &Program,
    listens: &[SocketAddr],
    looks: u32,
) -> Result<Look<bool>, RuntimeError> {
    if program.has_ended() {
        return Ok(Look::Done(false));
    }
    // Where ports are published the engine's own proxy accepts connections before nginx does.
    if engine.way_in == WayIn::Direct {
        for address in listens {
            let attempt = timeout(Duration::from_millis(100), TcpStream::connect(address));
            if matches!(attempt.await, Ok(Ok(_))) {
                return Ok(Look::Done(true));
            }
        }
    }
    if looks.is_multiple_of(20) && !workers(engine, program).await.is_empty() {
        return Ok(Look::Done(true));
    }
    Ok(Look::NotYet(format!("no port open yet; {}", tail(&program.log()))))
}

pub(super) async fn start_prometheus(
    engine: &Engine,
    prepared: Prepared,
    deadline: Deadline,
) -> Result<Program, RuntimeError> {
    let program = prepared.start(engine).await?;
    wait_for_word(&program, Role::Prometheus(0), PROMETHEUS_IS_READY, deadline).await?;
    Ok(program)
}

/// Waits until a program says that it is ready.
async fn wait_for_word(program: &Program, role: Role, word: &str, deadline: Deadline) -> Result<(), RuntimeError> {
    let ready = deadline
        .until(&format!("{} to be ready", role.name()), async || {
            let log = program.log();
            if log.contains(word) {
                return Ok(Look::Done(true));
            }
            if program.has_ended() {
                return Ok(Look::Done(false));
            }
            Ok(Look::NotYet(tail(&log)))
        })
        .await?;
    if ready { Ok(()) } else { Err(RuntimeError::Ended { program: role.name(), log: program.log() }) }
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
