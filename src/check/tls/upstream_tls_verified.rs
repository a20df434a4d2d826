//! nginx verifies the certificate of a Prometheus that speaks TLS itself.

use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "upstream-tls-verified",
    level: Level::Warning,
    what: "Where nginx speaks https to Prometheus, it verifies Prometheus's certificate.",
    why: "proxy_ssl_verify is off unless it is written: nginx encrypts to whoever answers, and passes queries and passwords to \
          anybody who can take the upstream's address.",
    fix: "proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/nginx/prometheus-ca.pem; proxy_ssl_name prometheus; \
          proxy_ssl_server_name on;",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let route = observer.route();
    if route.scheme != "https" {
        return Err(Skip("nginx speaks no TLS to Prometheus".to_owned()));
    }
    let facts = observer.facts();
    let verify = facts.in_force_at_pass("proxy_ssl_verify").last().copied();
    match verify {
        // nginx does not start where it has to verify and has nothing to trust.
        Some(verify) if verify.arg(0) == Some("on") => Ok(Vec::new()),
        Some(verify) => {
            let fix = Fix::replace(verify.location.clone(), lines(observer));
            Ok(vec![finding(observer, "proxy_ssl_verify off").at(verify.location.clone()).fix(fix)])
        }
        None => {
            let fix = Fix::insert_after(route.proxy_pass.clone(), lines(observer));
            Ok(vec![finding(observer, "no proxy_ssl_verify").at(route.proxy_pass.clone()).fix(fix)])
        }
    }
}

fn finding(observer: &Observer, actual: &str) -> Finding {
    let upstream = &observer.route().upstream;
    let is_local = upstream.host_port().is_none_or(|address| {
        address.host == "localhost" || address.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    });
    // On the machine itself nobody stands between.
    let level = if is_local { Level::Note } else { Level::Warning };
    CHECK
        .finding(format!("nginx does not verify the certificate of {upstream}"))
        .at_level(level)
        .expected("proxy_ssl_verify on; with proxy_ssl_trusted_certificate")
        .actual(actual)
}

/// What is missing, with the name that the upstream's certificate is for.
fn lines(observer: &Observer) -> String {
    let facts = observer.facts();
    let has = |name: &str| !facts.in_force_at_pass(name).is_empty();
    let upstream = observer.route().upstream.name();
    let wanted = [
        ("proxy_ssl_verify", "proxy_ssl_verify on;".to_owned()),
        ("proxy_ssl_trusted_certificate", "proxy_ssl_trusted_certificate /etc/nginx/prometheus-ca.pem;".to_owned()),
        ("proxy_ssl_name", format!("proxy_ssl_name {upstream};")),
        ("proxy_ssl_server_name", "proxy_ssl_server_name on;".to_owned()),
    ];
    let missing = wanted.into_iter().filter(|(name, _)| *name == "proxy_ssl_verify" || !has(name));
    missing.map(|(_, line)| line).collect::<Vec<_>>().join(" ")
}
