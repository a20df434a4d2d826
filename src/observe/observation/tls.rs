//! The encryption of a route, as clients find it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::observe::certificate::{Certificate, Key, SignedBy};
use crate::observe::{Failure, Observer, Version};

/// The encryption of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSeen {
    /// The version that a client of today agrees on with the server, or why there is none.
    pub agreed: String,
    /// Whether a client with the right CA takes the certificate, or why not.
    pub trust: String,
    /// The suites that the server takes, by version.
    pub versions: BTreeMap<String, BTreeSet<String>>,
    /// The certificates that the server sends, its own first.
    pub certificates: Vec<CertificateSeen>,
    /// The protocol that the server chooses, by what a client offers.
    pub protocols: BTreeMap<String, String>,
    /// Whether HTTP/2 is spoken.
    pub http2: bool,
    /// Whether a client that comes back goes on with its session.
    pub resumes: bool,
    /// Whether an OCSP answer is stapled.
    pub staples: bool,
}

/// A certificate, without what a renewal changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSeen {
    /// Whom it is about.
    pub subject: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// Its key, such as `RSA 2048`.
    pub key: String,
    /// How it is signed.
    pub signature: String,
    /// Who signed it: `itself`, `trusted`, `sent` or `unknown`.
    pub signed_by: String,
}

impl TlsSeen {
    /// Looks at the encryption of a route, where it has one.
    pub(super) async fn of(observer: &Observer) -> Option<Self> {
        if !observer.route().tls {
            return None;
        }
        let offers: [&[&str]; 3] = [&["h2", "http/1.1"], &["http/1.1"], &["h2"]];
        let (probe, all, http1, http2, speaks, resumes, staples) = tokio::join!(
            observer.tls_probe(),
            observer.protocol(offers[0]),
            observer.protocol(offers[1]),
            observer.protocol(offers[2]),
            observer.speaks_http2(),
            observer.resumes(),
            observer.staples(),
        );
        let protocols = offers.into_iter().zip([all, http1, http2]);
        Some(Self {
            agreed: observer.unverified().as_ref().map_or_else(ToString::to_string, |shaken| shaken.version.to_owned()),
            trust: observer.verified().as_ref().map_or_else(ToString::to_string, |_| "trusted".to_owned()),
            versions: probe.map(versions).unwrap_or_default(),
            certificates: observer.certificates().iter().map(CertificateSeen::of).collect(),
            protocols: protocols.map(|(offer, chosen)| (offer.join(", "), protocol(chosen))).collect(),
            http2: speaks.unwrap_or(false),
            resumes: resumes.unwrap_or(false),
            staples: staples.unwrap_or(false),
        })
    }
}

fn versions(probe: &crate::observe::tls_probe::TlsProbe) -> BTreeMap<String, BTreeSet<String>> {
    let suites = |version: Version| probe.suites_of(version).map(|suite| suite.name.to_owned()).collect();
    probe.versions().map(|version| (version.name().to_owned(), suites(version))).collect()
}

fn protocol(chosen: Result<Option<String>, Failure>) -> String {
    match chosen {
        Ok(chosen) => chosen.unwrap_or_else(|| "none".to_owned()),
        Err(failure) => failure.to_string(),
    }
}

impl CertificateSeen {
    fn of(certificate: &Certificate) -> Self {
        let signed_by = match certificate.signed_by {
            SignedBy::Itself => "itself",
            SignedBy::Trusted => "trusted",
            SignedBy::Sent(_) => "sent",
            SignedBy::Unknown => "unknown",
        };
        Self {
            subject: certificate.subject.clone(),
            names: certificate.names.clone(),
            key: match &certificate.key {
                Key::Rsa(bits) => format!("RSA {bits}"),
                Key::Ec(bits) => format!("EC {bits}"),
                Key::Other(kind) => kind.clone(),
            },
            signature: certificate.signature.clone(),
            signed_by: signed_by.to_owned(),
        }
    }
}
