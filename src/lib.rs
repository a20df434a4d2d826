//! Proves that a TLS reverse proxy in front of Prometheus does its job.
//!
//! A [`Deployment`] is loaded from an `nginx.conf`, unmodified. Booted, it is a [`Lab`]: real nginx and real Prometheus
//! in containers or namespaces, with certificates and names made up around them, reached by verified TLS at the public
//! name.
//!
//! ```no_run
//! # async fn example() -> proxyproof::Result<()> {
//! let lab = proxyproof::Deployment::load("deploy/nginx.conf")?.boot().await?;
//! let metrics = lab.get("/prometheus/metrics").await?; // verified TLS, the public name, port 443
//! assert_eq!(metrics.status(), 200);
//! lab.check().await?.assert_passed(); // the whole catalogue; panics with the text report
//! # Ok(())
//! # }
//! ```
//!
//! A deployment that already runs is asked from outside by a [`Probe`], which boots nothing.

mod batch;
mod check;
pub mod deployment;
mod doctor;
mod error;
mod finding;
mod lab;
mod location;
pub mod matrix;
pub mod observation;
mod observe;
mod probe;
pub mod report;
mod runtime;
pub mod source;
pub mod upgrade;
mod world;

pub use batch::{Batch, BatchOptions, Ended};
pub use check::{CATALOGUE, Check, CheckId, CheckResult, Outcome, Selection, UnknownCheck, View};
pub use deployment::Deployment;
pub use doctor::{Diagnosis, Doctor};
pub use error::{Error, Result};
pub use finding::{Edit, EditAction, Finding, Fix, Level};
pub use lab::{BootOptions, Kept, Lab, Received, RunningNginx, RunningPrometheus};
pub use location::Location;
pub use observation::Observation;
pub use probe::{Probe, ProbeError, ProbeOptions, Resolve, WrongUrl};
pub use report::Report;
pub use runtime::{Commons, CommonsStatistics, Runtime, RuntimeError, all_gone};
pub use world::{Substitution, SubstitutionKind, WorldError};
