//! Why a deployment that runs can't be probed.

use super::target::WrongUrl;

/// Why a deployment that runs can't be probed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Not the URL of a Prometheus behind TLS.
    #[error("`{url}` can't be probed: {wrong}")]
    Url {
        /// The URL as it was given.
        url: String,
        /// What is wrong with it, and what to write instead.
        wrong: WrongUrl,
    },
    /// Not what `--resolve` takes.
    #[error("`{text}` is not HOST:PORT:ADDRESS, as in example.com:443:192.0.2.1 or example.com:443:[::1]")]
    Resolve {
        /// The text as it was given.
        text: String,
    },
    /// No name server knows the name.
    #[error(
        "nothing to probe: {host} has no address: {cause}. Check the name, or say where it is: --resolve {host}:{port}:ADDRESS"
    )]
    NoAddress {
        /// The name.
        host: String,
        /// The port of the URL.
        port: u16,
        /// What the system says.
        cause: String,
    },
    /// Nobody listens.
    #[error(
        "nothing to probe: nothing answers for {host}. Tried {tried}. Check that it runs, and that this machine may connect to it"
    )]
    NoAnswer {
        /// The name.
        host: String,
        /// Every address with what came of it.
        tried: String,
    },
    /// Nothing to verify certificates with.
    #[error(
        "this machine has no certificates of authorities, so that no certificate can be verified. Install them (on Debian the package ca-certificates), or name the one that clients trust: --cacert FILE"
    )]
    NoAuthorities,
}

impl ProbeError {
    /// 2 for a wrong call, 3 for what is not to be had from here.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Url { .. } | Self::Resolve { .. } => 2,
            Self::NoAddress { .. } | Self::NoAnswer { .. } | Self::NoAuthorities => 3,
        }
    }
}
