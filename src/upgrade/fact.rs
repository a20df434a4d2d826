//! An observation as a flat table: one line for each thing that two observations can differ in.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::change::By;
use crate::observation::{Observation, PrometheusSeen, RouteSeen, TlsSeen};
use crate::observe::Part;

/// The checks that look at handshakes alone.
const OF_HANDSHAKES: [&str; 11] = [
    "alpn",
    "certificate-chain",
    "certificate-dates",
    "certificate-key",
    "certificate-name",
    "certificate-trusted",
    "certificate-webpki",
    "ocsp-stapling",
    "session-resumption",
    "tls-ciphers",
    "tls-versions",
];

/// A thing that two observations can differ in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    NginxRefuses(String),
    PrometheusRefuses(usize),
    NginxLog(String),
    NginxBuiltWith(String),
    PrometheusLog(usize, String),
    Takes(String),
    Feature(String),
    /// Something that clients of a route see.
    Route(String, Seen),
}

/// What clients of a route see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Agreed,
    Trust,
    Version(String),
    Suite(String, String),
    Certificates,
    Protocol(String),
    Http2,
    Resumes,
    Staples,
    Plain(String),
    Way(String),
    ContentType(String),
    /// The content type of the metrics for who accepts this.
    Accepted(String),
    Says(String),
    Header(String, String),
    Json(String, String),
    Asset(String),
    Metric(String),
    Flag(String),
    Check(String),
    /// By check, level and message.
    Finding(String, crate::Level, String),
}

/// Each fact with its value.
pub(super) type Facts = BTreeMap<Fact, String>;

/// An observation with its facts. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Looked(Arc<(Observation, Facts)>);

impl Looked {
    pub(super) fn facts(&self) -> &Facts {
        &self.0.1
    }
}

impl From<Observation> for Looked {
    fn from(observation: Observation) -> Self {
        let facts = of(&observation);
        Self(Arc::new((observation, facts)))
    }
}

impl Deref for Looked {
    type Target = Observation;

    fn deref(&self) -> &Observation {
        &self.0.0
    }
}

impl Fact {
    /// The program that alone can have changed it, where that is in the nature of the thing.
    pub(super) fn owner(&self) -> Option<By> {
        match self {
            Self::NginxRefuses(_) | Self::NginxLog(_) | Self::NginxBuiltWith(_) => Some(By::Nginx),
            Self::PrometheusRefuses(_) | Self::PrometheusLog(..) | Self::Takes(_) | Self::Feature(_) => {
                Some(By::Prometheus)
            }
            Self::Route(_, seen) => match seen {
                seen if seen.is_of_handshakes() => Some(By::Nginx),
                Seen::Metric(_) | Seen::Flag(_) => Some(By::Prometheus),
                _ => None,
            },
        }
    }

    /// Whether only its owner can have changed it, whoever that runs with: what a program says of itself, and the
    /// encryption, which ends before a request is passed on.
    pub(super) fn is_of_its_owner_alone(&self) -> bool {
        match self {
            Self::NginxBuiltWith(_) | Self::Takes(_) | Self::Feature(_) => true,
            Self::Route(_, seen) => seen.is_of_handshakes(),
            _ => false,
        }
    }

    /// The fact that tells whose doing this one is, where both differ: the metrics come in many forms, by one hand.
    pub(super) fn spokesman(&self) -> Option<Self> {
        match self {
            Self::Route(url, Seen::Accepted(_)) => {
                Some(Self::Route(url.clone(), Seen::ContentType("GET /metrics".to_owned())))
            }
            _ => None,
        }
    }

    /// Whether it is about a program that does not start.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::NginxRefuses(_) | Self::PrometheusRefuses(_))
    }
}

impl Seen {
    /// Whether it is seen before anything is asked.
    fn is_of_handshakes(&self) -> bool {
        match self.part() {
            Part::Tls => true,
            Part::Check(id) => OF_HANDSHAKES.contains(&id.as_str()),
            _ => false,
        }
    }

    /// The part of an observation in which it is seen.
    pub(super) fn part(&self) -> Part {
        match self {
            Self::Agreed
            | Self::Trust
            | Self::Version(_)
            | Self::Suite(..)
            | Self::Certificates
            | Self::Protocol(_)
            | Self::Http2
            | Self::Resumes
            | Self::Staples => Part::Tls,
            Self::Plain(_) => Part::Plain,
            Self::Way(name)
            | Self::ContentType(name)
            | Self::Says(name)
            | Self::Header(name, _)
            | Self::Json(name, _) => Part::Answer(name.clone()),
            Self::Accepted(accept) => Part::Accepted(accept.clone()),
            Self::Metric(_) => Part::Families,
            Self::Asset(_) => Part::Assets,
            Self::Flag(_) => Part::Flags,
            Self::Check(id) | Self::Finding(id, ..) => Part::Check(id.clone()),
        }
    }
}

