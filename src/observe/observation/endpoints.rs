//! What is asked for: every endpoint that a version of Prometheus has or had, below the prefix.

/// An endpoint, and how its answer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The method and the path, as `GET /graph`.
    pub(super) name: &'static str,
    /// How far its JSON is looked into.
    pub(super) depth: Depth,
}

/// How far a JSON answer is looked into: as far as the first scrape changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Whole.
    Whole,
    /// Its lists may be empty still.
    Keys,
    /// Its data are a table, the keys of which are names of metrics.
    Table,
}

const fn endpoint(name: &'static str) -> Endpoint {
    Endpoint { name, depth: Depth::Keys }
}

const fn steady(name: &'static str) -> Endpoint {
    Endpoint { name, depth: Depth::Whole }
}

/// Nothing here changes anything: what does so by POST or PUT is asked by GET, which tells whether it is there (405).
pub(super) const ENDPOINTS: &[Endpoint] = &[
    // The pages of all generations of the UI.
    endpoint("GET "),
    endpoint("GET /"),
    endpoint("GET /graph"),
    endpoint("GET /graph?g0.expr=up"),
    endpoint("GET /query"),
    endpoint("GET /alerts"),
    endpoint("GET /targets"),
    endpoint("GET /rules"),
    endpoint("GET /config"),
    endpoint("GET /flags"),
    endpoint("GET /status"),
    endpoint("GET /tsdb-status"),
    endpoint("GET /service-discovery"),
    endpoint("GET /alertmanager-discovery"),
    endpoint("GET /agent"),
    endpoint("GET /classic/graph"),
    endpoint("GET /classic/alerts"),
    endpoint("GET /classic/targets"),
    endpoint("GET /classic/rules"),
    endpoint("GET /classic/config"),
    endpoint("GET /classic/flags"),
    endpoint("GET /classic/status"),
    endpoint("GET /classic/service-discovery"),
    endpoint("GET /new"),
    endpoint("GET /new/graph"),
    endpoint("GET /new/targets"),
    endpoint("GET /consoles/"),
    endpoint("GET /consoles/index.html.example"),
    endpoint("GET /favicon.ico"),
    endpoint("GET /favicon.svg"),
    endpoint("GET /manifest.json"),
    endpoint("GET /version"),
    endpoint("GET /nosuch"),
    // The API.
    steady("GET /api/v1/query?query=vector(1)"),
    steady("GET /api/v1/query?query=vector(1)&stats=all"),
    steady("GET /api/v1/query_range?query=vector(1)&start=0&end=60&step=60"),
    steady("GET /api/v1/query?query="),
    steady("POST /api/v1/query"),
    steady("OPTIONS /api/v1/query"),
    endpoint("GET /api/v1/query_exemplars?query=up&start=0&end=1"),
    steady("GET /api/v1/format_query?query=up"),
    steady("GET /api/v1/parse_query?query=up"),
    endpoint("GET /api/v1/series?match[]=up"),
    endpoint("GET /api/v1/labels"),
    endpoint("GET /api/v1/label/job/values"),
    endpoint("GET /api/v1/targets"),
    endpoint("GET /api/v1/targets/metadata"),
    endpoint("GET /api/v1/targets/relabel_steps"),
    endpoint("GET /api/v1/scrape_pools"),
    Endpoint { name: "GET /api/v1/metadata", depth: Depth::Table },
    steady("GET /api/v1/rules"),
    endpoint("GET /api/v1/alerts"),
    endpoint("GET /api/v1/alertmanagers"),
    steady("GET /api/v1/status/config"),
    steady("GET /api/v1/status/flags"),
    steady("GET /api/v1/status/buildinfo"),
    steady("GET /api/v1/status/runtimeinfo"),
    endpoint("GET /api/v1/status/tsdb"),
    endpoint("GET /api/v1/status/tsdb/blocks"),
    endpoint("GET /api/v1/status/walreplay"),
    endpoint("GET /api/v1/features"),
    endpoint("GET /api/v1/notifications"),
    // The stream itself has no end: another method tells whether it is there.
    endpoint("POST /api/v1/notifications/live"),
    steady("GET /api/v1/nosuch"),
    endpoint("GET /api/v1/admin/tsdb/snapshot"),
    // Where data is sent to and read from.
    endpoint("GET /api/v1/read"),
    endpoint("GET /api/v1/write"),
    endpoint("GET /api/v1/otlp/v1/metrics"),
    // Scrapes.
    endpoint("GET /metrics"),
    endpoint("HEAD /metrics"),
    endpoint("GET /federate"),
    endpoint("GET /federate?match[]=up"),
    // Health and lifecycle.
    endpoint("GET /-/healthy"),
    endpoint("GET /-/ready"),
    endpoint("HEAD /-/healthy"),
    endpoint("HEAD /-/ready"),
    endpoint("HEAD /"),
    endpoint("GET /-/reload"),
    endpoint("GET /-/quit"),
    endpoint("GET /debug/pprof/"),
    endpoint("GET /debug/pprof/symbol"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_is_named_once_and_changes_nothing() {
        let names: BTreeSet<_> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
        assert_eq!(names.len(), ENDPOINTS.len());
        for name in names.iter().filter(|name| !name.starts_with("GET ") && !name.starts_with("HEAD ")) {
            assert!(name.contains("/api/v1/query") || name.contains("/notifications/"), "{name}");
        }
    }
}
