//! What the clients of a route know, and how they come to it.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::door::Pace;
use crate::world::Way;

/// What the clients of a route know, and how they come to it.
#[derive(Debug)]
pub(crate) struct Client {
    /// The port that they come to.
    pub(crate) way: Way,
    /// The authorities that they trust.
    pub(crate) trust: Vec<CertificateDer<'static>>,
    /// Their name and password.
    pub(crate) credentials: Option<(String, String)>,
    /// Their certificate and its key, PEM.
    pub(crate) identity: Option<(String, String)>,
    /// Those of a client whom the deployment does not know.
    pub(crate) stranger: Option<(String, String)>,
    /// How often they ask.
    pub(crate) pace: Pace,
}

/// The certificates of a text in PEM form; what can't be parsed is left out.
pub(crate) fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect()
}
