//! A host and a port.

use std::fmt;
use std::str::FromStr;

/// A host and a port, written `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an address; an IPv6 address is without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What was given is no `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST:PORT. Write it like localhost:9090, or [::1]:9090 for an IPv6 address")]
pub struct HostPortError(String);

impl HostPort {
    /// Reads `HOST` or `HOST:PORT`.
    pub(super) fn with_default_port(text: &str, default: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        let valid = !host.is_empty() && !host.contains(['/', '$', '{', ' ']);
        valid.then(|| Self { host: host.to_owned(), port })
    }

    /// Whether both mean the same, whatever the case of the name.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Port 0 stands for none: nobody can be asked there.
        let parsed = Self::with_default_port(text, 0).filter(|parsed| parsed.port != 0);
        parsed.ok_or_else(|| HostPortError(text.to_owned()))
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in ["localhost:9090", "[::1]:9090", "10.0.0.1:80"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        for text in ["localhost", ":9090", "a:b", "http://a:1", "a:70000", ""] {
            assert!(text.parse::<HostPort>().unwrap_err().to_string().contains("is not HOST:PORT"));
        }
    }
}
