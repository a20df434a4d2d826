//! What works here, what is missing, and what dead runs left behind.

use std::path::PathBuf;

use crate::error::Result;
use crate::runtime::docker::{Engine, sweep};
use crate::runtime::{Bed, RunDirectory};
use crate::source::cache::remove_stale;
use crate::source::{Cache, Distribution, SourceError, packages};

/// What `proxyproof doctor` found.
#[derive(Debug)]
pub struct Doctor {
    /// What can boot a Pod here.
    pub runtimes: Vec<Diagnosis>,
    /// Where programs can come from here.
    pub sources: Vec<Diagnosis>,
    /// What dead runs left behind, or what was removed of it.
    pub leftovers: Vec<String>,
}

/// Whether one thing works.
#[derive(Debug)]
pub struct Diagnosis {
    /// The runtime or source.
    pub name: &'static str,
    /// What there is, or what is missing and how to get it.
    pub state: std::result::Result<String, String>,
    /// Whether that it is missing is how such a machine is: one that has the packages of a distribution seldom has those
    /// of the other.
    pub foreign: bool,
}

impl Diagnosis {
    fn new(name: &'static str, state: std::result::Result<String, String>) -> Self {
        Self { name, state, foreign: false }
    }
}

impl Doctor {
    /// Looks at everything, and with `clean` removes what dead runs left behind.
    ///
    /// # Errors
    ///
    /// If leftovers can't be listed or removed.
    pub async fn examine(clean: bool) -> Result<Self> {
        let engine = Engine::connect().await;
        let cache = Cache::from_env()?;
        let mut leftovers = paths_left(&cache);
        if let Ok(engine) = &engine {
            for held in sweep::of_dead_runs(engine).await? {
                leftovers.extend(held.containers.values().map(|name| format!("container {name}")));
                leftovers.extend(held.networks.values().map(|name| format!("network {name}")));
                leftovers.extend(held.volumes.iter().map(|name| format!("volume {name}")));
                if clean {
                    sweep::remove(engine, &held).await?;
                }
            }
        }
        if clean {
            remove_paths(&cache)?;
        }
        Ok(Self {
            runtimes: vec![docker(engine.as_ref().map_err(ToString::to_string)), sandbox().await],
            sources: sources(engine.is_ok(), &cache),
            leftovers,
        })
    }

    /// Whether anything can boot here.
    pub fn can_boot(&self) -> bool {
        self.runtimes.iter().any(|runtime| runtime.state.is_ok())
    }
}

async fn sandbox() -> Diagnosis {
    let state = Bed::examine_sandbox().await.map_err(|error| error.to_string());
    Diagnosis::new("sandbox", state)
}

fn docker(engine: std::result::Result<&Engine, String>) -> Diagnosis {
    let state =
        engine.map(|engine| format!("Docker engine {} ({}) at {}", engine.version, engine.architecture, engine.host));
    Diagnosis::new("docker", state)
}

fn sources(has_engine: bool, cache: &Cache) -> Vec<Diagnosis> {
    let images = if has_engine { Ok("images that the engine has or can pull") } else { Err("no engine") };
    let images = images.map(str::to_owned).map_err(str::to_owned);
    let [debian, ubuntu] = Distribution::ALL.map(|distribution| packages::diagnose(distribution, cache));
    let own = [debian.is_ok(), ubuntu.is_ok()];
    let diagnosis = |name, found: std::result::Result<String, SourceError>, has_other| {
        let foreign = has_other && matches!(found, Err(SourceError::NoMirror(_)));
        Diagnosis { foreign, ..Diagnosis::new(name, found.map_err(|error| error.to_string())) }
    };
    vec![
        Diagnosis::new("docker:IMAGE", images),
        diagnosis("debian:RELEASE", debian, own[1]),
        diagnosis("ubuntu:RELEASE", ubuntu, own[0]),
        Diagnosis::new("path:FILE", Ok("a binary of this machine".to_owned())),
    ]
}

fn paths_left(cache: &Cache) -> Vec<String> {
    let directories: Vec<PathBuf> = RunDirectory::of_dead_runs().into_iter().chain(cache.leftovers()).collect();
    let groups = groups_left();
    let groups = groups.iter().map(|group| format!("control group {}", group.display()));
    directories.iter().map(|directory| format!("directory {}", directory.display())).chain(groups).collect()
}

#[cfg(target_os = "linux")]
fn groups_left() -> Vec<PathBuf> {
    crate::runtime::sandbox::groups_of_dead_runs()
}

#[cfg(not(target_os = "linux"))]
fn groups_left() -> Vec<PathBuf> {
    Vec::new()
}

fn remove_paths(cache: &Cache) -> Result<()> {
    for directory in RunDirectory::of_dead_runs() {
        crate::runtime::remove_directory(&directory)?;
    }
    for group in groups_left() {
        // One that somebody else removes meanwhile, or may not remove, stays listed.
        let _ = std::fs::remove_dir(group);
    }
    Ok(remove_stale(cache)?)
}
