//! End-to-end: the program and the crate on real nginx and real Prometheus. One binary, a module by behaviour.

#![expect(clippy::print_stdout, reason = "a test that is skipped says why, and one at random what it drew")]

mod catalogue;
mod cleanup;
mod doctor;
mod engine;
mod environment;
mod fixture;
mod input;
mod isolation;
mod kills;
mod late;
mod library;
mod many;
mod matrix;
mod mirror;
mod modules;
mod moments;
mod panics;
mod probe;
mod prometheus;
mod readme;
mod remote;
mod running;
mod sandbox;
mod stage;
mod stubs;
mod support;
mod ubuntu;
mod upgrade;
mod world;
