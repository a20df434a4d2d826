//! Connections of a client that finds the public name in the Pod, by the port that a URL names, wherever that port is.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use super::door::Door;

/// Connects to where the ports of the public name are.
#[derive(Clone)]
pub(super) struct Connector {
    /// Where each port of a URL is.
    doors: Arc<[(u16, Door)]>,
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(doors: Vec<(u16, Door)>, tls: &ClientConfig) -> Self {
        Self { doors: doors.into(), tls: TlsConnector::from(Arc::new(tls.clone())) }
    }

    async fn connect(self, uri: http::Uri) -> io::Result<TokioIo<Stream>> {
        let url = Url::parse(&uri.to_string()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let port = url.port_or_known_default();
        let door = self.doors.iter().find(|(own, _)| Some(*own) == port);
        // A port that the deployment does not have is closed to this client too.
        let (_, door) = door.ok_or(io::ErrorKind::ConnectionRefused)?;
        door.moment().await;
        let stream = door.connect().await?;
        if url.scheme() != "https" {
            return Ok(TokioIo::new(Stream(Box::new(stream))));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let shaking = self.tls.connect(name, stream);
        Ok(TokioIo::new(Stream(Box::new(door.pace().meter().handshakes().of(shaking).await?))))
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("doors", &self.doors).finish_non_exhaustive()
    }
}

impl tower_service::Service<http::Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection, encrypted or not.
pub(super) struct Stream(Box<dyn Bytes>);

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
