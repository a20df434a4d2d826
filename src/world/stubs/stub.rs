//! One stub: what it stands for, what it speaks, where it listens.

use std::fmt;
use std::net::SocketAddr;

/// What stands for an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stub {
    /// As the deployment speaks of it: `http://grafana:3000`.
    pub(crate) name: String,
    /// What it speaks.
    pub(crate) speaks: Speaks,
    /// Where it listens.
    pub(crate) at: Vec<Listener>,
    /// The paths at which it shows metrics.
    pub(crate) metrics: Vec<String>,
}

/// Where a stub listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(String),
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

/// What a stub speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// HTTP/1.
    Http,
    /// HTTP/1 over TLS.
    Https,
    /// gRPC.
    Grpc,
    /// gRPC over TLS.
    Grpcs,
    /// FastCGI, as php-fpm does.
    FastCgi,
    /// uwsgi.
    Uwsgi,
    /// SCGI.
    Scgi,
    /// The text protocol of memcached.
    Memcached,
    /// Whatever comes, by TCP or UDP.
    Tcp,
    /// Nothing of its own: connections are passed on to Prometheus, which listens elsewhere.
    Forward {
        /// Where.
        to: SocketAddr,
    },
}

impl Speaks {
    /// What an upstream of this scheme speaks.
    pub(super) fn of_scheme(scheme: &str) -> Self {
        match scheme {
            "https" => Self::Https,
            "grpc" => Self::Grpc,
            "grpcs" => Self::Grpcs,
            "fastcgi" => Self::FastCgi,
            "uwsgi" | "suwsgi" => Self::Uwsgi,
            "scgi" => Self::Scgi,
            "memcached" => Self::Memcached,
            "http" => Self::Http,
            _ => Self::Tcp,
        }
    }

    /// Whether TLS is spoken, always or as the client likes.
    pub(super) fn needs_certificate(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs | Self::Tcp)
    }

    /// The word for what is not nginx's to answer.
    pub(super) fn plain(self) -> Option<&'static str> {
        match self {
            Self::FastCgi => Some("fastcgi"),
            Self::Uwsgi => Some("uwsgi"),
            Self::Scgi => Some("scgi"),
            Self::Memcached => Some("memcached"),
            Self::Tcp => Some("tcp"),
            Self::Http | Self::Https | Self::Grpc | Self::Grpcs | Self::Forward { .. } => None,
        }
    }
}
