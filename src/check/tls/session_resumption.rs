//! A client that comes back need not begin the handshake anew, and the key of its ticket is not kept for ever.

use super::super::obstacle::need_tls;
use super::super::{Answer, Check, Turn, View};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::Observer;

const CACHE: &str = "ssl_session_cache shared:SSL:10m;";

pub(crate) static CHECK: Check = Check {
    id: "session-resumption",
    level: Level::Warning,
    what: "A client that comes back goes on with its TLS session, and no file keeps the key of session tickets for ever.",
    why: "Without resumption every scrape and every query pays for a whole handshake. A ticket key in a file that nobody \
          changes opens all recorded traffic of TLS 1.2 to whoever gets the file.",
    fix: "ssl_session_cache shared:SSL:10m; and no ssl_session_ticket_key: since 1.23.2 nginx makes the keys itself and \
          changes them, where there is a shared cache.",
    source: "RFC 5077, section 5.5; https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key; nginx \
             1.23.2 CHANGES",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let facts = observer.facts();
    let mut findings = Vec::new();
    let tickets = facts.tls_in_force("ssl_session_tickets").last().is_none_or(|tickets| tickets.arg(0) != Some("off"));
    let keys = facts.tls_in_force("ssl_session_ticket_key");
    if let Some(key) = keys.first().filter(|_| tickets) {
        findings.push(key_in_a_file(key, keys.len()));
    }
    // A client without a name in its handshake has nothing to come back to.
    if observer.sni().is_some() && !observer.resumes().await? {
        findings.push(anew(observer));
    }
    Ok(findings)
}

/// Several keys are how one is changed: the first is used, the others are still read. Who does so may change them.
fn key_in_a_file(key: &Directive, keys: usize) -> Finding {
    let level = if keys > 1 { Level::Note } else { Level::Warning };
    CHECK
        .finding("the key of session tickets is in a file, and the same until somebody changes it")
        .at_level(level)
        .expected("keys that nginx makes and changes itself")
        .actual(key.arg(0).unwrap_or_default())
        .at(key.location.clone())
        .fix(Fix::replace(key.location.clone(), CACHE).said(format!(
            "{CACHE} in the place of ssl_session_ticket_key; where several servers share it, write a new key every day"
        )))
}

fn anew(observer: &Observer) -> Finding {
    let facts = observer.facts();
    let cache = facts.tls_in_force("ssl_session_cache");
    let server = facts.tls_server_place().clone();
    let (place, fix) = match cache.last() {
        Some(cache) => (cache.location.clone(), Fix::replace(cache.location.clone(), CACHE)),
        None => (server.clone(), Fix::insert_into(server, CACHE)),
    };
    let route = observer.route();
    CHECK
        .finding("a client that comes back begins its TLS session anew")
        .at_level(Level::Note)
        .expected("a session that goes on")
        .actual("a whole handshake")
        .at(place)
        .fix(fix)
        .shown_by(
            observer.shell().s_client(&route.server_name, route.port).replace(" </dev/null", " -reconnect </dev/null"),
        )
}
