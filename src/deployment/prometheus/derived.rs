//! What is made where the deployment does not say it: flags that fit the route, and a minimal `prometheus.yml`.

use super::super::route::Route;
use super::flag::PrometheusFlag;
use super::{EXTERNAL_URL, ROUTE_PREFIX};

/// The certificate that a made `prometheus.yml` trusts: that of the Lab's CA.
pub(crate) const MADE_CA: &str = "/etc/prometheus/proxyproof-ca.crt";

/// The flags with which the route works: links start with the public URL, and the paths that arrive are served.
pub(super) fn flags(route: &Route) -> Vec<PrometheusFlag> {
    let path = if route.prefix.is_empty() { "/" } else { &route.prefix };
    let mut flags = vec![PrometheusFlag::derived(format!("--{EXTERNAL_URL}={}{path}", route.origin()))];
    let served_below = route.served_below();
    if served_below != route.prefix {
        let prefix = if served_below.is_empty() { "/" } else { served_below };
        flags.push(PrometheusFlag::derived(format!("--{ROUTE_PREFIX}={prefix}")));
    }
    flags
}

/// The least that gives `up` a value: Prometheus scrapes itself, often enough that nobody waits.
pub(super) fn config(route: &Route, at: &str, port: u16, route_prefix: &str, tls: bool) -> String {
    let host = route.upstream.name();
    let way = match tls {
        true => {
            format!("\n    scheme: https\n    tls_config:\n      ca_file: {MADE_CA}\n      server_name: \"{host}\"")
        }
        false => String::new(),
    };
    format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: prometheus\n    \
         metrics_path: {route_prefix}/metrics{way}\n    static_configs:\n      - targets: [\"{at}:{port}\"]\n"
    )
}
