//! nginx reaches Prometheus.

use std::sync::Arc;

use super::super::obstacle::{PROBE, get_past};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::Level;
use crate::observe::{LogLevel, LogLine, Observer, Seen};

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
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let seen = answer(observer).await?;
    if seen.status == 429 || (seen.status == 503 && seen.media_type() == "text/html") {
        // nginx has not tried to reach it.
        get_past(&seen)?;
    }
    if !matches!(seen.status, 502..=504) {
        return Ok(Vec::new());
    }
    let route = observer.route();
    // The first tells the cause; later ones may only say that nobody is left to ask.
    let is_about_it = |line: &LogLine| line.level >= LogLevel::Error && line.message.contains("upstream");
    let actual = match observer.nginx_says(is_about_it).await {
        Some(line) => format!("{}; nginx logs: {}", seen.status, line.message),
        None => seen.summary(),
    };
    let finding = CHECK
        .finding("nginx does not reach Prometheus")
        .expected("Prometheus's own answer, 200 from /-/ready")
        .actual(actual)
        .at(route.proxy_pass.clone())
        .fix(format!("{} It names {} now.", CHECK.fix, route.upstream))
        .shown_by(observer.shell().curl(&seen));
    Ok(vec![finding])
}

/// The first answer that is not nginx's own refusal: one of these paths may be closed, and the others tell as much.
async fn answer(observer: &Observer) -> Result<Arc<Seen>, Skip> {
    let mut refused = None;
    for path in ["/-/ready", "/", PROBE] {
        let seen = observer.get(path).await?;
        match seen.status {
            401 | 403 => refused = refused.or(get_past(&seen).err()),
            _ => return Ok(seen),
        }
    }
    Err(refused.unwrap_or_else(|| Skip("no answer".to_owned())))
}
