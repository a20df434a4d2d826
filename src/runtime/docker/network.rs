//! The Pod's network: its own, so that no other container is in it, and with no way out.

use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::models::NetworkCreateRequest;

use super::engine::{Engine, WayIn, is_busy, is_gone, refused, root_cause};
use super::sweep::REMOVAL_TIME;
use crate::runtime::error::RuntimeError;
use crate::runtime::run::{Run, RunId};
use crate::runtime::wait::{Deadline, Look};

/// Creates the network of a run and gives its name.
pub(super) async fn create(engine: &Engine, run: &Run, deadline: Deadline) -> Result<String, RuntimeError> {
    let name = run.id().name("network");
    let created = deadline.until("a free network of the Docker engine", async || {
        match engine.docker.create_network(request(engine, run.id(), &name)).await {
            Ok(_) => Ok(Look::Done(())),
            // The engine has about thirty: with more runs at once than that, one of them ends soon.
            Err(error) if is_exhausted(&error) => Ok(Look::NotYet(root_cause(&error))),
            Err(error) => Err(refused("create a network")(error)),
        }
    });
    run.creating(&name, created).await??;
    Ok(name)
}

/// Removes it again, and returns when it is gone. The engine refuses as long as it has not let go of the last container.
pub(super) async fn remove(engine: &Engine, name: &str) -> Result<(), RuntimeError> {
    Deadline::after(REMOVAL_TIME)
        .until(&format!("the network {name} to go"), async || match engine.docker.remove_network(name).await {
            Ok(()) => Ok(Look::Done(())),
            Err(error) if is_gone(&error) => Ok(Look::Done(())),
            Err(error) if is_busy(&error) => Ok(Look::NotYet(root_cause(&error))),
            Err(error) => Err(refused(format!("remove the network {name}"))(error)),
        })
        .await
}

fn request(engine: &Engine, run: &RunId, name: &str) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: name.to_owned(),
        labels: Some(run.labels()),
        // The engine publishes no port of an internal network; there the lifeline alone takes the way out.
        internal: Some(engine.way_in == WayIn::Direct),
        ..NetworkCreateRequest::default()
    }
}

fn is_exhausted(error: &BollardError) -> bool {
    let reason = error.to_string();
    reason.contains("address pool") || reason.contains("fully subnetted")
}
