//! The harness's side of a Pod: its first process, and what it hands out.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use tokio::net::TcpSocket;
use tokio::task::spawn_blocking;

use super::group::Groups;
use super::guest;
use super::hints::explained;
use super::messages::{Answer, Begin, Keep, Launch, Order, Task};
use super::network::Ends;
use super::program::Program;
use super::relay::Relay;
use super::stage::Stage;
use super::wire::{Received, Wire};
use crate::runtime::ProgramPlan;
use crate::runtime::archive::archive;
use crate::runtime::error::RuntimeError;
use crate::runtime::pod::locked;
use crate::runtime::program::Role;
use crate::runtime::reach::{Reach, Sockets};
use crate::runtime::run::Run;
use crate::runtime::unfinished;

/// How many sockets are asked for at once.
const SOCKETS: usize = 16;

/// A Pod's namespaces. Dropping it ends all that runs in them.
#[derive(Debug)]
pub(in crate::runtime) struct Host {
    first: Arc<First>,
    /// Waits for the end of the keeper.
    keeper: Mutex<Option<JoinHandle<()>>>,
    ends: Ends,
    place: PathBuf,
    shared: Vec<String>,
    /// Removed when nothing is in it any more.
    groups: Mutex<Option<Groups>>,
}

/// The connection to the first process.
#[derive(Debug)]
struct First {
    wire: Mutex<Wire>,
    free: Mutex<Vec<OwnedFd>>,
    client: Ipv4Addr,
}

impl Host {
    /// Makes the namespaces and starts the first process in them.
    pub(super) async fn begin(
        run: &Arc<Run>,
        addresses: &[IpAddr],
        hosts: &[(String, IpAddr)],
        shared: &[String],
    ) -> Result<Self, RuntimeError> {
        let ends = Ends::apart_from(addresses);
        let own = [IpAddr::from(ends.pod), ends.client.into()].into_iter();
        let (run, shared) = (Arc::clone(run), shared.to_vec());
        let (addresses, hosts) = (own.chain(addresses.iter().copied()).collect(), hosts.to_vec());
        // Where nobody waits for it any more, the Pod ends before the run does, which waits for its end.
        let began = blocking(move || {
            let host = Self::begin_blocking(&run, ends, addresses, hosts, shared)?;
            Ok::<_, RuntimeError>((host, run))
        });
        began.await.map(|(host, _run)| host)
    }

    fn begin_blocking(
        run: &Run,
        ends: Ends,
        addresses: Vec<IpAddr>,
        hosts: Vec<(String, IpAddr)>,
        shared: Vec<String>,
    ) -> Result<Self, RuntimeError> {
        let place = run.directory()?.join("pod");
        fs::create_dir(&place).map_err(|error| RuntimeError::Directory { path: place.display().to_string(), error })?;
        let groups = Groups::create(run)?;
        let (wire, keeper) = keeper().map_err(failed("start the Pod's keeper"))?;
        let keep = Keep { groups: groups.doors() };
        let begin = Order::Begin(Begin { place: place.clone(), addresses, hosts, shared: shared.len() });
        let told = wire.send(&keep, &[], &[]).and_then(|()| wire.send(&begin, &[], &[]));
        let first = First { wire: Mutex::new(wire), free: Mutex::default(), client: ends.client };
        let host = Self {
            first: Arc::new(first),
            keeper: Mutex::new(Some(keeper)),
            ends,
            place,
            shared,
            groups: Mutex::new(Some(groups)),
        };
        // A keeper that could not make the namespaces has closed the connection, and said why before.
        let said = locked(&host.first.wire).receive::<Answer>();
        understood(said.map(|said| said.message).or_else(|error| told.and(Err(error))), "start the Pod")?;
        Ok(host)
    }

    /// How clients outside the Pod get to a TCP port of it.
    pub(in crate::runtime) fn reach(&self, port: u16) -> Reach {
        Reach::through(Arc::clone(&self.first) as _, SocketAddr::new(self.ends.pod.into(), port))
    }

    /// How the harness itself gets to a port of the Pod, or to one of its addresses: from wherever the kernel likes, which
    /// is quicker.
    pub(super) fn passage(&self, at: SocketAddr) -> Reach {
        let at = if at.ip().is_unspecified() { SocketAddr::new(self.ends.pod.into(), at.port()) } else { at };
        Reach::through(Arc::new(FromAnywhere(Arc::clone(&self.first))), at)
    }

    /// Passes on to a program of another Pod what comes to an address of this one.
    pub(super) async fn relay(&self, at: SocketAddr, to: Reach) -> Result<Relay, RuntimeError> {
        const DOING: &str = "listen in the Pod";
        let first = Arc::clone(&self.first);
        let listening = blocking(move || first.ask(&Order::Listen(at), &[], DOING)).await?.files.into_iter().next();
        let listening = listening.ok_or_else(|| failed(DOING)(io::ErrorKind::InvalidData.into()))?;
        Relay::start(listening, to).map_err(failed(DOING))
    }

    /// Starts a program.
    pub(in crate::runtime) async fn start(&self, role: Role, plan: &ProgramPlan) -> Result<Program, RuntimeError> {
        self.launch(self.plan(role, plan), plan, role.name()).await
    }

    /// How a program is launched in this Pod.
    pub(super) fn plan(&self, role: Role, plan: &ProgramPlan) -> Launch {
        let shared = match role {
            Role::Nginx | Role::Stubs => self.shared.clone(),
            Role::Prometheus(_) => Vec::new(),
        };
        super::boot::launch(role, plan, self.place.clone(), shared)
    }

