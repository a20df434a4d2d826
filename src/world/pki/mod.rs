//! Certificates as a careful operator has them: a root that is trusted, an intermediate that issues, and a leaf for each
//! server with all its names. Another authority is for clients, so that no server's certificate passes for a client's.

mod ciphers;
mod fixed;
mod key;
mod system;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};

use super::WorldError;
pub(super) use ciphers::need_rsa;
pub(super) use fixed::{DHPARAM, OCSP_RESPONSE};
pub(crate) use key::Algorithm;
pub(super) use key::{TICKET_KEY_BYTES, random};
pub(crate) use system::system_roots;
pub(super) use system::system_trust;

/// X.520's `ub-common-name`.
const LONGEST_COMMON_NAME: usize = 64;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A certificate authority that exists in memory, for one Lab.
pub(crate) struct Authority {
    root: Issuer,
    intermediate: Issuer,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A certificate with its key, both PEM.
pub(crate) struct Leaf {
    /// The leaf and behind it the intermediate that issued it, as a server shows them.
    pub(crate) certificate: String,
    /// Its private key.
    pub(crate) key: String,
}

impl Leaf {
    /// What a client shows with it.
    pub(crate) fn into_identity(self) -> (String, String) {
        (self.certificate, self.key)
    }
}

impl Authority {
    /// A new authority with keys of its own.
    pub(crate) fn new() -> Result<Self, WorldError> {
        let root = Issuer::self_signed(ca("proxyproof CA of one run", 1), KeyPair::generate()?)?;
        let intermediate = ca("proxyproof intermediate CA of one run", 0);
        Ok(Self { intermediate: Issuer::signed_by(intermediate, KeyPair::generate()?, &root)?, root })
    }

    /// The root certificate that clients trust, PEM.
    pub(crate) fn certificate(&self) -> String {
        self.root.pem()
    }

    /// A server certificate for all of these names, with a key of its own.
    pub(crate) fn issue(&self, names: &[String]) -> Result<Leaf, WorldError> {
        let key = Algorithm::Ecdsa.generate()?;
        Ok(Leaf { certificate: self.chain(names, &key)?, key: key.serialize_pem() })
    }

    /// A server certificate for all of these names and this key, and the intermediate, PEM.
    pub(crate) fn chain(&self, names: &[String], key: &KeyPair) -> Result<String, WorldError> {
        let leaf = leaf(names, ExtendedKeyUsagePurpose::ServerAuth, key)?.signed_by(key, &self.intermediate)?;
        Ok(leaf.pem() + &self.intermediate.pem())
    }

    /// The lists of what the root and the intermediate have revoked, which is nothing.
    pub(crate) fn crls(&self) -> Result<String, WorldError> {
        Ok(empty_crl(&self.intermediate)? + &empty_crl(&self.root)?)
    }
}

/// The authority of the clients that a server asks for their certificate. Nothing stands between it and them: a server
/// may allow for no intermediate (`ssl_verify_depth`).
pub(crate) struct ClientAuthority {
    root: Issuer,
}

impl ClientAuthority {
    pub(crate) fn new() -> Result<Self, WorldError> {
        Ok(Self { root: Issuer::self_signed(ca("proxyproof client CA of one run", 0), KeyPair::generate()?)? })
    }

    /// Its certificate, PEM.
    pub(crate) fn certificate(&self) -> String {
        self.root.pem()
    }

    /// A client's certificate.
    pub(crate) fn issue(&self) -> Result<Leaf, WorldError> {
        let key = Algorithm::Ecdsa.generate()?;
        Ok(Leaf { certificate: self.certificate_for("proxyproof client", &key)?, key: key.serialize_pem() })
    }

    /// A client's certificate for this key, PEM.
    pub(crate) fn certificate_for(&self, name: &str, key: &KeyPair) -> Result<String, WorldError> {
        let mut params = leaf(&[], ExtendedKeyUsagePurpose::ClientAuth, key)?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(params.signed_by(key, &self.root)?.pem())
    }

