//! Verifies a server's certificate as curl with OpenSSL and `--cacert` does.
//!
//! rustls follows webpki, which refuses a certificate with `CA:TRUE` as a server's own, such as every one that
//! `openssl req -x509` makes. curl accepts it when it is trusted itself or issued by who is trusted. Whatever webpki
//! accepts is accepted; what it refuses is looked at again by OpenSSL's rules.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

/// How long a chain may be: OpenSSL's default is 100, real ones have three.
const LONGEST_CHAIN: usize = 10;

/// What a client does about certificates.
#[derive(Debug)]
pub(crate) struct CurlVerifier {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
    insecure: bool,
}

impl CurlVerifier {
    /// Trusts these certificates, as `curl --cacert` does.
    pub(crate) fn trusting(roots: &[CertificateDer<'static>]) -> Result<Self, Error> {
        let roots = roots.to_vec();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { webpki, roots, insecure: false })
    }

    /// Believes everything, as `curl -k` does.
    pub(crate) fn insecure(self) -> Self {
        Self { insecure: true, ..self }
    }
}

impl ServerCertVerifier for CurlVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.insecure {
            return Ok(ServerCertVerified::assertion());
        }
        let strict = self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        strict.or_else(|refusal| {
            as_openssl(end_entity, intermediates, &self.roots, &server_name.to_str(), now)
                .map(|()| ServerCertVerified::assertion())
                .map_err(|reason| reason.map_or(refusal, Error::General))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// OpenSSL's rules, as far as they are milder than webpki's. `None` means that webpki's own reason stands.
fn as_openssl(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &[CertificateDer<'_>],
    name: &str,
    now: UnixTime,
) -> Result<(), Option<String>> {
    let now = ASN1Time::from_timestamp(now.as_secs().cast_signed()).map_err(|_| None)?;
    let parsed = parse(leaf).ok_or_else(|| Some("the certificate can't be parsed".to_owned()))?;
    if !parsed.validity().is_valid_at(now) {
        let validity = parsed.validity();
        return Err(Some(format!(
            "the certificate is valid from {} to {} only",
            validity.not_before, validity.not_after
        )));
    }
    if !is_named(&parsed, name) {
        return Err(Some(format!("the certificate is not for {name} but for {}", names(&parsed).join(", "))));
    }
    let mut current = parsed;
    let mut der: &[u8] = leaf;
    for _ in 0..LONGEST_CHAIN {
        if roots.iter().any(|root| root.as_ref() == der) {
            return Ok(());
        }
        let issuer = roots.iter().chain(intermediates).find_map(|candidate| {
            let issuer = parse(candidate)?;
            let fits = issuer.is_ca()
                && issuer.subject() == current.issuer()
                && candidate.as_ref() != der
                && issuer.validity().is_valid_at(now)
                && current.verify_signature(Some(issuer.public_key())).is_ok();
            fits.then_some((candidate.as_ref(), issuer))
        });
        let Some((next, issuer)) = issuer else {
            return Err(Some(no_issuer(&current)));
        };
        (der, current) = (next, issuer);
    }
    Err(None)
}

fn no_issuer(certificate: &X509Certificate<'_>) -> String {
    let (subject, issuer) = (certificate.subject(), certificate.issuer());
    if subject == issuer {
        format!("the certificate of {subject} is signed by itself, and clients do not trust it")
    } else {
        format!("the certificate of {subject} is signed by {issuer}, and no valid one of that is sent or trusted")
    }
}

/// Whether one certificate is signed by the key of another, and that one may sign.
pub(super) fn is_signed_by(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    issuer.subject() == certificate.issuer() && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

/// RFC 6125 as curl does it: the DNS names of the SAN, and the common name where there is no SAN.
fn is_named(certificate: &X509Certificate<'_>, name: &str) -> bool {
    names(certificate).iter().any(|pattern| match pattern.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => pattern.eq_ignore_ascii_case(name),
    })
}

/// The names that a certificate is for.
pub(super) fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        let names = alternative.value.general_names.iter();
        return names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
            .collect();
    }
    let common = certificate.subject().iter_common_name();
    common.filter_map(|name| name.as_str().ok().map(str::to_owned)).collect()
}
