//! The client that a Lab hands out: it trusts the Lab's CA, and finds its names in the Pod.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::redirect;

use crate::deployment::Route;
use crate::error::{Error, Result};
use crate::observe::{CLIENT_NAME, CurlVerifier, authorization, certificates, client_config};
use crate::runtime::{Entrances, Pod, RuntimeError};
use crate::world::World;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a client finds the public name.
pub(super) enum Place {
    /// At an address.
    Address(SocketAddr),
    /// Behind a socket of this machine.
    Socket(PathBuf),
}

/// Where clients of a route's port find it.
pub(super) async fn place(pod: &Pod, port: u16, entrances: &Entrances) -> Result<Place> {
    let reach = pod.reach(port);
    if let Some(address) = reach.own_address() {
        return Ok(Place::Address(address));
    }
    let socket = pod.run().directory()?.join("client.sock");
    match entrances.open_at(&socket, reach.clone()) {
        // The path of a socket has to be short, and that of a directory need not be.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Ok(Place::Address(entrances.address_of(reach).await.map_err(RuntimeError::Entrance)?))
        }
        opened => Ok(opened.map(|()| Place::Socket(socket)).map_err(RuntimeError::Entrance)?),
    }
}

/// A client of a route that is found at this place.
pub(super) fn client(route: &Route, place: Place, world: &World) -> Result<reqwest::Client> {
    let failed = |error: &dyn std::fmt::Display| Error::Client(error.to_string());
    let verifier = CurlVerifier::trusting(&certificates(&world.trust)).map_err(|error| failed(&error))?;
    let tls = client_config(verifier, world.client_identity.as_ref()).map_err(|error| failed(&error))?;
    let credentials = world.credentials_for(route).and_then(authorization);
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent(CLIENT_NAME)
        .default_headers(HeaderMap::from_iter(credentials.map(|value| (AUTHORIZATION, value))));
    let client = match place {
        Place::Address(address) => client.resolve(&route.server_name, address),
        Place::Socket(path) => client.unix_socket(path),
    };
    client.build().map_err(|error| failed(&error))
}
