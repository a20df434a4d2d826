//! End-to-end: the program and the crate on real nginx and real Prometheus. One binary, a module by behaviour.

mod catalogue;
mod fixture;
mod isolation;
mod library;
mod readme;
mod remote;
mod support;
