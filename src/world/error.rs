//! Why a World could not be made.

/// Why a World could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// No certificate can be made for what the configuration names.
    #[error(
        "no certificate can be made for the deployment's server names: {0}; give the certificate and its key beside the configuration"
    )]
    Certificate(#[from] rcgen::Error),
    /// No password of ours can be put into a file of Prometheus's.
    #[error("the user of this run can't be added to Prometheus's own: {0}; give another password")]
    Password(String),
}
