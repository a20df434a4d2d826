//! What was made up so that a deployment can run away from home. Never silent: each is in the report.

use serde::Serialize;

use crate::location::Location;

/// Something that the World put in place of what the deployment names and does not bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Substitution {
    /// The kind of thing.
    pub kind: SubstitutionKind,
    /// What the deployment names: a path, a host, a flag.
    pub what: String,
    /// What stands in for it.
    pub by: String,
    /// The line that names it.
    pub location: Option<Location>,
}

/// The kinds of substitutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubstitutionKind {
    /// A certificate, made for the server's names.
    Certificate,
    /// A private key, made with its certificate.
    Key,
    /// A host name or address that means the Pod itself.
    Host,
    /// A module of nginx, from a package.
    Module,
    /// A file of the deployment.
    File,
    /// The flags that Prometheus runs with.
    PrometheusFlags,
    /// Prometheus's own configuration.
    PrometheusConfig,
}
