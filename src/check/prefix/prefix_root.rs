//! The prefix with its slash leads to the UI.

use super::super::{Answer, Check, Turn};
use super::way::lead_inside;
use crate::finding::Level;
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "prefix-root",
    level: Level::Error,
    what: "The address that people type, the prefix with its slash, leads to the UI and stays inside the prefix.",
    why: "Prometheus redirects / to its start page. If it does not know the prefix (--web.external-url), that redirect \
          leads to a path that nginx does not pass on: people see nginx's 404, or another site.",
    fix: "Start Prometheus with --web.external-url=https://NAME/PREFIX, and --web.route-prefix=/ where nginx strips the \
          prefix.",
    source: "https://prometheus.io/docs/guides/tls-encryption/; prometheus/prometheus#1583",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    Ok(lead_inside(&CHECK, observer, "/").await?.into_iter().collect())
}
