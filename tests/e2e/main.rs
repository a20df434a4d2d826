//! End-to-end: the program and the crate on real nginx and real Prometheus. One binary, a module by behaviour.

mod cleanup;
mod doctor;
mod isolation;
mod kills;
mod moments;
mod panics;
mod remote;
mod stage;
mod support;
