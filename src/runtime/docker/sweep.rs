//! Takes away what runs left behind, found by their label.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveVolumeOptions,
};
use tokio::time::{Instant, interval, timeout};

use super::engine::{Engine, is_busy, is_gone, refused, root_cause};
use super::network;
use crate::runtime::error::RuntimeError;
use crate::runtime::owner::Owner;
use crate::runtime::run::{OWNER_LABEL, RUN_LABEL, RunId};
use crate::runtime::wait::{Deadline, Look};

/// How long after the end of its run a thing may still come that the engine was asked for.
const LATEST: Duration = Duration::from_secs(5);
/// How long one round of removals may take. A volume or a network can't go before a container that has come since the round
/// began, so it is looked anew for what there is.
const ROUND: Duration = Duration::from_secs(1);
/// How long the removal of one thing may take.
pub(super) const REMOVAL_TIME: Duration = Duration::from_secs(30);

/// What one run holds in the engine.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// The ids and names of containers, started or not.
    pub(crate) containers: BTreeMap<String, String>,
    /// The ids and names of networks.
    pub(crate) networks: BTreeMap<String, String>,
    /// The names of volumes.
    pub(crate) volumes: BTreeSet<String>,
}

impl Holdings {
    fn names(&self) -> impl Iterator<Item = &String> {
        self.containers.values().chain(self.networks.values())
    }

    fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.networks.is_empty() && self.volumes.is_empty()
    }
}

/// Removes what bears the run's label until nothing is left and nothing more can come. `awaited` names what the engine
/// may still be about to create: it finishes a request also when nobody waits for the answer any more.
pub(crate) async fn until_nothing_comes(run: &RunId, mut awaited: BTreeSet<String>) {
    let started = Instant::now();
    let mut ticks = interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        // An engine that does not answer now may do so later. The caller sets the limit.
        let Ok(engine) = Engine::connect().await else { continue };
        let Ok(runs) = holdings(&engine.docker, Some(run)).await else { continue };
        for held in runs.values() {
            awaited.retain(|name| !held.names().any(|there| there == name));
            // What could not be removed is there in the next round.
            let _ = timeout(ROUND, remove(&engine, held)).await;
        }
        let nothing_comes = awaited.is_empty() || started.elapsed() > LATEST;
        if runs.values().all(Holdings::is_empty) && nothing_comes {
            return;
        }
    }
}

/// What dead runs left in the engine.
pub(crate) async fn of_dead_runs(engine: &Engine) -> Result<Vec<Holdings>, RuntimeError> {
    let runs = holdings(&engine.docker, None).await?;
    Ok(runs
        .into_iter()
        .filter(|((_, owner), _)| owner.parse::<Owner>().is_ok_and(|owner| owner.is_dead()))
        .map(|(_, held)| held)
        .collect())
}

/// Removes containers, then the networks that they were in and the volumes that they had, and returns when all are gone.
pub(crate) async fn remove(engine: &Engine, held: &Holdings) -> Result<(), RuntimeError> {
    let removed = join_all(held.containers.keys().map(|id| remove_container(engine, id))).await;
    removed.into_iter().collect::<Result<(), _>>()?;
    let removed = join_all(held.networks.keys().map(|id| network::remove(engine, id))).await;
    removed.into_iter().collect::<Result<(), _>>()?;
    let removed = join_all(held.volumes.iter().map(|name| remove_volume(engine, name))).await;
    removed.into_iter().collect()
}

/// Removes a volume, most often after the engine has done so with its last container.
async fn remove_volume(engine: &Engine, name: &str) -> Result<(), RuntimeError> {
    Deadline::after(REMOVAL_TIME)
        .until(&format!("the volume {name} to go"), async || {
            match engine.docker.remove_volume(name, None::<RemoveVolumeOptions>).await {
                Ok(()) => Ok(Look::Done(())),
                Err(error) if is_gone(&error) => Ok(Look::Done(())),
                Err(error) if is_busy(&error) => Ok(Look::NotYet(root_cause(&error))),
                Err(error) => Err(refused(format!("remove the volume {name}"))(error)),
            }
        })
        .await
}

/// Removes a container, running or not, and returns when it is gone, whoever else removes it too.
pub(super) async fn remove_container(engine: &Engine, id: &str) -> Result<(), RuntimeError> {
    let options = || RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    Deadline::after(REMOVAL_TIME)
        .until(&format!("the container {id} to go"), async || {
            match engine.docker.remove_container(id, Some(options())).await {
                Ok(()) => Ok(Look::Done(())),
                Err(error) if is_gone(&error) => Ok(Look::Done(())),
                // The engine itself removes what has ended, and tells the second one so.
                Err(error) if is_busy(&error) => Ok(Look::NotYet(root_cause(&error))),
                Err(error) => Err(refused(format!("remove the container {id}"))(error)),
            }
        })
        .await
}

type Runs = BTreeMap<(String, String), Holdings>;

/// All that bears the label, of one run or of every run, by run and owner.
async fn holdings(docker: &Docker, run: Option<&RunId>) -> Result<Runs, RuntimeError> {
    let label = run.map_or_else(|| RUN_LABEL.to_owned(), |run| format!("{RUN_LABEL}={run}"));
    let filters = HashMap::from([("label".to_owned(), vec![label])]);
    let mut runs = Runs::new();
    let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    for container in docker.list_containers(Some(containers)).await.map_err(refused("list containers"))? {
        let (Some(id), Some(labels)) = (container.id, container.labels) else { continue };
        let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
        let held = runs.entry(run_and_owner(&labels)).or_default();
        held.containers.insert(id, name.trim_start_matches('/').to_owned());
    }
    let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
    for network in docker.list_networks(Some(networks)).await.map_err(refused("list networks"))? {
        let (Some(id), Some(labels)) = (network.id, network.labels) else { continue };
        let held = runs.entry(run_and_owner(&labels)).or_default();
        held.networks.insert(id, network.name.unwrap_or_default());
    }
    let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
    let listed = docker.list_volumes(Some(volumes)).await.map_err(refused("list volumes"))?;
    for volume in listed.volumes.unwrap_or_default() {
        runs.entry(run_and_owner(&volume.labels)).or_default().volumes.insert(volume.name);
    }
    Ok(runs)
}

fn run_and_owner(labels: &HashMap<String, String>) -> (String, String) {
    let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
    (label(RUN_LABEL), label(OWNER_LABEL))
}
