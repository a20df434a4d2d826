//! Ways into a Pod for clients that can only connect within this machine's own network.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio::time::interval;

use super::reach::Reach;

/// How long to wait when this process has no more files to open, until some are closed.
const BREATH: Duration = Duration::from_millis(10);

/// Ways into a Pod, which close when this is dropped.
#[derive(Clone, Default)]
pub(crate) struct Entrances(Arc<Mutex<JoinSet<()>>>);

impl fmt::Debug for Entrances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrances").finish_non_exhaustive()
    }
}

impl Entrances {
    /// Where any client of this machine gets to a port of a Pod: its own address, or a free port of loopback.
    pub(crate) async fn address_of(&self, reach: Reach) -> io::Result<SocketAddr> {
        if let Some(address) = reach.own_address() {
            return Ok(address);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        self.serve(reach, move |context| listener.poll_accept(context).map_ok(|(client, _)| client));
        Ok(address)
    }

    /// Lets clients in by a socket of this path.
    pub(crate) fn open_at(&self, path: &Path, reach: Reach) -> io::Result<()> {
        let listener = UnixListener::bind(path)?;
        self.serve(reach, move |context| listener.poll_accept(context).map_ok(|(client, _)| client));
        Ok(())
    }

    fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        reach: Reach,
        mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<S>> + Send + 'static,
    ) {
        let serving = async move {
            let mut breaths = interval(BREATH);
            loop {
                match poll_fn(&mut accept).await {
                    Ok(client) => pass_on(client, &reach),
                    Err(_) => drop(breaths.tick().await),
                }
            }
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(serving);
    }
}

/// A client whose connection leads nowhere sees it closed.
fn pass_on(mut client: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, reach: &Reach) {
    let reach = reach.clone();
    tokio::spawn(async move {
        if let Ok(mut server) = reach.connect().await {
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
}
