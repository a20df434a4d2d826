//! The first process of a Pod: its end is the end of all the others.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{Signal, WaitOptions, set_parent_process_death_signal, waitpid};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use super::hints::MOUNT_PROC;
use super::messages::{Answer, Begin, Failed, Order, doing};
use super::wire::{Received, Wire};
use super::{launcher, names, network, stage};

/// What clients need of the Pod's settings and files, and what all its programs share: small things.
const SIZE: &std::ffi::CStr = c"size=16m,mode=0755";

pub(super) fn run(wire: &Wire) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let Order::Begin(plan) = wire.receive::<Order>()?.message else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    match begin(&plan) {
        Ok(()) => wire.send(&Answer::Done, &[], &[])?,
        Err(failed) => return wire.send(&Answer::from(failed), &[], &[]),
    }
    let pod = First { place: plan.place };
    // Until the harness has ended.
    while let Ok(order) = wire.receive::<Order>() {
        let (answer, files) = pod.follow(order).unwrap_or_else(|failed| (failed.into(), Vec::new()));
        let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        wire.send(&answer, &[], &files)?;
        // Launchers that have ended, and what has come down from them to the first process.
        while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
    }
    Ok(())
}

/// Where the text of `/etc/hosts` is.
pub(super) fn hosts_file(place: &Path) -> PathBuf {
    place.join("hosts")
}

/// Where the text of `/etc/resolv.conf` is.
pub(super) fn resolver_file(place: &Path) -> PathBuf {
    place.join("resolv.conf")
}

/// Where a directory is that programs share.
pub(super) fn shared_directory(place: &Path, number: usize) -> PathBuf {
    place.join(format!("shared-{number}"))
}

fn begin(plan: &Begin) -> Result<(), Failed> {
    let place = &plan.place;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(doing("keep the Pod's mounts to itself"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("tmpfs", place, "tmpfs", flags, SIZE).map_err(doing("mount a directory of memory"))?;
    try_proc(place).map_err(doing(MOUNT_PROC))?;
    rustix::system::sethostname(names::HOSTNAME.as_bytes()).map_err(doing("name the Pod"))?;
    network::begin(&plan.addresses).map_err(doing("make the Pod's network"))?;
    // As engines do. A kernel that does not know it lets nobody but root bind to low ports.
    let _ = fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    let written = doing("write the Pod's names");
    fs::write(hosts_file(place), names::hosts(&plan.hosts))
        .and_then(|()| fs::write(resolver_file(place), names::RESOLVER))
        .and_then(|()| (0..plan.shared).try_for_each(|number| fs::create_dir(shared_directory(place, number))))
        .map_err(written)
}

/// Whether programs can have a `/proc` of their own, without which nginx does not even find its log. They mount it where it
/// is too late to say why it failed.
fn try_proc(place: &Path) -> io::Result<()> {
    let at = place.join("proc");
    fs::create_dir(&at)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    mount("proc", &at, "proc", flags, None)?;
    rustix::mount::unmount(&at, rustix::mount::UnmountFlags::DETACH)?;
    fs::remove_dir(&at)
}

struct First {
    place: PathBuf,
}

impl First {
    fn follow(&self, order: Received<Order>) -> Result<(Answer, Vec<OwnedFd>), Failed> {
        let done = (Answer::Done, Vec::new());
        match order.message {
            Order::Begin(_) => Ok(done),
            Order::Sockets(count) => {
                let sockets = (0..count).map(|_| socket()).collect::<io::Result<_>>();
                Ok((Answer::Done, sockets.map_err(doing("open sockets"))?))
            }
            Order::Listen(at) => {
                let socket = network::listen(at).map_err(doing(format!("listen at {at} in the Pod")))?;
                Ok((Answer::Done, vec![socket]))
            }
            Order::Launch => launch(order.files).map(|()| done).map_err(doing("start a launcher")),
            Order::Names(hosts) => {
                // In place: programs see this very file.
                let file = hosts_file(&self.place);
                fs::write(file, names::hosts(&hosts)).map(|()| done).map_err(doing("change the Pod's names"))
            }
            Order::LetIn(hosts) => {
                let id = self.let_in(&hosts).map_err(doing("let a program into the Pod"))?;
                Ok((Answer::At(id), Vec::new()))
            }
        }
    }

    /// Whoever is let in sees the host's files, with the Pod's names.
    fn let_in(&self, hosts: &[(String, IpAddr)]) -> io::Result<u32> {
        let file = self.place.join("hosts-of-guests");
        fs::write(&file, names::hosts(hosts))?;
        mount_bind(&file, "/etc/hosts")?;
        // A machine without this file needs none.
        let _ = mount_bind(resolver_file(&self.place), "/etc/resolv.conf");
        // `/proc` is still the host's.
        let own = fs::read_link("/proc/self")?;
        own.to_string_lossy().parse().map_err(io::Error::other)
    }
}

/// Starts a launcher with its connection, and what its program writes to.
fn launch(files: Vec<OwnedFd>) -> io::Result<()> {
    let Ok([connection, output]) = <[OwnedFd; 2]>::try_from(files) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let launching = || {
        dup2_stdout(&output)?;
        dup2_stderr(&output)?;
        drop(output);
        stage::keep_only(&connection)?;
        launcher::run(&Wire::of(connection))
    };
    stage::fork(c"pod-launcher", launching).map(|_| ())
}

fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?)
}
