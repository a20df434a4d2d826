//! The authorities that this machine trusts, as its other programs do.

use std::fmt::Write;

use base64::Engine;
use rustls::pki_types::CertificateDer;

/// The certificates of these authorities: those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, else the system's.
pub(crate) fn system_roots() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// The same as one text in PEM form.
pub(in super::super) fn system_trust() -> String {
    pem(&system_roots())
}

/// RFC 7468.
fn pem(certificates: &[CertificateDer<'_>]) -> String {
    const LINE: usize = 64;
    let mut text = String::new();
    for certificate in certificates {
        let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(LINE) {
            // Writing to a String can't fail, and Base64 is ASCII.
            let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Authority;
    use super::*;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn what_is_written_is_read_again() {
        let own = Authority::new().unwrap().certificate();
        let read = |text: &str| CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::unwrap).collect::<Vec<_>>();
        let certificates = [read(&own), read(&own)].concat();
        assert_eq!(read(&pem(&certificates)), certificates);
    }
}
