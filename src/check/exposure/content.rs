//! What of Prometheus is private, and how its answers are told from nginx's own.

use super::super::obstacle::is_of_go;
use crate::observe::Seen;

/// Pages, API, metrics and profiles of every Prometheus. `/-/healthy` and `/-/ready` are meant to be open.
pub(in super::super) const PRIVATE: [&str; 10] = [
    "/api/v1/status/buildinfo",
    "/api/v1/status/config",
    "/api/v1/query?query=1",
    "/api/v1/targets",
    "/graph",
    "/status",
    "/targets",
    "/metrics",
    "/federate?match%5B%5D=up",
    PROFILES,
];

/// The list of profiles.
pub(in super::super) const PROFILES: &str = "/debug/pprof/";

/// Whether an answer to one of [`PRIVATE`] shows what Prometheus has.
pub(in super::super) fn is_shown(seen: &Seen) -> bool {
    if seen.status != 200 || is_of_go(seen) && seen.media_type() != "application/json" {
        return false;
    }
    let exposition = || seen.header(reqwest::header::CONTENT_TYPE).is_some_and(|of| of.contains("version="));
    match seen.media_type() {
        "application/json" => seen.text().contains("\"status\":\"success\""),
        "text/html" => ["Prometheus", "/debug/pprof/", "goroutine"].iter().any(|own| seen.text().contains(own)),
        _ => exposition(),
    }
}

/// What came, without what changes from one moment or version to the next.
pub(super) fn answered(seen: &Seen) -> String {
    match seen.status {
        200..=299 => format!("{} and content", seen.status),
        _ => seen.summary(),
    }
}
