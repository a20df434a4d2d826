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
    /// No RSA key can be made.
    #[error("no RSA key can be made: {0}; give the certificate and its key beside the configuration")]
    RsaKey(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for keys: {0}; look at the limits of its sandbox")]
    Random(String),
    /// nginx and Prometheus both want a port of the same address.
    #[error(
        "port {port} of {address} is needed twice: nginx listens on it ({listen}), and looks for Prometheus there ({prometheus}); \
         let one of them have another port, or give Prometheus's host a name in place of its address"
    )]
    PortTwice {
        /// The port.
        port: u16,
        /// The address in the Pod.
        address: std::net::IpAddr,
        /// nginx's `listen`.
        listen: crate::location::Location,
        /// The `proxy_pass` that leads to Prometheus.
        prometheus: crate::location::Location,
    },
}