    /// The list of what it has revoked, which is nothing.
    pub(crate) fn crl(&self) -> Result<String, WorldError> {
        empty_crl(&self.root)
    }
}

fn ca(name: &str, intermediates: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(intermediates));
    // Some clients reject a CA without keyUsage (RFC 5280, section 4.2.1.3).
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    valid_for_years(&mut params);
    params
}

fn leaf(names: &[String], usage: ExtendedKeyUsagePurpose, key: &KeyPair) -> Result<CertificateParams, WorldError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = names.iter().find(|name| name.len() <= LONGEST_COMMON_NAME) {
        params.distinguished_name.push(DnType::CommonName, DnValue::from(name.as_str()));
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if Algorithm::of(key) == Algorithm::Rsa {
        // For suites without a Diffie-Hellman exchange, such as AES256-SHA.
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    valid_for_years(&mut params);
    Ok(params)
}

fn empty_crl(issuer: &Issuer) -> Result<String, WorldError> {
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2049, 12, 31),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(issuer)?.pem()?)
}

/// Fixed dates, so that no run depends on the day: the checks of dates look at the deployment's own certificates.
fn valid_for_years(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
}

#[cfg(test)]
mod tests {
    use x509_parser::pem::{Pem, parse_x509_pem};

    use super::*;

    fn pems(text: &str) -> Vec<Pem> {
        Pem::iter_from_buffer(text.as_bytes()).map(|pem| pem.expect("PEM")).collect()
    }

    #[test]
    fn a_leaf_is_what_strict_clients_want() {
        let authority = Authority::new().expect("an authority");
        let names = ["example.com", "*.example.org", "10.0.0.1", "::1"].map(str::to_owned);
        let chain = pems(&authority.issue(&names).expect("a leaf").certificate);
        let [leaf, intermediate] = [&chain[0], &chain[1]].map(|pem| pem.parse_x509().expect("X.509"));
        assert!(!leaf.is_ca() && intermediate.is_ca());
        let alternative = leaf.subject_alternative_name().expect("parses").expect("is there");
        assert_eq!(alternative.value.general_names.len(), 4);
        let root = pems(&authority.certificate());
        let root = root[0].parse_x509().expect("X.509");
        leaf.verify_signature(Some(intermediate.public_key())).expect("signed by the intermediate");
        intermediate.verify_signature(Some(root.public_key())).expect("signed by the root");
        for certificate in [&leaf, &intermediate] {
            let ids: Vec<String> = certificate.extensions().iter().map(|found| found.oid.to_id_string()).collect();
            for wanted in ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35"] {
                assert!(ids.iter().any(|id| id == wanted), "{wanted} is missing in {ids:?}");
            }
        }
    }

    #[test]
    fn a_client_is_issued_by_its_own_authority() {
        let clients = ClientAuthority::new().expect("an authority");
        let (_, ca) = parse_x509_pem(clients.certificate().as_bytes()).expect("PEM");
        let (_, client) = parse_x509_pem(clients.issue().expect("a client").certificate.as_bytes()).expect("PEM");
        let (ca, client) = (ca.parse_x509().expect("X.509"), client.parse_x509().expect("X.509"));
        client.verify_signature(Some(ca.public_key())).expect("signed by it");
        let usage = client.extended_key_usage().expect("parses").expect("is there");
        assert!(usage.value.client_auth && !usage.value.server_auth);
        assert!(client.subject().iter_common_name().next().is_some());
        assert!(clients.crl().expect("a list").starts_with("-----BEGIN X509 CRL-----"));
    }

    #[test]
    fn a_name_too_long_for_a_subject_is_in_the_certificate_all_the_same() {
        let name = format!("{}.example.com", "a".repeat(60));
        assert!(Authority::new().expect("an authority").issue(&[name]).is_ok());
    }
}
