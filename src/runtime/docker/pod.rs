//! A Pod of containers: booted in order, reached by clients, taken away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::query_parameters::TopOptionsBuilder;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::engine::{Engine, WayIn};
use super::lifeline::{Lifeline, LifelinePlan, Tied};
use super::program::{Membership, Prepared, Program, Role};
use super::{network, sweep};
use crate::runtime::error::RuntimeError;
use crate::runtime::run::Run;
use crate::runtime::wait::{Deadline, Look};
use crate::runtime::{BOOT_TIME, PodPlan, ProgramPlan, Refusal};

/// What Prometheus logs once it serves, in every version since 2.0.
const PROMETHEUS_IS_READY: &str = "Server is ready to receive web requests";

/// A running Pod. Dropping it takes everything away; [`Pod::remove`] does it without blocking.
#[derive(Debug)]
pub(crate) struct Pod {
    engine: Engine,
    network: String,
    nginx: Result<Program, Refusal>,
    prometheus: Program,
    // Dropped in this order: the lifeline ends the Pod, then the run's janitor takes away the rest.
    lifeline: Lifeline,
    run: Arc<Run>,
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
        let network = network::create(&engine, &run, deadline).await?;
        let lifeline_plan = LifelinePlan {
            run: &run,
            image: infrastructure,
            network: &network,
            hosts: &plan.hosts,
            addresses: &plan.addresses,
            ports: &plan.ports,
        };
        let tied = Tied::prepare(&engine, &lifeline_plan).await?;
        let joined = tied.id.clone();
        let membership = Membership { run: &run, lifeline: &joined };
        // The containers are made and filled while the first one gets its network.
        let (lifeline, nginx, prometheus) = tokio::try_join!(
            Lifeline::start(&engine, tied, deadline),
            Prepared::prepare(&engine, Role::Nginx, &plan.nginx, membership),
            Prepared::prepare(&engine, Role::Prometheus, &plan.prometheus, membership),
        )?;
        let listens: Vec<SocketAddr> = plan.ports.iter().map(|port| lifeline.address(*port)).collect();
        let (nginx, prometheus) = tokio::join!(
            start_nginx(&engine, nginx, &plan.nginx, membership, &listens, deadline),
            start_prometheus(&engine, prometheus, deadline)
        );
        Ok(Self { nginx: nginx?, prometheus: prometheus?, engine, network, lifeline, run })
    }

    /// Where clients outside the Pod reach a TCP port of it.
    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        self.lifeline.address(port)
    }

    /// Why nginx does not run, if it does not.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.nginx.as_ref().err()
    }

    /// What nginx has written so far.
    pub(crate) fn nginx_log(&self) -> String {
        match &self.nginx {
            Ok(program) => program.log(),
            Err(refusal) => refusal.log.clone(),
        }
    }

    /// What Prometheus has written so far.
    pub(crate) fn prometheus_log(&self) -> String {
        self.prometheus.log()
    }

    /// The version of nginx as it says it itself: `nginx version: nginx/1.29.3`.
    pub(crate) async fn nginx_version(&self) -> Option<String> {
        let said = self.nginx.as_ref().ok()?.exec(&["nginx", "-v"]).await?;
        Some(said.split_once('/')?.1.split_whitespace().next()?.to_owned())
    }

    /// The version of Prometheus as it says it itself in its first lines: `version="(version=3.5.0, branch=…`.
    pub(crate) fn prometheus_version(&self) -> Option<String> {
        let log = self.prometheus.log();
        Some(log.split_once("(version=")?.1.split([',', ')']).next()?.to_owned())
    }

    /// The run that this Pod is of.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Takes everything away, and returns when it is gone.
    pub(crate) async fn remove(&self) -> Result<(), RuntimeError> {
        let mut containers = vec![self.lifeline.id.as_str(), self.prometheus.id()];
        containers.extend(self.nginx.as_ref().ok().map(Program::id));
        let removed = join_all(containers.iter().map(|id| sweep::remove_container(&self.engine, id))).await;
        removed.into_iter().collect::<Result<(), _>>()?;
        network::remove(&self.engine, &self.network).await?;
        self.run.end();
        Ok(())
    }
}

async fn start_nginx(
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
    if looks.is_multiple_of(20) && has_workers(engine, program).await {
        return Ok(Look::Done(true));
    }
    Ok(Look::NotYet(format!("no port open yet; {}", tail(&program.log()))))
}

async fn has_workers(engine: &Engine, program: &Program) -> bool {
    let options = TopOptionsBuilder::new().ps_args("-eo pid,args").build();
    let processes = engine.docker.top_processes(program.id(), Some(options)).await;
    processes.is_ok_and(|top| {
        let mut lines = top.processes.unwrap_or_default().into_iter();
        lines.any(|columns| columns.join(" ").contains("nginx: worker process"))
    })
}

async fn start_prometheus(engine: &Engine, prepared: Prepared, deadline: Deadline) -> Result<Program, RuntimeError> {
    let program = prepared.start(engine).await?;
    let ready = deadline
        .until("Prometheus to be ready", async || {
            let log = program.log();
            if log.contains(PROMETHEUS_IS_READY) {
                return Ok(Look::Done(true));
            }
            if program.has_ended() {
                return Ok(Look::Done(false));
            }
            Ok(Look::NotYet(tail(&log)))
        })
        .await?;
    if ready {
        return Ok(program);
    }
    Err(RuntimeError::Ended { program: Role::Prometheus.name(), log: program.log() })
}

/// The last lines of a log, for a message.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(5)..].join("\n");
    if last.is_empty() { "its log is empty".to_owned() } else { format!("its log ends with:\n{last}") }
}
