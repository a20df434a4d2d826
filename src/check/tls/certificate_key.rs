//! The certificate's key, its signature, and what it may be used for.

use super::super::{Answer, Check, Turn, View};
use super::served::{at_certificate, chain};
use crate::finding::{Finding, Level};
use crate::observe::{Certificate, Key, Observer, SignedBy};

const LEAST_RSA_BITS: usize = 2048;
const LEAST_EC_BITS: usize = 256;

pub(crate) static CHECK: Check = Check {
    id: "certificate-key",
    level: Level::Error,
    what: "The certificate's key is long enough (RSA from 2048 bits, elliptic curves from 256), it is signed with SHA-2, and \
           it may be used by a TLS server (keyUsage, extended key usage).",
    why: "Clients refuse a certificate for another purpose, and one that is signed with SHA-1 or MD5; short keys can be \
          computed.",
    fix: "Order a certificate for a server with a new key: `openssl ecparam -genkey -name prime256v1`, signed with SHA-256, \
          with keyUsage digitalSignature and extendedKeyUsage serverAuth.",
    source: "RFC 5280, sections 4.2.1.3 and 4.2.1.12; RFC 9155; CA/Browser Forum Baseline Requirements, section 6.1.5",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let shown = chain(observer)?;
    let leaf = &shown[0];
    let faults = [purpose(leaf), usage(leaf), length(leaf)];
    let signatures = shown.iter().filter_map(signature);
    let findings = faults.into_iter().flatten().chain(signatures);
    Ok(findings.map(|finding| at_certificate(observer, finding.fix(CHECK.fix))).collect())
}

fn purpose(leaf: &Certificate) -> Option<Finding> {
    let wrong = leaf.for_servers == Some(false);
    wrong.then(|| {
        CHECK
            .finding("the certificate is not for servers")
            .expected("serverAuth in the extended key usage, or no such list")
            .actual("an extended key usage without serverAuth")
    })
}

fn usage(leaf: &Certificate) -> Option<Finding> {
    let (signs, encrypts) = leaf.key_usage?;
    if signs {
        return None;
    }
    let actual = if encrypts { "keyEncipherment without digitalSignature" } else { "neither of both" };
    let finding = CHECK
        .finding("the certificate's key may not sign handshakes")
        .at_level(Level::Warning)
        .expected("digitalSignature in keyUsage: every handshake of TLS 1.3, and of ECDHE, is signed")
        .actual(actual);
    Some(finding)
}

fn length(leaf: &Certificate) -> Option<Finding> {
    let (what, least) = match leaf.key {
        Key::Rsa(bits) if bits < LEAST_RSA_BITS => (format!("RSA with {bits} bits"), LEAST_RSA_BITS),
        Key::Ec(bits) if bits < LEAST_EC_BITS => (format!("an elliptic curve with {bits} bits"), LEAST_EC_BITS),
        _ => return None,
    };
    let finding = CHECK
        .finding("the certificate's key is too short")
        .at_level(Level::Warning)
        .expected(format!("{least} bits or more"))
        .actual(what);
    Some(finding)
}

/// What a certificate that clients have says of itself is not looked at by anybody.
fn signature(certificate: &Certificate) -> Option<Finding> {
    let name = certificate.signature.to_ascii_lowercase();
    let old = ["md5", "md2", "sha1", "sha-1"].iter().any(|hash| name.contains(hash));
    let counts = !certificate.is_trusted && certificate.signed_by != SignedBy::Itself;
    (old && counts).then(|| {
        CHECK
            .finding(format!("the certificate of {} is signed with a broken hash", certificate.subject))
            .expected("SHA-256 or better")
            .actual(certificate.signature.clone())
    })
}
