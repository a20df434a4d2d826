//! What can be seen of a Lab, as data without anything that changes from run to run: for snapshots, baselines and the
//! comparison of two versions.
//!
//! What would change from run to run is left out or replaced where it is seen, by the rules of [`redaction`], [`shape`],
//! [`exposition`] and [`log`]: nothing that reads an observation has to know of them.

mod answer;
mod endpoints;
mod exposition;
mod log;
mod programs;
mod redaction;
mod route;
mod scope;
mod shape;
mod tls;
mod volatile;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use answer::Answer;
pub use exposition::MetricsSeen;
pub use tls::{CertificateSeen, TlsSeen};

pub(crate) use answer::NO_UI_PAGE;
pub(crate) use redaction::without_temporary_names;
pub(crate) use scope::{Part, Scope};

use super::Observer;
use crate::finding::Level;
use crate::location::Location;

/// What can be seen of a Lab. No port that was chosen, no date, duration, address or id is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The format's name and version.
    pub schema: String,
    /// The nginx that ran.
    pub nginx: NginxSeen,
    /// Each Prometheus that ran, the one of the surest route first.
    pub prometheus: Vec<PrometheusSeen>,
    /// What clients see, by the public URL of each route.
    pub routes: BTreeMap<String, RouteSeen>,
}

/// What nginx shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NginxSeen {
    /// Its version.
    pub version: Option<String>,
    /// Where it came from, such as `debian:trixie`.
    pub source: String,
    /// The TLS library that it was built with, to its minor version: `OpenSSL 3.5`.
    pub tls_library: Option<String>,
    /// What it said when it refused to start.
    pub refusal: BTreeSet<String>,
    /// What it was built with: the options of `configure` that begin with `--with`.
    pub built_with: BTreeSet<String>,
    /// What it warned of, as `LEVEL: MESSAGE`.
    pub log: BTreeSet<String>,
    /// The lines that it names with what it says. They are the configuration's and not the version's, and not recorded.
    #[serde(skip)]
    pub places: BTreeMap<String, Location>,
}

/// What a Prometheus shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrometheusSeen {
    /// Its version.
    pub version: Option<String>,
    /// Where it came from, such as `debian:trixie`.
    pub source: String,
    /// What it said when it refused to start.
    pub refusal: Option<String>,
    /// The flags that it takes, without dashes.
    pub takes: BTreeSet<String>,
    /// The words that `--enable-feature` takes.
    pub features: BTreeSet<String>,
    /// What it warned of, as `LEVEL: MESSAGE`.
    pub log: BTreeSet<String>,
}

/// What clients of a route see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSeen {
    /// The encryption; none where the route has none.
    pub tls: Option<TlsSeen>,
    /// What plain HTTP gets, by the port that it is sent to.
    pub plain: BTreeMap<String, String>,
    /// What each path below the prefix answers, by method and path.
    pub answers: BTreeMap<String, Answer>,
    /// The scripts, styles and icons that the pages name, and what each of them answers.
    pub assets: BTreeMap<String, String>,
    /// What Prometheus says of itself to who scrapes it.
    pub metrics: MetricsSeen,
    /// The value of each flag of Prometheus, given or by default.
    pub flags: BTreeMap<String, String>,
    /// What came of each check.
    pub checks: BTreeMap<String, CheckSeen>,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSeen {
    /// `pass`, `fail` or `skip`.
    pub outcome: String,
    /// What it found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingSeen>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FindingSeen {
    /// How much it matters.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What was seen.
    pub actual: String,
    /// The line that causes it: the configuration's, and not recorded.
    #[serde(skip)]
    pub location: Option<Location>,
    /// What mends it.
    pub fix: String,
}

impl Observation {
    /// The format's name and version.
    pub const SCHEMA: &'static str = "proxyproof/observation/1";

    /// Whether both programs ran: clients were answered.
    #[must_use]
    pub fn ran(&self) -> bool {
        self.nginx.refusal.is_empty() && self.prometheus.iter().all(|prometheus| prometheus.refusal.is_none())
    }

    /// What was seen of all routes of a Lab, and what its programs say.
    pub(crate) fn of(routes: Vec<(&Observer, RouteSeen)>, said: Said) -> Self {
        let observer = routes.first().map(|(observer, _)| *observer);
        let routes = routes.into_iter().map(|(observer, seen)| (observer.route().public_url(), seen)).collect();
        let (takes, features) = said.help.as_deref().map(programs::flags).unwrap_or_default();
        let seen = |log: &String| PrometheusSeen {
            version: said.prometheus.0.clone(),
            source: said.prometheus.1.clone(),
            refusal: None,
            takes: takes.clone(),
            features: features.clone(),
            log: log::of_prometheus(log),
        };
        Self {
            nginx: observer.map(|observer| nginx(observer, &said)).unwrap_or_default(),
            prometheus: said.logs.iter().map(seen).collect(),
            routes,
            ..Self::empty()
        }
    }

    /// Of nothing that was seen.
    pub(crate) fn empty() -> Self {
        let schema = Self::SCHEMA.to_owned();
        Self { schema, nginx: NginxSeen::default(), prometheus: Vec::new(), routes: BTreeMap::new() }
    }

    /// Of a Lab that did not come about, because Prometheus refused to start.
    pub(crate) fn of_refusal(nginx: Known, prometheus: Known, log: &str) -> Self {
        let refusal = Some(log::refusal_of_prometheus(log));
        let (version, source) = prometheus;
        Self {
            nginx: NginxSeen { version: nginx.0, source: nginx.1, ..NginxSeen::default() },
            prometheus: vec![PrometheusSeen { version, source, refusal, ..PrometheusSeen::default() }],
            ..Self::empty()
        }
    }
}

/// A program's version, where that is known, and its source.
pub(crate) type Known = (Option<String>, String);

/// What the programs of a Lab say of themselves.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// What is known of nginx.
    pub(crate) nginx: Known,
    /// What is known of Prometheus.
    pub(crate) prometheus: Known,
    /// What `nginx -V` says.
    pub(crate) build: Option<String>,
    /// What `prometheus --help` says.
    pub(crate) help: Option<String>,
    /// What each Prometheus has written.
    pub(crate) logs: Vec<String>,
}

fn nginx(observer: &Observer, said: &Said) -> NginxSeen {
    let locate = |path: &str, line| observer.locate(path, line);
    let (tls_library, built_with) = said.build.as_deref().map(programs::build).unwrap_or_default();
    let (version, source) = said.nginx.clone();
    let refusal = observer.refusal().map(|log| log::refusal_of_nginx(&log, locate)).unwrap_or_default();
    let log = match refusal.is_empty() {
        true => log::of_nginx(&observer.nginx_log(), locate),
        false => BTreeMap::new(),
    };
    let words = |said: &log::Said| said.keys().cloned().collect();
    let (refusal_words, log_words) = (words(&refusal), words(&log));
    let named = refusal.into_iter().chain(log).filter_map(|(said, place)| Some((said, place?)));
    NginxSeen {
        version,
        source,
        tls_library,
        refusal: refusal_words,
        built_with,
        log: log_words,
        places: named.collect(),
    }
}
