//! What a TLS client sees: one handshake, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion};
use tokio_rustls::TlsConnector;

use super::door::Door;
use super::failure::{Failure, FailureKind};
use super::verifier::CurlVerifier;

const PATIENCE: Duration = Duration::from_secs(10);

/// A handshake that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    /// The version that both agreed on, such as `TLS 1.3`.
    pub(crate) version: &'static str,
    /// The certificates that the server sent, its own first.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

/// A configuration that treats certificates as this verifier does, and shows the client's own (certificate and key, PEM)
/// where it is asked for one.
pub(crate) fn client_config(
    verifier: CurlVerifier,
    identity: Option<&(String, String)>,
) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some((certificate, key)) = identity else {
        return Ok(config.with_no_client_auth());
    };
    let unreadable = |error: pem::Error| rustls::Error::General(format!("the client's certificate: {error}"));
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<_, _>>().map_err(unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unreadable)?;
    config.with_client_auth_cert(chain, key)
}

/// Shakes hands once, asking for `name`.
pub(crate) async fn handshake(door: &Door, name: &str, config: &ClientConfig) -> Result<Handshake, Failure> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| Failure { kind: FailureKind::Tls, message: error.to_string() })?;
    let connector = TlsConnector::from(Arc::new(config.clone()));
    let shaking = async {
        let stream = door.connect().await?;
        door.pace().meter().handshakes().of(connector.connect(name, stream)).await
    };
    let _turn = door.turn().await;
    let stream = match tokio::time::timeout(PATIENCE, shaking).await {
        Ok(stream) => stream.map_err(|error| Failure::of_chain(&error))?,
        Err(_) => return Err(Failure::timeout("no handshake in time")),
    };
    let (_, connection) = stream.get_ref();
    Ok(Handshake {
        version: version_name(connection.protocol_version()),
        certificates: connection.peer_certificates().map(<[_]>::to_vec).unwrap_or_default(),
    })
}

fn version_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "unknown",
    }
}
