//! Boots a Pod of containers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::engine::{Engine, WayIn};
use super::lifeline::{Lifeline, LifelinePlan, Tied};
use super::program::{Membership, Prepared, Program, Sockets};
use super::{network, sweep};
use crate::runtime::backend::Backend;
use crate::runtime::error::RuntimeError;
use crate::runtime::host::Host as AnyHost;
use crate::runtime::pod::{Pod, Started};
use crate::runtime::program::{Program as AnyProgram, Role};
use crate::runtime::run::Run;
use crate::runtime::wait::{Deadline, timed};
use crate::runtime::{BOOT_TIME, BootTimes, PodPlan, ProgramPlan, serving};

/// The network of a Pod and its first container. Dropping it ends the Pod.
#[derive(Debug)]
pub(in crate::runtime) struct Host {
    engine: Engine,
    network: String,
    lifeline: Lifeline,
}

/// Boots a Pod and waits until both programs serve, or nginx has refused to.
pub(crate) async fn boot(
    engine: Engine,
    run: Arc<Run>,
    infrastructure: &str,
    plan: PodPlan,
) -> Result<Pod, RuntimeError> {
    let deadline = Deadline::after(BOOT_TIME);
    let begun = Instant::now();
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
    let pod = begun.elapsed();
    let host = AnyHost::Docker(Host { engine: engine.clone(), network, lifeline });
    let listens = host.telling(&plan.telling);
    let (stubs, (nginx, nginx_took), (prometheus, prometheus_took)) = tokio::join!(
        start_stubs(&engine, stubs, deadline),
        timed(async {
            let program = nginx.start_within_limits(&engine, &plan.nginx, membership).await?;
            serving::nginx(AnyProgram::Docker(Box::new(program)), &listens, deadline).await
        }),
        timed(try_join_all(prometheus.into_iter().map(|prepared| start_prometheus(&engine, prepared, deadline)))),
    );
    let prometheus = prometheus?.into_iter().map(Backend::Own).collect();
    let took = BootTimes { pod, nginx: nginx_took, prometheus: prometheus_took };
    let started = Started { stubs: stubs?, nginx: nginx?, prometheus, took };
    Ok(Pod::of(host, run, plan, started))
}

impl Host {
    /// Where clients outside the Pod reach a TCP port of it.
    pub(in crate::runtime) fn address(&self, port: u16) -> SocketAddr {
        self.lifeline.address(port)
    }

    /// Whether clients connect to the Pod itself. Where ports are published the engine's own proxy accepts connections
    /// before nginx does.
    pub(in crate::runtime) fn is_direct(&self) -> bool {
        self.engine.way_in == WayIn::Direct
    }

    /// Starts a program again, with the sockets that it shares with the stubs.
    pub(in crate::runtime) async fn start(
        &self,
        role: Role,
        plan: &ProgramPlan,
        run: &Run,
        stubs: Option<&Program>,
        again: usize,
    ) -> Result<Program, RuntimeError> {
        let sockets = stubs.map_or(Sockets::None, |stubs| Sockets::Of(stubs.id()));
        let membership = Membership { run, lifeline: &self.lifeline.id, sockets, again };
        let prepared = Prepared::prepare(&self.engine, role, plan, membership).await?;
        prepared.start_within_limits(&self.engine, plan, membership).await
    }

    /// Lets names mean these addresses from now on, and no others any more.
    pub(in crate::runtime) async fn name_all(&self, hosts: &[(String, IpAddr)]) -> Result<(), RuntimeError> {
        self.lifeline.name(&self.engine, hosts).await
    }

    /// Removes the first container.
    pub(in crate::runtime) async fn end(&self) -> Result<(), RuntimeError> {
        sweep::remove_container(&self.engine, &self.lifeline.id).await
    }

    /// Removes the network, which no container is in any more.
    pub(in crate::runtime) async fn remove(&self) -> Result<(), RuntimeError> {
        network::remove(&self.engine, &self.network).await
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
) -> Result<Option<AnyProgram>, RuntimeError> {
    let Some((prepared, ready)) = stubs else { return Ok(None) };
    let program = AnyProgram::Docker(Box::new(prepared.start(engine).await?));
    serving::word(program, Role::Stubs, ready, deadline).await.map(Some)
}

async fn start_prometheus(engine: &Engine, prepared: Prepared, deadline: Deadline) -> Result<AnyProgram, RuntimeError> {
    serving::prometheus(AnyProgram::Docker(Box::new(prepared.start(engine).await?)), deadline).await
}
