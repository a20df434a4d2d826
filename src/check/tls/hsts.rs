//! Strict-Transport-Security: there, long enough, on errors too.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::header::STRICT_TRANSPORT_SECURITY;

use super::super::obstacle::need_tls;
use super::super::{Answer, Check, Skip, Turn, View};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

const HEADER: &str = "Strict-Transport-Security";
const GOOD: &str = "add_header Strict-Transport-Security \"max-age=31536000\" always;";
/// Half a year: what scanners ask for.
const LEAST: u64 = 180 * 24 * 60 * 60;
/// Pages, API and metrics, which people put into locations of their own.
const PATHS: [&str; 4] = ["/api/v1/status/buildinfo", "/graph", "/metrics", "/-/healthy"];
/// What Prometheus does not have: a 404.
const NOWHERE: &str = "/api/v1/nosuch";

pub(crate) static CHECK: Check = Check {
    id: "hsts",
    level: Level::Warning,
    what: "Every answer says Strict-Transport-Security with at least half a year, errors too, and none over plain HTTP.",
    why: "Without it the first request of a browser goes out in plain text, where anybody on the way can keep it. `add_header` \
          without `always` leaves it out of the 401 that a browser sees first; an `add_header` in a location drops all \
          that stand outside of it.",
    fix: GOOD,
    source: "RFC 6797; https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let name = &observer.route().server_name;
    if name.parse::<IpAddr>().is_ok() || !name.contains('.') {
        return Err(Skip(format!("browsers keep it for names of the public DNS alone, not for {name}")));
    }
    let answers = join_all(PATHS.map(|path| observer.get(path))).await;
    let answers: Vec<Arc<Seen>> = answers.into_iter().collect::<Result<_, _>>()?;
    let mut findings = Vec::new();
    // An answer that add_header does not take part in without `always` says nothing of the location.
    let (usual, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|seen| takes_part(seen.status));
    let with: Vec<&Arc<Seen>> = usual.iter().filter(|seen| policy(seen).is_some()).collect();
    let without: Vec<&Arc<Seen>> = usual.iter().filter(|seen| policy(seen).is_none()).collect();
    match (with.first(), without.first()) {
        (None, Some(first)) => findings.push(missing(observer, first)),
        (Some(_), Some(first)) => findings.push(lost(observer, first)),
        _ => {}
    }
    findings.extend(with.iter().find_map(|seen| too_short(observer, seen)));
    if !with.is_empty() || usual.is_empty() {
        findings.extend(on_errors(observer, refused.first(), !with.is_empty()).await?);
    }
    findings.extend(over_plain_http(observer).await);
    Ok(findings)
}

/// The status codes of `add_header` without `always`.
fn takes_part(status: u16) -> bool {
    matches!(status, 200 | 201 | 204 | 206 | 301..=304 | 307 | 308)
}

fn policy(seen: &Seen) -> Option<&str> {
    seen.header(STRICT_TRANSPORT_SECURITY)
}

/// The `add_header` of this header that is in force for a path.
fn directive<'a>(observer: &'a Observer, seen: &Seen) -> Option<&'a Directive> {
    let in_force = observer.facts().in_force(seen.url.path(), "add_header");
    in_force.into_iter().find(|directive| is_hsts(directive))
}

fn is_hsts(directive: &Directive) -> bool {
    directive.arg(0).is_some_and(|name| name.eq_ignore_ascii_case(HEADER))
}

fn missing(observer: &Observer, seen: &Seen) -> Finding {
    let server = observer.facts().server().location.clone();
    let (place, fix) = match observer.facts().in_force(seen.url.path(), "add_header").last() {
        Some(last) => (last.location.clone(), Fix::insert_after(last.location.clone(), GOOD)),
        None => (server.clone(), Fix::insert_into(server.clone(), GOOD)),
    };
    // It may be written, and dropped by another line further in.
    let dropped = observer.facts().server_in_force("add_header").into_iter().any(is_hsts);
    let finding = CHECK
        .finding("no answer says Strict-Transport-Security")
        .expected("Strict-Transport-Security: max-age=31536000")
        .actual(format!("{} without it", seen.status))
        .at(if dropped { place } else { server })
        .fix(fix);
    finding.shown_by(observer.shell().curl(seen))
}

