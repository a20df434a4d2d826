//! What checks may do to the programs of a Lab, done by its Pod.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::observe::{Control, Doing, Reloaded, Undone};
use crate::runtime::{Pod, Reload, RuntimeError};
use crate::world::{PodFile, World};

/// The hands of a Lab.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) pod: Arc<Pod>,
    pub(super) world: Arc<World>,
}

impl Control for Hands {
    fn put<'a>(&'a self, files: &'a [PodFile]) -> Doing<'a, ()> {
        Box::pin(async { Ok(self.pod.put(files).await?) })
    }

    fn reload(&self) -> Doing<'_, Reloaded> {
        Box::pin(async {
            Ok(match self.pod.reload_nginx().await? {
                Reload::Done => Reloaded::Done,
                Reload::Refused { log } => Reloaded::Refused(log),
            })
        })
    }

    fn stop(&self, prometheus: usize) -> Doing<'_, ()> {
        Box::pin(async move { Ok(self.pod.stop_prometheus(prometheus).await?) })
    }

    fn start(&self, prometheus: usize, at: Option<SocketAddr>) -> Doing<'_, ()> {
        let started = self.world.prometheus.get(prometheus);
        let arguments = at.and_then(|at| Some(started?.listening_at(at)));
        Box::pin(async move { Ok(self.pod.start_prometheus(prometheus, arguments).await?) })
    }

    fn point<'a>(&'a self, name: &'a str, address: IpAddr) -> Doing<'a, ()> {
        Box::pin(async move { Ok(self.pod.point(name, address).await?) })
    }
}

impl From<RuntimeError> for Undone {
    fn from(error: RuntimeError) -> Self {
        Self(error.to_string())
    }
}
