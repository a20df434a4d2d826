//! Addresses that `allow` and `deny` refuse get nothing, on every path that leads to Prometheus.

use futures_util::future::join_all;
use reqwest::Method;

use super::super::{Answer, Check, Skip, Turn, View};
use super::content::answered;
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

/// Pages, API, metrics and health of every Prometheus.
const PATHS: [&str; 7] =
    ["/", "/graph", "/api/v1/status/buildinfo", "/api/v1/query?query=1", "/metrics", "/federate", "/-/healthy"];

pub(crate) static CHECK: Check = Check {
    id: "address-rules",
    level: Level::Error,
    what: "A client from an address that `deny` refuses gets nothing of Prometheus, on any path.",
    why: "A list of addresses stands in one location and is lost in the next: a more specific location, a regex or an \
          `allow` of its own level replaces the whole list, and the API is open while the page is closed.",
    fix: "Repeat the list in the location that answers, or move it to the server: \
          `allow 10.0.0.0/8; deny all;` in every location that leads to Prometheus.",
    source: "https://nginx.org/en/docs/http/ngx_http_access_module.html",
    turn: Turn::Together,
    view: View::Inside("it takes a client from an address that the deployment refuses: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let Some((address, client)) = observer.refused_client() else {
        return Err(Skip("the deployment refuses no address".to_owned()));
    };
    let asking = PATHS.map(|path| client.ask(Method::GET, observer.url(path), &[]));
    let mut findings = Vec::new();
    for seen in join_all(asking).await {
        // A connection that is closed without an answer is refused as well.
        let Ok(seen) = seen else { continue };
        if seen.status < 400 {
            findings.push(finding(observer, &seen, &address.to_string()));
        }
    }
    Ok(findings)
}

fn finding(observer: &Observer, seen: &Seen, address: &str) -> Finding {
    let place = observer.facts().location_place(seen.url.path());
    let rules = &observer.route().access.rules;
    let listed = rules.iter().map(|rule| observer.facts().written(&rule.location)).collect::<Vec<_>>().join(" ");
    CHECK
        .finding(format!("{} is open to {address}, which the deployment refuses", seen.url.path()))
        .expected(format!("403 for {address}"))
        .actual(answered(seen))
        .at(place)
        .fix(format!("{listed} in this location too"))
}