/// The facts of an observation.
fn of(observation: &Observation) -> Facts {
    let nginx = &observation.nginx;
    let mut facts = Facts::new();
    let is_there = || "yes".to_owned();
    facts.extend(nginx.refusal.iter().map(|said| (Fact::NginxRefuses(said.clone()), is_there())));
    facts.extend(nginx.log.iter().map(|said| (Fact::NginxLog(said.clone()), is_there())));
    facts.extend(nginx.built_with.iter().map(|option| (Fact::NginxBuiltWith(option.clone()), is_there())));
    for (number, prometheus) in observation.prometheus.iter().enumerate() {
        of_prometheus(number, prometheus, &mut facts);
    }
    for (url, route) in &observation.routes {
        let mut add = |seen, value| drop(facts.insert(Fact::Route(url.clone(), seen), value));
        of_route(route, &mut add);
    }
    facts
}

fn of_prometheus(number: usize, prometheus: &PrometheusSeen, facts: &mut Facts) {
    let is_there = || "yes".to_owned();
    facts.extend(prometheus.refusal.iter().map(|said| (Fact::PrometheusRefuses(number), said.clone())));
    facts.extend(prometheus.log.iter().map(|said| (Fact::PrometheusLog(number, said.clone()), is_there())));
    facts.extend(prometheus.takes.iter().map(|flag| (Fact::Takes(flag.clone()), is_there())));
    facts.extend(prometheus.features.iter().map(|feature| (Fact::Feature(feature.clone()), is_there())));
}

fn of_route(route: &RouteSeen, add: &mut impl FnMut(Seen, String)) {
    if let Some(tls) = &route.tls {
        of_tls(tls, add);
    }
    for (port, answer) in &route.plain {
        add(Seen::Plain(port.clone()), answer.clone());
    }
    for (name, answer) in &route.answers {
        add(Seen::Way(name.clone()), answer.way_in_words());
        if let Some(content_type) = &answer.content_type {
            add(Seen::ContentType(name.clone()), content_type.clone());
        }
        if let Some(says) = &answer.says {
            add(Seen::Says(name.clone()), says.clone());
        }
        for (header, value) in &answer.headers {
            add(Seen::Header(name.clone(), header.clone()), value.clone());
        }
        // Its keys are flags, and they are told as such.
        for (key, kind) in answer.json.iter().filter(|_| !name.ends_with("/status/flags")) {
            add(Seen::Json(name.clone(), key.clone()), kind.clone());
        }
    }
    for (path, answer) in &route.assets {
        add(Seen::Asset(path.clone()), answer.clone());
    }
    for (accept, content_type) in &route.metrics.content_types {
        add(Seen::Accepted(accept.clone()), content_type.clone());
    }
    for (name, what) in &route.metrics.families {
        add(Seen::Metric(name.clone()), what.clone());
    }
    for (name, value) in &route.flags {
        add(Seen::Flag(name.clone()), value.clone());
    }
    for (id, check) in &route.checks {
        add(Seen::Check(id.clone()), check.outcome.clone());
        for finding in &check.findings {
            add(Seen::Finding(id.clone(), finding.level, finding.message.clone()), finding.actual.clone());
        }
    }
}

fn of_tls(tls: &TlsSeen, add: &mut impl FnMut(Seen, String)) {
    add(Seen::Agreed, tls.agreed.clone());
    add(Seen::Trust, tls.trust.clone());
    for (version, suites) in &tls.versions {
        add(Seen::Version(version.clone()), "taken".to_owned());
        for suite in suites {
            add(Seen::Suite(version.clone(), suite.clone()), "taken".to_owned());
        }
    }
    let certificates = tls.certificates.iter().map(|certificate| {
        let names = certificate.names.join(", ");
        format!(
            "{} for {names} ({}, {}, signed by {})",
            certificate.subject, certificate.key, certificate.signature, certificate.signed_by
        )
    });
    add(Seen::Certificates, certificates.collect::<Vec<_>>().join("; "));
    for (offer, chosen) in &tls.protocols {
        add(Seen::Protocol(offer.clone()), chosen.clone());
    }
    add(Seen::Http2, yes_or_no(tls.http2));
    add(Seen::Resumes, yes_or_no(tls.resumes));
    add(Seen::Staples, yes_or_no(tls.staples));
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CATALOGUE;

    #[test]
    fn what_is_seen_before_anything_is_asked_is_by_nginx() {
        for id in OF_HANDSHAKES {
            assert!(CATALOGUE.iter().any(|check| check.id == id), "{id}");
            let fact = Fact::Route("https://a.b/".to_owned(), Seen::Check(id.to_owned()));
            assert!(fact.is_of_its_owner_alone() && fact.owner() == Some(By::Nginx), "{id}");
        }
        let asks = Fact::Route("https://a.b/".to_owned(), Seen::Check("tls-enforced".to_owned()));
        assert!(!asks.is_of_its_owner_alone() && asks.owner().is_none());
    }
}
