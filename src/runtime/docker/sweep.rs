//! Takes away what runs left behind, found by their label.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use tokio::time::{Instant, interval};

use super::engine::{Engine, is_gone, refused};
use crate::runtime::error::RuntimeError;
use crate::runtime::owner::Owner;
use crate::runtime::run::{OWNER_LABEL, RUN_LABEL, RunId};

/// How long nothing may come before a killed run counts as swept: the engine may still be busy with its last request.
const QUIET: Duration = Duration::from_secs(4);
/// The same, where the harness lives on and has let go of its requests.
const SHORT_QUIET: Duration = Duration::from_millis(300);
/// When a janitor gives up, and leaves the rest to a later run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one run holds in the engine.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// The ids and names of containers, started or not.
    pub(crate) containers: BTreeMap<String, String>,
    /// The ids and names of networks.
    pub(crate) networks: BTreeMap<String, String>,
}

impl Holdings {
    fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.networks.is_empty()
    }
}

/// Removes what bears the run's label until nothing has come for a while.
pub(crate) async fn run_until_nothing_comes(run: &RunId, harness_lives: bool) {
    let quiet = if harness_lives { SHORT_QUIET } else { QUIET };
    let started = Instant::now();
    let mut last_seen = started;
    let mut ticks = interval(Duration::from_millis(100));
    while last_seen.elapsed() < quiet && started.elapsed() < PATIENCE {
        ticks.tick().await;
        let Ok(engine) = Engine::connect().await else {
            continue;
        };
        match holdings(&engine.docker, Some(run)).await {
            Ok(runs) => {
                for held in runs.values().filter(|held| !held.is_empty()) {
                    last_seen = Instant::now();
                    remove(&engine, held).await;
                }
            }
            Err(_) => last_seen = Instant::now(),
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

/// Removes containers, then the networks that they were in.
pub(crate) async fn remove(engine: &Engine, held: &Holdings) {
    join_all(held.containers.keys().map(|id| remove_container(engine, id))).await;
    for id in held.networks.keys() {
        // One that still has an endpoint goes in the next round.
        let _ = super::network::remove(engine, id).await;
    }
}

/// Removes a container, running or not. One that is gone or going is what is wanted.
pub(super) async fn remove_container(engine: &Engine, id: &str) -> Result<(), RuntimeError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match engine.docker.remove_container(id, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if is_gone(&error) || error.to_string().contains("already in progress") => Ok(()),
        Err(error) => Err(refused(format!("remove the container {id}"))(error)),
    }
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
    Ok(runs)
}

fn run_and_owner(labels: &HashMap<String, String>) -> (String, String) {
    let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
    (label(RUN_LABEL), label(OWNER_LABEL))
}
