//! The certificates that a server shows, as data.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::oid_registry::OidRegistry;
use x509_parser::prelude::{GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::verifier;

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Whom it is about, as a distinguished name.
    pub(crate) subject: String,
    /// Who signed it.
    pub(crate) issuer: String,
    /// The DNS names and addresses that it is for.
    pub(crate) names: Vec<String>,
    /// Whether it has a subjectAltName at all.
    pub(crate) has_alternative_names: bool,
    /// From when on it is valid: seconds since 1970, and in words.
    pub(crate) not_before: (i64, String),
    /// Until when it is valid.
    pub(crate) not_after: (i64, String),
    /// Whether it says that it is an authority's.
    pub(crate) is_ca: bool,
    /// The version of its format, 3 today.
    pub(crate) version: u32,
    /// Its key: `RSA` and the bits, or what it is.
    pub(crate) key: Key,
    /// How it is signed, such as `sha256WithRSAEncryption`.
    pub(crate) signature: String,
    /// Whether its key may sign handshakes and may decrypt keys; none if it does not say.
    pub(crate) key_usage: Option<(bool, bool)>,
    /// Whether it may be a server's; none if it does not say.
    pub(crate) for_servers: Option<bool>,
    /// Where its OCSP responder or its issuer's certificate is said to be.
    pub(crate) has_ocsp_responder: bool,
    /// Whether it is one of those that clients trust.
    pub(crate) is_trusted: bool,
    /// Who among the certificates shown and trusted signed it.
    pub(crate) signed_by: SignedBy,
}

/// Where the certificate of the signer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignedBy {
    /// It is the certificate itself.
    Itself,
    /// Clients have it.
    Trusted,
    /// The server sends it too, at this place in its list.
    Sent(usize),
    /// Nobody here has it.
    Unknown,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// RSA with so many bits.
    Rsa(usize),
    /// On an elliptic curve with so many bits.
    Ec(usize),
    /// Another kind, such as Ed25519.
    Other(String),
}

impl Certificate {
    /// Whether it is for this name or address, as curl sees it: a common name counts where there is no other.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        let address: Option<IpAddr> = name.parse().ok();
        self.names.iter().any(|own| match (address, own.strip_prefix("*.")) {
            (Some(address), _) => own.parse() == Ok(address),
            (None, Some(parent)) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
            (None, None) => own.eq_ignore_ascii_case(name),
        })
    }
}

/// The certificates that a server sent; what can't be parsed is left out.
pub(crate) fn read(sent: &[CertificateDer<'_>], trusted: &[CertificateDer<'_>]) -> Vec<Certificate> {
    let parsed: Vec<(usize, X509Certificate<'_>)> =
        sent.iter().enumerate().filter_map(|(index, der)| Some((index, verifier::parse(der)?))).collect();
    let roots: Vec<X509Certificate<'_>> = trusted.iter().filter_map(verifier::parse).collect();
    parsed
        .iter()
        .map(|(index, certificate)| Certificate {
            is_trusted: trusted.contains(&sent[*index]),
            signed_by: signer(certificate, &parsed, &roots),
            ..describe(certificate)
        })
        .collect()
}

fn signer(
    certificate: &X509Certificate<'_>,
    sent: &[(usize, X509Certificate<'_>)],
    roots: &[X509Certificate<'_>],
) -> SignedBy {
    let signs = |issuer: &X509Certificate<'_>| verifier::is_signed_by(certificate, issuer);
    if certificate.subject() == certificate.issuer() && signs(certificate) {
        SignedBy::Itself
    } else if roots.iter().any(signs) {
        SignedBy::Trusted
    } else {
        sent.iter().position(|(_, other)| signs(other)).map_or(SignedBy::Unknown, SignedBy::Sent)
    }
}

fn describe(certificate: &X509Certificate<'_>) -> Certificate {
    let usage = certificate.key_usage().ok().flatten();
    let extended = certificate.extended_key_usage().ok().flatten();
    let validity = certificate.validity();
    Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names: names(certificate),
        has_alternative_names: matches!(certificate.subject_alternative_name(), Ok(Some(_))),
        not_before: (validity.not_before.timestamp(), validity.not_before.to_string()),
        not_after: (validity.not_after.timestamp(), validity.not_after.to_string()),
        is_ca: certificate.is_ca(),
        version: certificate.version().0 + 1,
        key: key(certificate),
        signature: signature(certificate),
        key_usage: usage.map(|usage| (usage.value.digital_signature(), usage.value.key_encipherment())),
        for_servers: extended.map(|usage| usage.value.server_auth || usage.value.any),
        has_ocsp_responder: has_ocsp_responder(certificate),
        is_trusted: false,
        signed_by: SignedBy::Unknown,
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else {
        return verifier::names(certificate);
    };
    let names = alternative.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn key(certificate: &X509Certificate<'_>) -> Key {
    let info = certificate.public_key();
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => Key::Rsa(key.key_size()),
        Ok(PublicKey::EC(point)) => Key::Ec(point.key_size()),
        _ => Key::Other(short_name(&info.algorithm.algorithm)),
    }
}

fn signature(certificate: &X509Certificate<'_>) -> String {
    short_name(&certificate.signature_algorithm.algorithm)
}

fn short_name(oid: &x509_parser::der_parser::oid::Oid<'_>) -> String {
    let registry = OidRegistry::default().with_all_crypto().with_x509();
    registry.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().to_owned())
}

/// Authority information access with an OCSP responder: RFC 5280, section 4.2.2.1.
fn has_ocsp_responder(certificate: &X509Certificate<'_>) -> bool {
    const OCSP: &str = "1.3.6.1.5.5.7.48.1";
    certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        x509_parser::extensions::ParsedExtension::AuthorityInfoAccess(access) => {
            access.accessdescs.iter().any(|access| access.access_method.to_id_string() == OCSP)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn from_pem(pem: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect()
    }

    fn shown(names: &[&str]) -> (Vec<Certificate>, Vec<CertificateDer<'static>>) {
        let authority = crate::world::pki::Authority::new().expect("an authority");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let sent = from_pem(&authority.issue(&names).expect("a leaf").certificate);
        let trusted = from_pem(&authority.certificate());
        (read(&sent, &trusted), sent)
    }

    #[test]
    fn a_chain_is_followed_from_the_leaf_to_who_is_trusted() {
        let (shown, sent) = shown(&["a.example"]);
        assert_eq!((shown[0].signed_by, shown[1].signed_by), (SignedBy::Sent(1), SignedBy::Trusted));
        assert_eq!(read(&sent[..1], &[])[0].signed_by, SignedBy::Unknown);
        assert_eq!(read(&sent[..1], &sent[1..])[0].signed_by, SignedBy::Trusted);
    }

    #[test]
    fn a_certificate_says_what_it_is_for() {
        let (shown, _) = shown(&["a.example", "*.b.example", "10.0.0.1"]);
        let leaf = &shown[0];
        for (name, fits) in [
            ("A.example", true),
            ("x.b.example", true),
            ("x.y.b.example", false),
            ("b.example", false),
            ("10.0.0.1", true),
            ("10.0.0.2", false),
        ] {
            assert_eq!(leaf.is_for(name), fits, "{name}");
        }
        assert_eq!((&leaf.key, leaf.signature.as_str()), (&Key::Ec(256), "ecdsa-with-SHA256"));
        assert_eq!((leaf.key_usage, leaf.for_servers), (Some((true, false)), Some(true)));
        assert!(leaf.has_alternative_names && !leaf.is_ca && leaf.version == 3 && !leaf.has_ocsp_responder);
    }
}
