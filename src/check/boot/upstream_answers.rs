//! nginx reaches Prometheus.

use super::super::{Answer, Check, Turn};
use crate::finding::Level;
use crate::observe::{LogLevel, Observer};

pub(crate) static CHECK: Check = Check {
    id: "upstream-answers",
    level: Level::Error,
    what: "nginx reaches Prometheus behind the route: no 502, 503 or 504.",
    why: "nginx runs and the certificate is fine, and still every request fails: the address in proxy_pass is not the one \
          that Prometheus listens on, or its scheme is wrong.",
    fix: "Let proxy_pass name the scheme, host and port that Prometheus listens on (--web.listen-address, by default \
          0.0.0.0:9090, plain HTTP unless --web.config.file says otherwise).",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let seen = observer.get("/-/ready").await?;
    if !matches!(seen.status, 502..=504) {
        return Ok(Vec::new());
    }
    let route = observer.route();
    let log = observer.nginx_log();
    let reason = log.iter().rev().find(|line| line.level >= LogLevel::Error).map(|line| line.message.as_str());
    let reason = reason.and_then(|message| message.split(" while ").next());
    let actual = match reason {
        Some(reason) => format!("{}; nginx logs: {reason}", seen.status),
        None => seen.summary(),
    };
    let finding = CHECK
        .finding(format!("nginx does not reach Prometheus at {}", route.upstream))
        .expected("Prometheus's own answer, 200 from /-/ready")
        .actual(actual)
        .at(route.proxy_pass.clone())
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl(&seen));
    Ok(vec![finding])
}
