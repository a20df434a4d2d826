//! A Prometheus that several Pods use: it runs in a Pod of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::host::Host;
use super::program::Program;
use crate::runtime::commons::Shareable;
use crate::runtime::error::RuntimeError;
use crate::runtime::program::{Program as AnyProgram, Role};
use crate::runtime::reach::Reach;
use crate::runtime::run::Run;
use crate::runtime::wait::Deadline;
use crate::runtime::{BOOT_TIME, ProgramPlan, serving};

/// What an answer may take that shows that it still runs.
const PATIENCE: Duration = Duration::from_secs(10);
/// Any answer will do.
const SIGN_OF_LIFE: &[u8] = b"HEAD / HTTP/1.0\r\n\r\n";

/// A Prometheus in a Pod of its own.
#[derive(Debug)]
pub(in crate::runtime) struct Common {
    program: Program,
    at: SocketAddr,
    // Dropped in this order: the host ends the Pod, then the run's janitor takes away the rest.
    host: Host,
    _run: Arc<Run>,
}

impl Common {
    /// Starts it, and waits until it serves.
    pub(in crate::runtime) async fn start(plan: &ProgramPlan, shareable: &Shareable) -> Result<Self, RuntimeError> {
        let run = Arc::new(Run::begin()?);
        let own = Some(shareable.at.ip()).filter(|own| !own.is_unspecified() && !own.is_loopback());
        let named = shareable.hosts.iter().map(|(_, address)| *address).filter(|address| !address.is_loopback());
        let mut addresses: Vec<IpAddr> = named.chain(own).collect();
        addresses.dedup();
        let host = Host::begin(&run, &addresses, &shareable.hosts, &[]).await?;
        let program = host.start(Role::Prometheus(0), plan).await?;
        serving::prometheus(AnyProgram::Sandbox(program.clone()), Deadline::after(BOOT_TIME)).await?;
        Ok(Self { program, at: shareable.at, host, _run: run })
    }

    /// How the harness gets to it.
    pub(in crate::runtime) fn reach(&self) -> Reach {
        self.host.passage(self.at)
    }

    /// What it has written so far.
    pub(in crate::runtime) fn log(&self) -> String {
        self.program.log()
    }

    /// The program, beside which others may be run with its files.
    pub(in crate::runtime) fn program(&self) -> &Program {
        &self.program
    }

    /// Whether it has ended.
    pub(in crate::runtime) fn has_ended(&self) -> bool {
        self.program.has_ended()
    }

    /// Whether it answers now, and so has run all the time.
    pub(in crate::runtime) async fn answers(&self) -> bool {
        let asking = async {
            let mut stream = self.reach().connect().await?;
            stream.write_all(SIGN_OF_LIFE).await?;
            stream.read_u8().await
        };
        !self.has_ended() && matches!(timeout(PATIENCE, asking).await, Ok(Ok(_)))
    }
}