fn lost(observer: &Observer, seen: &Seen) -> Finding {
    let in_force = observer.facts().in_force(seen.url.path(), "add_header");
    // The line that drops the others; where there is none, something else does, and no line is known.
    let (place, fix) = match in_force.last().filter(|_| !in_force.iter().any(|directive| is_hsts(directive))) {
        Some(last) => (Some(last.location.clone()), Fix::insert_after(last.location.clone(), GOOD)),
        None => (None, Fix::from(GOOD)),
    };
    CHECK
        .finding(format!("{} loses Strict-Transport-Security", seen.url.path()))
        .expected("the header that other paths have")
        .actual(format!("{} without it", seen.status))
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl(seen))
}

fn too_short(observer: &Observer, seen: &Seen) -> Option<Finding> {
    let policy = policy(seen)?;
    let age = policy.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
    });
    if age.is_some_and(|age| age >= LEAST) {
        return None;
    }
    let directive = directive(observer, seen);
    let finding = CHECK
        .finding("Strict-Transport-Security is for less than half a year")
        .expected("max-age=15552000 or more")
        .actual(policy)
        .at(directive.map(|directive| directive.location.clone()))
        .fix(directive.map_or_else(|| Fix::from(GOOD), |directive| Fix::replace(directive.location.clone(), GOOD)))
        .shown_by(observer.shell().curl(seen));
    Some(finding)
}

/// An error of nginx or of Prometheus has it too, if it says `always`.
async fn on_errors(
    observer: &Observer,
    known: Option<&Arc<Seen>>,
    others_say_it: bool,
) -> Result<Option<Finding>, Skip> {
    let seen = match known {
        Some(seen) => Arc::clone(seen),
        None => observer.get(NOWHERE).await?,
    };
    if policy(&seen).is_some() || takes_part(seen.status) {
        return Ok(None);
    }
    // Something else than add_header may say it on the other answers.
    let directive = directive(observer, &seen);
    if directive.is_none() && !others_say_it {
        return Ok(None);
    }
    let fix = directive.map_or_else(|| Fix::from(GOOD), with_always);
    let finding = CHECK
        .finding("errors do not say Strict-Transport-Security")
        .at_level(Level::Note)
        .expected("the header on every answer: a browser sees 401 first")
        .actual(format!("{} without it", seen.status))
        .at(directive.map(|directive| directive.location.clone()))
        .fix(fix)
        .shown_by(observer.shell().curl(&seen));
    Ok(Some(finding))
}

fn with_always(directive: &Directive) -> Fix {
    let args: String = directive.args.iter().take(2).map(|arg| format!(" {}", quoted(&arg.text))).collect();
    Fix::replace(directive.location.clone(), format!("add_header{args} always;"))
}

fn quoted(word: &str) -> String {
    if word.contains([' ', ';', '{', '}']) { format!("\"{word}\"") } else { word.to_owned() }
}

/// RFC 6797, section 7.2: not over plain HTTP, where clients must not believe it.
async fn over_plain_http(observer: &Observer) -> Option<Finding> {
    let mut url = observer.url("/");
    // Both are valid for an https URL; the default port of http is 80.
    let _ = url.set_scheme("http");
    let _ = url.set_port(None);
    let seen = observer.get_url(url).await.ok().filter(|seen| policy(seen).is_some())?;
    let finding = CHECK
        .finding("port 80 says Strict-Transport-Security, which no client believes there")
        .at_level(Level::Note)
        .expected("a redirect without it")
        .actual(seen.summary())
        .at(observer.facts().plain_listen_place())
        .fix("move the add_header into the server that listens with ssl")
        .shown_by(observer.shell().curl(&seen));
    Some(finding)
}
