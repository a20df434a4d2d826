//! nginx reaches Prometheus.

use std::sync::Arc;

use super::super::obstacle::{PROBE, get_past, is_refused_by_go};
use super::super::{Answer, Check, Skip, Turn, View};
use super::resolving::by_a_public_resolver;
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{LogLevel, LogLine, Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "upstream-answers",
    level: Level::Error,
    what: "nginx reaches Prometheus behind the route, and Prometheus takes its requests: no 502, 503 or 504, and no 400.",
    why: "nginx runs and the certificate is fine, and still every request fails: the address in proxy_pass is not the one \
          that Prometheus listens on, or its scheme is wrong; or Host is set twice, which no server has to take.",
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
    if is_refused_by_go(&seen) {
        return Ok(vec![refused(observer, &seen)]);
    }
    if !matches!(seen.status, 502..=504) {
        return Ok(by_a_public_resolver(observer).into_iter().collect());
    }
    let route = observer.route();
    // The first tells the cause; later ones may only say that nobody is left to ask.
    let is_about_it = |line: &LogLine| line.level >= LogLevel::Error && line.message.contains("upstream");
    let said = observer.nginx_says(is_about_it).await.map(|line| line.message);
    // It is the address that is wrong, or what is spoken with it.
    let is_the_address = said.as_deref().is_some_and(|said| said.starts_with("connect() failed"));
    let place = if is_the_address { observer.facts().upstream_place() } else { route.proxy_pass.clone() };
    let actual = said.map_or_else(|| seen.summary(), |said| format!("{}; nginx logs: {said}", seen.status));
    let finding = CHECK
        .finding("nginx does not reach Prometheus")
        .expected("Prometheus's own answer, 200 from /-/ready")
        .actual(actual)
        .at(place)
        .fix(format!("{} It names {} now.", CHECK.fix, route.upstream))
        .shown_by(observer.shell().curl(&seen));
    Ok(vec![finding])
}

/// Prometheus gets the request, and its HTTP server takes it for none.
fn refused(observer: &Observer, seen: &Seen) -> Finding {
    let set = observer.facts().in_force_at_pass("proxy_set_header");
    let is_host = |line: &&Directive| line.arg(0).is_some_and(|name| name.eq_ignore_ascii_case("host"));
    let hosts: Vec<&Directive> = set.into_iter().filter(is_host).collect();
    let (place, fix) = match hosts.as_slice() {
        [_, .., second] => {
            let words = format!("remove `{}`: Host may come once", second.written());
            (second.location.clone(), Fix::remove(second.location.clone(), words))
        }
        [one] => (one.location.clone(), Fix::replace(one.location.clone(), "proxy_set_header Host $host;")),
        [] => (observer.route().proxy_pass.clone(), Fix::from("proxy_set_header Host $host;")),
    };
    CHECK
        .finding(format!("Prometheus at {} refuses every request as nginx passes it on", observer.route().upstream))
        .expected("Prometheus's own answer, 200 from /-/ready")
        .actual(seen.summary())
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl(seen))
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
