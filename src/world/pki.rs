//! Certificates as a careful operator has them: one CA, and a leaf for each server with all its names.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use super::WorldError;

/// A certificate authority that exists in memory, for one Lab.
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both PEM.
pub(crate) struct Leaf {
    /// The leaf; its issuer is the root that clients have, so nothing stands between.
    pub(crate) certificate: String,
    /// Its private key.
    pub(crate) key: String,
}

impl Authority {
    /// A new authority with a key of its own.
    pub(crate) fn new() -> Result<Self, WorldError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "proxyproof CA of one run");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        // Some clients reject a CA without keyUsage (RFC 5280, section 4.2.1.3).
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid_for_years(&mut params);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// The root certificate that clients trust, PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A server certificate for all of these names.
    pub(crate) fn issue(&self, names: &[String]) -> Result<Leaf, WorldError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        if let Some(name) = names.first() {
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid_for_years(&mut params);
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Leaf { certificate, key: key.serialize_pem() })
    }
}

/// Fixed dates, so that no run depends on the day: the checks of dates look at the deployment's own certificates.
fn valid_for_years(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
}

#[cfg(test)]
mod tests {
    use x509_parser::pem::parse_x509_pem;

    use super::*;

    #[test]
    fn a_leaf_is_what_strict_clients_want() {
        let authority = Authority::new().expect("an authority");
        let names = ["example.com".to_owned(), "*.example.org".to_owned()];
        let leaf = authority.issue(&names).expect("a leaf");
        let (_, pem) = parse_x509_pem(leaf.certificate.as_bytes()).expect("PEM");
        let certificate = pem.parse_x509().expect("X.509");
        assert!(!certificate.is_ca());
        let alternative = certificate.subject_alternative_name().expect("parses").expect("is there");
        assert_eq!(alternative.value.general_names.len(), 2);
        let (_, root) = parse_x509_pem(authority.certificate().as_bytes()).expect("PEM");
        let root = root.parse_x509().expect("X.509");
        certificate.verify_signature(Some(root.public_key())).expect("signed by the authority");
    }
}
