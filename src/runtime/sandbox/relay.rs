//! Passes connections on from a socket that listens in one Pod to a program in another.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::runtime::reach::Reach;

/// How many connections are passed on at once; the rest wait to be taken, as they do at Prometheus's own limit. All who
/// may share one (8) stay together below that (512).
const MOST: usize = 60;
/// How long to wait when this process has no more files to open, until some are closed.
const BREATH: Duration = Duration::from_millis(10);

/// A relay that runs. Dropping it closes its socket and its connections.
#[derive(Debug)]
pub(in crate::runtime) struct Relay {
    _serving: JoinSet<()>,
}

impl Relay {
    /// Passes on what comes to a socket that listens.
    pub(super) fn start(listener: OwnedFd, to: Reach) -> io::Result<Self> {
        let listener = TcpListener::from_std(StdTcpListener::from(listener))?;
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, to));
        Ok(Self { _serving: serving })
    }
}

async fn serve(listener: TcpListener, to: Reach) {
    let mut connections = JoinSet::new();
    let mut breaths = interval(BREATH);
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MOST {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((client, _)) => drop(connections.spawn(pass_on(client, to.clone()))),
            Err(_) => drop(breaths.tick().await),
        }
    }
}

/// A client whose connection leads nowhere sees it closed. What one side ends, the other side sees ended.
async fn pass_on(mut client: TcpStream, to: Reach) {
    let Ok(mut server) = to.connect().await else { return };
    let no_delay = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    if no_delay.is_ok() {
        // Who breaks a connection off has had what it wanted of it.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Answers with how many bytes came, once the client has ended its side.
    async fn count(listener: TcpListener) {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut all = Vec::new();
                client.read_to_end(&mut all).await.expect("read");
                client.write_all(all.len().to_string().as_bytes()).await.expect("written");
            });
        }
    }

    #[tokio::test]
    async fn a_client_that_has_ended_its_side_still_gets_the_answer_and_those_in_excess_wait() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let to = Reach::at(server.local_addr().expect("an address"));
        tokio::spawn(count(server));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        listener.set_nonblocking(true).expect("set");
        let at = listener.local_addr().expect("an address");
        let relay = Relay::start(listener.into(), to).expect("started");
        let mut clients = Vec::new();
        for _ in 0..MOST + 20 {
            clients.push(TcpStream::connect(at).await.expect("connected"));
        }
        for mut client in clients {
            client.write_all(&[7; 100_000]).await.expect("written");
            client.shutdown().await.expect("ended");
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.expect("read");
            assert_eq!(answer, "100000");
        }
        drop(relay);
    }
}
