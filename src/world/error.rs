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
    /// No RSA key can be made.
    #[error("no RSA key can be made: {0}; give the certificate and its key beside the configuration")]
    RsaKey(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for keys: {0}; look at the limits of its sandbox")]
    Random(String),
}
