//! Why a client got no answer. It is an observation, not an error of the harness.

use std::error::Error;
use std::fmt;

/// Why a client got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// At which step.
    pub(crate) kind: FailureKind,
    /// What the client's library says.
    pub(crate) message: String,
}

/// The step at which a client failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Nothing listens there.
    Refused,
    /// The server speaks TLS, and the handshake failed.
    Tls,
    /// What came back is no TLS.
    NotTls,
    /// No answer in time.
    Timeout,
    /// The connection broke, or the answer is no HTTP.
    Broken,
}

impl Failure {
    /// Something that did not come in time.
    pub(crate) fn timeout(message: &str) -> Self {
        Self { kind: FailureKind::Timeout, message: message.to_owned() }
    }

    /// What a chain of errors says: its innermost message is the one that tells.
    pub(crate) fn of_chain(error: &(dyn Error + 'static)) -> Self {
        let mut kind = FailureKind::Broken;
        let mut cause = error;
        loop {
            if let Some(tls) = find_tls(cause) {
                return Self::from(tls);
            }
            if let Some(io) = cause.downcast_ref::<std::io::Error>()
                && io.kind() == std::io::ErrorKind::ConnectionRefused
            {
                kind = FailureKind::Refused;
            }
            match cause.source() {
                Some(source) => cause = source,
                None => return Self { kind, message: cause.to_string() },
            }
        }
    }
}

/// rustls's error may be hidden in an I/O error, or in one within another: their `source` skips what they hold.
fn find_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.downcast_ref::<rustls::Error>().or_else(|| inner.and_then(|inner| find_tls(inner)))
}

impl From<&rustls::Error> for Failure {
    fn from(error: &rustls::Error) -> Self {
        let kind = match error {
            rustls::Error::InvalidMessage(_) => FailureKind::NotTls,
            _ => FailureKind::Tls,
        };
        let message = match error {
            // Our own words, without "unexpected error" before them.
            rustls::Error::General(message) => message.clone(),
            _ => error.to_string(),
        };
        Self { kind, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.kind {
            FailureKind::Refused => "the connection was refused",
            FailureKind::Tls => "the TLS handshake failed",
            FailureKind::NotTls => "what came back is no TLS",
            FailureKind::Timeout => "nothing came",
            FailureKind::Broken => "the connection broke",
        };
        write!(f, "{step}: {}", self.message)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn tls_is_found_in_errors_within_errors() {
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::UnrecognisedName);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, alert));
        assert_eq!(Failure::of_chain(&error).kind, FailureKind::Tls);
    }

    #[test]
    fn what_is_no_tls_is_told_from_a_handshake_that_failed() {
        let plain = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert_eq!(Failure::of_chain(&io::Error::other(plain)).kind, FailureKind::NotTls);
    }
}
