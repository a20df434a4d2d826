//! What a TLS client sees: one handshake, and what came of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::failure::{Failure, FailureKind};
use super::verifier::CurlVerifier;

const PATIENCE: Duration = Duration::from_secs(10);

/// A handshake that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    /// The version that both agreed on, such as `TLS 1.3`.
    pub(crate) version: &'static str,
}

/// A configuration that treats certificates as this verifier does.
pub(crate) fn client_config(verifier: CurlVerifier) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// Shakes hands once, asking for `name`.
pub(crate) async fn handshake(address: SocketAddr, name: &str, config: &ClientConfig) -> Result<Handshake, Failure> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| Failure { kind: FailureKind::Tls, message: error.to_string() })?;
    let connector = TlsConnector::from(Arc::new(config.clone()));
    let shaking = async {
        let stream = TcpStream::connect(address).await?;
        connector.connect(name, stream).await
    };
    let stream = match tokio::time::timeout(PATIENCE, shaking).await {
        Ok(stream) => stream.map_err(|error| Failure::of_chain(&error))?,
        Err(_) => return Err(Failure::timeout("no handshake in time")),
    };
    let (_, connection) = stream.get_ref();
    Ok(Handshake { version: version_name(connection.protocol_version()) })
}

fn version_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "unknown",
    }
}
