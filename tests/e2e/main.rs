//! End-to-end: the program and the crate on real nginx and real Prometheus. One binary, a module by behaviour.

mod catalogue;
mod cleanup;
mod doctor;
mod fixture;
mod isolation;
mod kills;
mod library;
mod moments;
mod panics;
mod readme;
mod remote;
mod stage;
mod support;