    pub(super) async fn launch(
        &self,
        launch: Launch,
        plan: &ProgramPlan,
        name: &'static str,
    ) -> Result<Program, RuntimeError> {
        let files = archive(&plan.files, 0).map_err(failed(&format!("pack the files of {name}")))?;
        let (first, image) = (Arc::clone(&self.first), plan.image.clone());
        let (wire, output) = blocking(move || {
            let (wire, other) = Wire::pair().map_err(failed("connect to a launcher"))?;
            let (output, write) = io::pipe().map_err(failed("make a pipe"))?;
            first.ask(&Order::Launch, &[other.as_fd(), write.as_fd()], "start a launcher")?;
            drop((other, write));
            let said = wire.send(&Task::Begin(launch), &files, &[]).and_then(|()| wire.receive::<Answer>());
            match said.map(|said| said.message) {
                Ok(Answer::Failed { doing, reason }) if doing.starts_with("start ") => {
                    Err(RuntimeError::NoProgram { program: name, image, reason })
                }
                said => understood(said, &format!("start {name}")).map(|()| (wire, output)),
            }
        })
        .await?;
        Program::of(wire, output).map_err(failed(&format!("follow {name}")))
    }

    /// Lets names mean these addresses from now on, and no others any more.
    pub(in crate::runtime) async fn name_all(&self, hosts: &[(String, IpAddr)]) -> Result<(), RuntimeError> {
        self.first.ask(&Order::Names(hosts.to_vec()), &[], "change the Pod's names").map(|_| ())
    }

    /// A command of this machine that runs in the Pod's network, where these names mean the Pod.
    pub(in crate::runtime) fn inside(
        &self,
        words: &[OsString],
        names: &[String],
        hosts: &[(String, IpAddr)],
    ) -> Result<Command, RuntimeError> {
        let own = names.iter().map(|name| (name.clone(), IpAddr::from(self.ends.pod)));
        let others = hosts.iter().filter(|(name, _)| !names.contains(name)).cloned();
        let order = Order::LetIn(own.chain(others).collect());
        match self.first.ask(&order, &[], "let a program into the Pod")?.message {
            Answer::At(first) => Ok(guest::command(first, words)),
            _ => Err(failed("let a program into the Pod")(io::ErrorKind::InvalidData.into())),
        }
    }

    /// Ends all that runs in the Pod, and returns when it has ended.
    pub(in crate::runtime) async fn end(&self) -> Result<(), RuntimeError> {
        locked(&self.first.wire).close();
        let (keeper, groups) = (locked(&self.keeper).take(), locked(&self.groups).take());
        blocking(move || {
            wait_for(keeper);
            drop(groups);
            Ok(())
        })
        .await
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        locked(&self.first.wire).close();
        wait_for(locked(&self.keeper).take());
    }
}

fn wait_for(keeper: Option<JoinHandle<()>>) {
    if let Some(keeper) = keeper {
        // It does nothing that panics.
        let _ = keeper.join();
    }
}

impl First {
    fn ask(&self, order: &Order, files: &[BorrowedFd<'_>], doing: &str) -> Result<Received<Answer>, RuntimeError> {
        let wire = locked(&self.wire);
        let received = wire.send(order, &[], files).and_then(|()| wire.receive::<Answer>()).map_err(failed(doing))?;
        match received.message {
            Answer::Failed { doing, reason } => Err(explained(doing, &reason)),
            _ => Ok(received),
        }
    }

    fn socket(&self) -> io::Result<OwnedFd> {
        let mut free = locked(&self.free);
        if let Some(socket) = free.pop() {
            return Ok(socket);
        }
        *free = self.ask(&Order::Sockets(SOCKETS), &[], "open sockets").map_err(io::Error::other)?.files;
        free.pop().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Sockets for First {
    fn open(&self) -> io::Result<TcpSocket> {
        let socket = TcpSocket::from_std_stream(self.socket()?.into());
        socket.bind(SocketAddr::new(self.client.into(), 0))?;
        Ok(socket)
    }
}

/// The same network, without the address that clients come from.
#[derive(Debug)]
struct FromAnywhere(Arc<First>);

impl Sockets for FromAnywhere {
    fn open(&self) -> io::Result<TcpSocket> {
        Ok(TcpSocket::from_std_stream(self.0.socket()?.into()))
    }
}

/// Starts the keeper on a thread that ends with it: the kernel ends the keeper when that thread ends.
fn keeper() -> io::Result<(Wire, JoinHandle<()>)> {
    let (wire, other) = Wire::pair()?;
    let (started, has_started) = mpsc::channel();
    let thread = std::thread::Builder::new().name("pod".to_owned()).spawn(move || {
        let mut command = Stage::Keeper.command(other);
        // Ctrl-C is not for it.
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let spawned = command.spawn();
        drop(command);
        match spawned {
            Ok(mut child) => {
                let _ = started.send(Ok(()));
                let _ = child.wait();
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    })?;
    has_started.recv().map_err(io::Error::other)??;
    Ok((wire, thread))
}

/// What an answer comes to.
pub(super) fn understood(said: io::Result<Answer>, doing: &str) -> Result<(), RuntimeError> {
    match said {
        Ok(Answer::Failed { doing, reason }) => Err(explained(doing, &reason)),
        Ok(_) => Ok(()),
        Err(error) => Err(failed(doing)(error)),
    }
}

pub(super) fn failed(doing: &str) -> impl FnOnce(io::Error) -> RuntimeError {
    let doing = doing.to_owned();
    move |error| explained(doing, &error.to_string())
}

/// Runs what waits for another process of the Pod.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RuntimeError> + Send + 'static,
) -> Result<T, RuntimeError> {
    spawn_blocking(work).await.map_err(unfinished)?
}
