//! The Pod's network: its own, so that no other container is in it, and with no way out.

use std::net::IpAddr;

use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::models::NetworkCreateRequest;
use testcontainers::bollard::query_parameters::InspectNetworkOptions;

use super::engine::{Engine, WayIn, is_busy, is_gone, refused, root_cause};
use super::sweep::REMOVAL_TIME;
use crate::runtime::error::RuntimeError;
use crate::runtime::run::{Run, RunId};
use crate::runtime::wait::{Deadline, Look};

/// How many networks are tried for one that has none of the deployment's addresses. The engine has about thirty.
const MOST_TRIES: usize = 12;

/// Creates the network of a run and gives its name. None of these addresses is in it: they are the Pod's own there, and
/// clients come from the network's.
pub(super) async fn create(
    engine: &Engine,
    run: &Run,
    addresses: &[IpAddr],
    deadline: Deadline,
) -> Result<String, RuntimeError> {
    let mut colliding = Vec::<String>::new();
    loop {
        let suffix = if colliding.is_empty() { String::new() } else { format!("-{}", colliding.len() + 1) };
        let name = run.id().name(&format!("network{suffix}"));
        run.creating(&name, create_one(engine, run, &name, deadline)).await??;
        if addresses.is_empty() || colliding.len() >= MOST_TRIES || !has_any(engine, &name, addresses).await? {
            // The engine would have chosen those again.
            for other in &colliding {
                remove(engine, other).await?;
            }
            return Ok(name);
        }
        colliding.push(name);
    }
}

async fn create_one(engine: &Engine, run: &Run, name: &str, deadline: Deadline) -> Result<(), RuntimeError> {
    deadline
        .until("a free network of the Docker engine", async || {
            match engine.docker.create_network(request(engine, run.id(), name)).await {
                Ok(_) => Ok(Look::Done(())),
                // The engine has about thirty: with more runs at once than that, one of them ends soon.
                Err(error) if is_exhausted(&error) => Ok(Look::NotYet(root_cause(&error))),
                Err(error) => Err(refused("create a network")(error)),
            }
        })
        .await
}

/// Whether one of the addresses is in a network.
async fn has_any(engine: &Engine, name: &str, addresses: &[IpAddr]) -> Result<bool, RuntimeError> {
    let inspected = engine.docker.inspect_network(name, None::<InspectNetworkOptions>).await;
    let network = inspected.map_err(refused(format!("inspect the network {name}")))?;
    let pools = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let subnets: Vec<String> = pools.into_iter().filter_map(|pool| pool.subnet).collect();
    Ok(addresses.iter().any(|address| subnets.iter().any(|subnet| is_in(*address, subnet))))
}

/// Whether an address is in a subnet such as `172.18.0.0/16`.
fn is_in(address: IpAddr, subnet: &str) -> bool {
    let parsed = subnet.split_once('/').and_then(|(base, bits)| Some((base.parse().ok()?, bits.parse().ok()?)));
    match (address, parsed) {
        (IpAddr::V4(address), Some((IpAddr::V4(base), bits))) => {
            let differing = u32::from(address) ^ u32::from(base);
            differing.leading_zeros() >= bits
        }
        (IpAddr::V6(address), Some((IpAddr::V6(base), bits))) => {
            let differing = u128::from(address) ^ u128::from(base);
            differing.leading_zeros() >= bits
        }
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn an_address_of_the_deployment_is_found_in_a_network() {
        let is_in = |address: &str, subnet| is_in(address.parse().expect("an address"), subnet);
        assert!(is_in("172.18.0.1", "172.18.0.0/16") && is_in("172.18.255.9", "172.18.0.0/16"));
        assert!(!is_in("172.19.0.1", "172.18.0.0/16") && !is_in("10.0.0.1", "172.18.0.0/16"));
        assert!(is_in("fd00::1", "fd00::/64") && !is_in("fd01::1", "fd00::/64") && !is_in("fd00::1", "10.0.0.0/8"));
    }
}
