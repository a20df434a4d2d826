//! What clients see of a Lab, as data without anything that changes from run to run: for snapshots.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;

use super::{Failure, Handshake, Observer, Seen};

/// Pages, API and health endpoints that tell a deployment from another.
const PATHS: &[&str] = &[
    "",
    "/",
    "/graph",
    "/query",
    "/classic/graph",
    "/alerts",
    "/targets",
    "/metrics",
    "/federate?match[]=up",
    "/api/v1/query?query=vector(1)",
    "/api/v1/nosuch",
    "/-/healthy",
    "/-/ready",
    "/debug/pprof/",
];

/// What clients see of a Lab. No port, date, duration or address is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// Where clients find Prometheus.
    pub public_url: String,
    /// The TLS version that a client and the server agree on, or why there is none.
    pub tls: String,
    /// Whether a client with the right CA accepts the certificate, or why not.
    pub certificate: String,
    /// What each path below the prefix answers.
    pub answers: BTreeMap<String, Answer>,
}

/// What one path answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// An HTTP answer.
    Http {
        /// The status code.
        status: u16,
        /// The content type.
        content_type: Option<String>,
        /// Where a redirect leads.
        location: Option<String>,
    },
    /// None, and why.
    None(String),
}

impl Observation {
    /// Asks everything once.
    pub(crate) async fn of(observer: &Observer) -> Self {
        let answers = join_all(PATHS.iter().map(|path| observer.get(path))).await;
        let answers = PATHS.iter().zip(answers);
        Self {
            public_url: observer.url("/").to_string(),
            tls: handshake(observer.unverified(), |handshake| handshake.version),
            certificate: handshake(observer.verified(), |_| "trusted"),
            answers: answers.map(|(path, answer)| ((*path).to_owned(), Answer::of(answer.as_deref()))).collect(),
        }
    }
}

fn handshake(result: &Result<Handshake, Failure>, what: fn(&Handshake) -> &'static str) -> String {
    match result {
        Ok(handshake) => what(handshake).to_owned(),
        Err(failure) => failure.to_string(),
    }
}

impl Answer {
    fn of(answer: Result<&Seen, &Failure>) -> Self {
        match answer {
            Ok(seen) => Self::Http {
                status: seen.status,
                content_type: seen.header(reqwest::header::CONTENT_TYPE).map(str::to_owned),
                location: seen.header(reqwest::header::LOCATION).map(str::to_owned),
            },
            Err(failure) => Self::None(failure.to_string()),
        }
    }
}
