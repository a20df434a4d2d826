//! Addresses that `allow` and `deny` refuse get nothing, on every path that leads to Prometheus.

use futures_util::future::join_all;
use ipnet::IpNet;
use reqwest::Method;

use super::super::{Answer, Check, Skip, Turn, View};
use super::content::answered;
use crate::deployment::AddressRule;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

/// Pages, API, metrics and health of every Prometheus.
const PATHS: [&str; 7] =
    ["/", "/graph", "/api/v1/status/buildinfo", "/api/v1/query?query=1", "/metrics", "/federate", "/-/healthy"];

pub(crate) static CHECK: Check = Check {
    id: "address-rules",
    level: Level::Error,
    what: "A client from an address that `deny` refuses gets nothing of Prometheus, on any path.",
    why: "172.0.0.0/8 lets in more than 172.16.0.0/12, which alone is private. A list of addresses stands in one location and is lost in the next: a more specific location, a regex or an \
          `allow` of its own level replaces the whole list, and the API is open while the page is closed.",
    fix: "Repeat the list in the location that answers, or move it to the server: \
          `allow 10.0.0.0/8; deny all;` in every location that leads to Prometheus.",
    source: "https://nginx.org/en/docs/http/ngx_http_access_module.html",
    turn: Turn::Together,
    view: View::Inside("it takes a client from an address that the deployment refuses: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let mut findings: Vec<Finding> =
        observer.route().access.rules.iter().filter_map(|rule| wider(observer, rule)).collect();
    findings.extend(never_asked(observer));
    let access = &observer.route().access;
    if access.any && access.request.is_some() && findings.is_empty() {
        return Err(Skip("another server's word is enough (satisfy any), and a stub gives it here".to_owned()));
    }
    let Some((address, client)) = observer.refused_client() else {
        if !findings.is_empty() {
            return Ok(findings);
        }
        return Err(Skip("the deployment refuses no address".to_owned()));
    };
    let asking = PATHS.map(|path| client.ask(Method::GET, observer.url(path), &[]));
    for seen in join_all(asking).await {
        // A connection that is closed without an answer is refused as well.
        let Ok(seen) = seen else { continue };
        if seen.status < 400 {
            findings.push(finding(observer, &seen, &address.to_string()));
        }
    }
    Ok(findings)
}

/// A list that means a private network, and lets in what is around it: 172.16.0.0/12 is private, 172.0.0.0/8 is not.
fn wider(observer: &Observer, rule: &AddressRule) -> Option<Finding> {
    let wide = rule.networks.iter().filter(|_| rule.allows).find_map(|network| Some((network, meant(network)?)));
    let (network, meant) = wide?;
    let finding = CHECK
        .finding(format!("{network} is more than a private network: it lets in addresses of the internet"))
        .at_level(Level::Warning)
        .expected(format!("allow {meant};"))
        .actual(observer.facts().written(&rule.location))
        .at(rule.location.clone())
        .fix(Fix::replace(rule.location.clone(), format!("allow {meant};")));
    Some(finding)
}

/// Rules that a wider one of the other kind before them takes every address from: the first that fits decides.
fn never_asked(observer: &Observer) -> Vec<Finding> {
    let rules = &observer.route().access.rules;
    let hidden = rules.iter().enumerate().filter(|(_, rule)| !rule.allows && !rule.networks.is_empty());
    let hidden = hidden.filter_map(|(index, rule)| {
        let covers = |wide: &IpNet| rule.networks.iter().all(|network| wide.contains(network));
        let before = rules[..index].iter().find(|before| before.allows && before.networks.iter().any(covers))?;
        let (own, other) = (observer.facts().written(&rule.location), observer.facts().written(&before.location));
        let finding = CHECK
            .finding(format!("`{own}` refuses nobody: `{other}` before it lets them in"))
            .expected("the narrower rule first: nginx takes the first that fits")
            .actual(format!("{other} … {own}"))
            .at(rule.location.clone())
            .fix(Fix::insert_before(before.location.clone(), own.clone()));
        Some(finding)
    });
    hidden.collect()
}

/// The private network in which this one begins or which it holds, if it is of the same first number and wider.
fn meant(network: &IpNet) -> Option<IpNet> {
    /// RFC 1918.
    const PRIVATE: [&str; 2] = ["172.16.0.0/12", "192.168.0.0/16"];
    let private = PRIVATE.iter().filter_map(|private| private.parse::<IpNet>().ok());
    // A whole half of the internet is meant as such.
    private.into_iter().find(|private| network.contains(private) && network != private && network.prefix_len() >= 8)
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

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn what_is_wider_than_a_private_network_is_told() {
        let meant = |network: &str| meant(&network.parse().expect("a network")).map(|meant| meant.to_string());
        assert_eq!(meant("172.0.0.0/8").as_deref(), Some("172.16.0.0/12"));
        assert_eq!(meant("192.0.0.0/8").as_deref(), Some("192.168.0.0/16"));
        for right in ["10.0.0.0/8", "172.16.0.0/12", "172.17.0.0/16", "192.168.1.0/24", "0.0.0.0/0", "203.0.113.0/24"] {
            assert_eq!(meant(right), None, "{right}");
        }
    }
}
