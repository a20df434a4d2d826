//! One TLS connection of a client that says what it wants to be told apart by: the name in the handshake, the name in the
//! request, its certificate, its protocols, its session.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue};
use rustls::client::{Tls13ClientSessionValue, danger};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, HandshakeKind, NamedGroup, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::door::Door;
use super::failure::{Failure, FailureKind};
use super::http::NAME;

const PATIENCE: Duration = Duration::from_secs(5);
/// As much of an answer as tells what it is.
const ENOUGH: u64 = 64 << 10;
/// The client's preface of HTTP/2 and its first frame, SETTINGS without any: RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Length, type, flags and stream of a frame.
const FRAME_HEADER: usize = 9;
const SETTINGS: u8 = 4;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
    /// The name in the handshake; none sends none.
    pub(crate) sni: Option<&'a str>,
    /// The `Host` of the request.
    pub(crate) host: &'a str,
    /// The path of the request.
    pub(crate) path: &'a str,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Visited {
    /// The status code, if what came is HTTP.
    pub(crate) status: Option<u16>,
    /// All that came, headers included.
    pub(crate) text: String,
    /// Whether the session of an earlier visit went on.
    pub(crate) resumed: bool,
}

impl Visited {
    /// The first line of the answer.
    pub(crate) fn first_line(&self) -> &str {
        match self.text.lines().next() {
            Some(line) if !line.is_empty() => line,
            _ => "closed without an answer",
        }
    }
}

/// Shakes hands and asks once.
pub(crate) async fn visit(door: &Door, config: &ClientConfig, what: Visit<'_>) -> Result<Visited, Failure> {
    let asking = async {
        let mut stream = connect(door, what.sni, config).await?;
        let (host, path) = (what.host, what.path);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {NAME}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| Failure::of_chain(&error))?;
        stream.flush().await.map_err(|error| Failure::of_chain(&error))?;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        let mut answer = Vec::new();
        // nginx closes without saying so in TLS; what came before that counts.
        let read = stream.take(ENOUGH).read_to_end(&mut answer).await;
        if let (true, Err(error)) = (answer.is_empty(), read) {
            return Err(Failure::of_chain(&error));
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        Ok(Visited { status, text, resumed })
    };
    let _turn = door.turn().await;
    timeout(PATIENCE, asking).await.map_err(|_| Failure::timeout("no answer in time"))?
}

/// The protocol that a server chooses of these, if it goes on with the handshake.
pub(crate) async fn protocol(
    door: &Door,
    sni: Option<&str>,
    config: &ClientConfig,
    offered: &[&str],
) -> Result<Option<String>, Failure> {
    let _turn = door.turn().await;
    let stream = connect_offering(door, sni, config, offered).await?;
    let chosen = stream.get_ref().1.alpn_protocol();
    Ok(chosen.map(|name| String::from_utf8_lossy(name).into_owned()))
}

/// Whether a server that chooses HTTP/2 answers as one: with SETTINGS.
pub(crate) async fn speaks_http2(door: &Door, sni: Option<&str>, config: &ClientConfig) -> Result<bool, Failure> {
    let _turn = door.turn().await;
    let mut stream = connect_offering(door, sni, config, &["h2"]).await?;
    let talking = async {
        stream.write_all(PREFACE).await?;
        stream.flush().await?;
        let mut header = [0; FRAME_HEADER];
        stream.read_exact(&mut header).await?;
        Ok::<_, std::io::Error>(header[3] == SETTINGS)
    };
    match timeout(PATIENCE, talking).await {
        Ok(answered) => Ok(answered.unwrap_or(false)),
        Err(_) => Err(Failure::timeout("no HTTP/2 frame in time")),
    }
}

/// Whether a server staples an answer of its certificate's OCSP responder to the handshake.
pub(crate) async fn staples(door: &Door, sni: Option<&str>, config: &ClientConfig) -> Result<bool, Failure> {
    let recorder = Arc::new(Recorder::default());
    let mut config = config.clone();
    config.dangerous().set_certificate_verifier(Arc::clone(&recorder) as _);
    config.resumption = Resumption::disabled();
    let _turn = door.turn().await;
    connect(door, sni, &config).await?;
    Ok(recorder.stapled.load(std::sync::atomic::Ordering::Relaxed))
}

/// A client that goes on with its sessions whatever the name is.
pub(crate) fn with_one_session_for_all(config: &ClientConfig) -> ClientConfig {
    let store = OneForAll { sessions: ClientSessionMemoryCache::new(8), name: "any".try_into().ok() };
    keeping(config, Resumption::store(Arc::new(store)))
}

/// A client that has no session of before.
pub(crate) fn with_sessions_of_its_own(config: &ClientConfig) -> ClientConfig {
    keeping(config, Resumption::in_memory_sessions(8))
}

fn keeping(config: &ClientConfig, resumption: Resumption) -> ClientConfig {
    let mut config = config.clone();
    config.resumption = resumption;
    config
}

async fn connect_offering(
    door: &Door,
    sni: Option<&str>,
    config: &ClientConfig,
    offered: &[&str],
) -> Result<TlsStream<TcpStream>, Failure> {
    let mut config = config.clone();
    config.alpn_protocols = offered.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    timeout(PATIENCE, connect(door, sni, &config)).await.map_err(|_| Failure::timeout("no handshake in time"))?
}

pub(super) async fn connect(
    door: &Door,
    sni: Option<&str>,
    config: &ClientConfig,
) -> Result<TlsStream<TcpStream>, Failure> {
    let mut config = config.clone();
    config.enable_sni = sni.is_some();
    let name = ServerName::try_from(sni.unwrap_or("localhost").to_owned())
        .map_err(|error| Failure { kind: FailureKind::Tls, message: error.to_string() })?;
    let stream = door.connect().await.map_err(|error| Failure::of_chain(&error))?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let connected = door.pace().meter().handshakes().of(shaking).await;
    connected.map_err(|error| Failure::of_chain(&error))
}

/// Keeps the sessions of all names as those of one.
#[derive(Debug)]
struct OneForAll {
    sessions: ClientSessionMemoryCache,
    name: Option<ServerName<'static>>,
}

impl OneForAll {
    fn name(&self, other: ServerName<'static>) -> ServerName<'static> {
        self.name.clone().unwrap_or(other)
    }
}

impl ClientSessionStore for OneForAll {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.sessions.set_kx_hint(self.name(name), group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.sessions.kx_hint(&self.name(name.to_owned()))
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.sessions.set_tls12_session(self.name(name), value);
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.sessions.tls12_session(&self.name(name.to_owned()))
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.sessions.remove_tls12_session(&self.name(name.clone()));
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.sessions.insert_tls13_ticket(self.name(name), value);
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.sessions.take_tls13_ticket(&self.name(name.clone()))
    }
}

/// Believes everything, and remembers whether an OCSP answer came.
#[derive(Debug, Default)]
struct Recorder {
    stapled: std::sync::atomic::AtomicBool,
}

impl danger::ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<danger::ServerCertVerified, Error> {
        self.stapled.store(!ocsp_response.is_empty(), std::sync::atomic::Ordering::Relaxed);
        Ok(danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, Error> {
        Ok(danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, Error> {
        Ok(danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
