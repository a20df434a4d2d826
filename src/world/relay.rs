//! Listeners of the Pod that pass connections on to nginx, for clients that can't come the plain way.

use std::net::IpAddr;

/// A TCP port of the Pod whose connections arrive at nginx by another way than the client itself could take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relay {
    /// Where clients connect, on every address of the Pod.
    pub(crate) port: u16,
    /// What they get to: `127.0.0.1:8443`, `[::1]:443` or `unix:/run/nginx.sock`.
    pub(crate) to: String,
    /// The address that nginx shall take for the client's.
    pub(crate) client: Option<IpAddr>,
    /// Whether the PROXY protocol is spoken to nginx; the header names `client`.
    pub(crate) proxy_protocol: bool,
    /// With the PROXY protocol, the address from which the connection itself comes.
    pub(crate) peer: Option<IpAddr>,
}
