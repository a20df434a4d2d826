//! What works here, what is missing, and what dead runs left behind.

use std::path::PathBuf;

use crate::error::Result;
use crate::runtime::docker::{Engine, sweep};
use crate::runtime::{Bed, RunDirectory};
use crate::source::cache::remove_stale;
use crate::source::{Cache, debian};

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
            sources: vec![
                Diagnosis {
                    name: "docker:IMAGE",
                    state: engine
                        .map(|_| "images that the engine has or can pull".to_owned())
                        .map_err(|_| "no engine".to_owned()),
                },
                Diagnosis {
                    name: "debian:RELEASE",
                    state: debian::diagnose(&cache).map_err(|error| error.to_string()),
                },
                Diagnosis { name: "path:FILE", state: Ok("a binary of this machine".to_owned()) },
            ],
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
    Diagnosis { name: "sandbox", state }
}

fn docker(engine: std::result::Result<&Engine, String>) -> Diagnosis {
    let state =
        engine.map(|engine| format!("Docker engine {} ({}) at {}", engine.version, engine.architecture, engine.host));
    Diagnosis { name: "docker", state }
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
