//! What was made up so that a deployment can run away from home. Never silent: each is in the report.

use serde::{Deserialize, Serialize};

use crate::deployment::{Made, MadeKind};
use crate::location::Location;

/// Something that the World put in place of what the deployment names and does not bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The certificate of an authority that the deployment trusts.
    Ca,
    /// A file of users and passwords.
    PasswordFile,
    /// A program behind nginx that is no Prometheus.
    Upstream,
    /// A DNS server.
    Resolver,
    /// Another file of the deployment.
    File,
    /// A directory that nginx reads from or writes to.
    Directory,
    /// A log, which goes to the harness.
    Log,
    /// Whom nginx's workers run as.
    User,
    /// The flags that Prometheus runs with.
    PrometheusFlags,
    /// Prometheus's own configuration.
    PrometheusConfig,
    /// What Prometheus would connect to.
    Target,
    /// The nginx.conf around a fragment, or a directive in it.
    Configuration,
    /// A file that the configuration includes.
    Include,
    /// A placeholder of a template.
    Placeholder,
}

impl From<&Made> for Substitution {
    fn from(made: &Made) -> Self {
        let kind = match made.kind {
            MadeKind::Configuration => SubstitutionKind::Configuration,
            MadeKind::Include => SubstitutionKind::Include,
            MadeKind::Placeholder => SubstitutionKind::Placeholder,
        };
        Self { kind, what: made.what.clone(), by: made.by.clone(), location: made.location.clone() }
    }
}
