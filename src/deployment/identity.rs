//! The certificate that clients of the deployment show, where it is given.

use std::path::Path;

use super::{DeploymentError, Options, read};

/// The first line of a certificate in PEM form.
pub(super) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// What a client shows to a server that asks for its certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Its certificate, and what stands between that and its CA, PEM.
    pub certificate: String,
    /// The key, PEM.
    pub key: String,
}

impl ClientIdentity {
    pub(super) fn load(options: &Options) -> Result<Option<Self>, DeploymentError> {
        let (certificate, key) = match (&options.client_cert, &options.client_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err(DeploymentError::HalfAnIdentity),
        };
        let identity = Self {
            certificate: holding(certificate, "certificate", "CERTIFICATE", |text| text.contains(CERTIFICATE))?,
            key: holding(key, "private key", "PRIVATE KEY", |text| text.contains("PRIVATE KEY-----"))?,
        };
        Ok(Some(identity))
    }
}

fn holding(
    path: &Path,
    wanted: &'static str,
    label: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<String, DeploymentError> {
    let text = read::text(path)?;
    match fits(&text) {
        true => Ok(text),
        false => Err(DeploymentError::NotAnIdentity { path: path.to_owned(), wanted, label }),
    }
}

/// The key is not shown.
impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::Files;

    #[test]
    fn an_identity_is_both_halves_or_none() {
        let files = Files::of(&[("c", CERTIFICATE), ("k", "-----BEGIN EC PRIVATE KEY-----"), ("x", "nothing")]);
        let options = |certificate: Option<&str>, key: Option<&str>| Options {
            client_cert: certificate.map(|name| files.path(name)),
            client_key: key.map(|name| files.path(name)),
            ..Options::default()
        };
        assert!(ClientIdentity::load(&options(None, None)).unwrap().is_none());
        assert!(ClientIdentity::load(&options(Some("c"), Some("k"))).unwrap().is_some());
        for (certificate, key, expected) in [
            (Some("c"), None, "Give both"),
            (Some("x"), Some("k"), "no certificate in PEM form"),
            (Some("c"), Some("x"), "no private key in PEM form"),
        ] {
            let message = ClientIdentity::load(&options(certificate, key)).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
