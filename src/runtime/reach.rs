//! How clients outside a Pod get to a TCP port of it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpSocket, TcpStream};

/// Sockets that see another network than this process does.
pub(crate) trait Sockets: fmt::Debug + Send + Sync {
    /// A TCP socket that is not connected yet.
    fn open(&self) -> io::Result<TcpSocket>;
}

/// Where clients connect to, and with which sockets.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    address: SocketAddr,
    sockets: Option<Arc<dyn Sockets>>,
}

impl Reach {
    /// An address in the network of this process.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, sockets: None }
    }

    /// An address in the network that these sockets see.
    pub(crate) fn through(sockets: Arc<dyn Sockets>, address: SocketAddr) -> Self {
        Self { address, sockets: Some(sockets) }
    }

    /// The address, if this process can connect to it without further ado.
    pub(crate) fn own_address(&self) -> Option<SocketAddr> {
        self.sockets.is_none().then_some(self.address)
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        match &self.sockets {
            None => TcpStream::connect(self.address).await,
            Some(sockets) => sockets.open()?.connect(self.address).await,
        }
    }
}
