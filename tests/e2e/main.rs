//! End-to-end: the program and the crate on real nginx and real Prometheus. One binary, a module by behaviour.

mod isolation;
mod remote;
mod support;
