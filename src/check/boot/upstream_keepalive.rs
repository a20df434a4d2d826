//! Connections to Prometheus that are meant to be kept are kept.

use super::super::obstacle::{PROBE, get_past, need_answers};
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::Observer;

/// How many requests are made, one after the other on one connection of a client.
const REQUESTS: u32 = 6;
/// Prometheus's own count of the connections that it took.
const TAKEN: &str = "net_conntrack_listener_conn_accepted_total{listener_name=\"http\"}";

pub(crate) static CHECK: Check = Check {
    id: "upstream-keepalive",
    level: Level::Note,
    what: "Where the upstream block says `keepalive`, nginx uses a connection to Prometheus again.",
    why: "Before nginx 1.29.7 `keepalive` alone does nothing: nginx speaks HTTP/1.0 to what is behind it and closes each \
          connection. Under load every request then costs a new one, and the ports of the machine run out. A constant \
          `Connection \"upgrade\"`, copied from a rule for websockets, has the same effect.",
    fix: "proxy_http_version 1.1; proxy_set_header Connection \"\"; in the location of Prometheus",
    source: "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive; nginx 1.29.7 CHANGES",
    turn: Turn::Alone,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let facts = observer.facts();
    let path = observer.url(PROBE).path().to_owned();
    let block = facts.pass_for(&path).and_then(|pass| facts.upstream_blocks(pass));
    let Some(keepalive) = block.and_then(|[_, block]| block.children_named("keepalive").next()) else {
        return Err(Skip("the deployment keeps no connections to Prometheus".to_owned()));
    };
    need_answers(observer).await?;
    let before = taken(observer).await?;
    for _ in 0..REQUESTS {
        get_past(&observer.http().send(&observer.request(PROBE)).await?)?;
    }
    let new = taken(observer).await?.saturating_sub(before);
    Ok(if new < REQUESTS { Vec::new() } else { vec![finding(observer, keepalive, &path, new)] })
}

/// How many connections Prometheus has taken so far.
async fn taken(observer: &Observer) -> Result<u32, Skip> {
    let seen = observer.http().send(&observer.request("/metrics")).await?;
    get_past(&seen)?;
    let text = seen.text();
    let count = text.lines().find_map(|line| line.strip_prefix(TAKEN)?.trim().parse().ok());
    count.ok_or_else(|| Skip("Prometheus's own metrics are not to be had: they count its connections".to_owned()))
}

fn finding(observer: &Observer, keepalive: &Directive, path: &str, new: u32) -> Finding {
    let facts = observer.facts();
    let is_connection = |line: &&Directive| line.arg(0).is_some_and(|name| name.eq_ignore_ascii_case("connection"));
    let constant = facts.in_force(path, "proxy_set_header").into_iter().find(is_connection);
    let constant = constant.filter(|line| line.arg(1).is_some_and(|value| !value.is_empty()));
    let (place, fix) = match constant {
        Some(line) => (line, Fix::replace(line.location.clone(), "proxy_set_header Connection \"\";")),
        None => (keepalive, Fix::from(CHECK.fix)),
    };
    CHECK
        .finding("nginx closes every connection to Prometheus, although `keepalive` is written")
        .expected("one connection to Prometheus for several requests")
        .actual(format!("{new} new connections for {REQUESTS} requests and a look at the count"))
        .at(place.location.clone())
        .fix(fix)
}
