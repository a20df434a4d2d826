//! End-to-end: the program and the crate on real nginx and real Prometheus. One binary, a module by behaviour.

mod catalogue;
mod fixture;
mod isolation;
mod library;
mod readme;
mod cleanup;
mod doctor;
mod kills;
mod moments;
mod panics;
mod remote;
mod stage;
mod support;
