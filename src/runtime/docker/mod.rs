//! The docker runtime: a Pod of real containers.
//!
//! A Pod is three containers in one network and one PID namespace:
//!
//! 1. the *lifeline*, a shell that takes the way out of the network, and then `cat`, reading what this process never
//!    writes. When this process ends, however it ends, the stream closes, `cat` ends as the first process of the PID
//!    namespace, and the kernel ends everything else in it;
//! 2. nginx and 3. Prometheus, unprivileged, limited, removed by the engine when they end.

mod boot;
mod container;
mod engine;
mod image;
mod lifeline;
mod network;
mod program;
pub(crate) mod sweep;

pub(in crate::runtime) use boot::Host;
pub(crate) use boot::boot;
pub(crate) use engine::Engine;
pub(in crate::runtime) use program::Program;
