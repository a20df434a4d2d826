//! The sandbox runtime: a Pod of Linux namespaces, with no daemon.
//!
//! This very program is run once more, before its `main`, as the janitor is. That process is the first of these, and the
//! others are copies of it:
//!
//! 1. the *keeper* makes the Pod's namespaces (network, processes, mounts, names; of users too where it is not root) and
//!    starts the first process in them;
//! 2. the *first process* gives the Pod its addresses and names, hands sockets of the Pod's network to the harness, and
//!    starts launchers. When the harness ends, however it ends, the kernel closes their connection, the first process
//!    ends, and with it the kernel ends everything in the Pod;
//! 3. a *launcher* for each program: it builds the program's file system (the release's root, read-only, below a layer
//!    of memory), puts its files there, locks it in, and does to it what the harness asks for.
//!
//! Nothing of a Pod is on the host but an empty directory and, where the harness is root, a control group; the janitor
//! knows of both.

mod boot;
mod common;
mod confine;
mod first;
mod group;
mod guest;
mod hints;
mod host;
mod keeper;
mod launcher;
mod messages;
mod names;
mod network;
mod program;
mod relay;
mod seccomp;
mod stage;
mod tree;
mod wire;

pub(crate) use boot::boot;
pub(in crate::runtime) use common::Common;
pub(crate) use group::groups_of_dead_runs;
pub(crate) use hints::examine;
pub(in crate::runtime) use host::Host;
pub(in crate::runtime) use program::Program;
pub(in crate::runtime) use relay::Relay;
