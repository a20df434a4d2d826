//! The client that a Lab hands out: it trusts the Lab's CA, and finds its names in the Pod.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::redirect;

use crate::deployment::Route;
use crate::error::{Error, Result};
use crate::observe::{CLIENT_NAME, CurlVerifier, authorization, certificates, client_config};
use crate::world::World;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of a route that is reached at this address.
pub(super) fn client(route: &Route, address: SocketAddr, world: &World) -> Result<reqwest::Client> {
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
        .resolve(&route.server_name, address)
        .default_headers(HeaderMap::from_iter(credentials.map(|value| (AUTHORIZATION, value))));
    client.build().map_err(|error| failed(&error))
}
