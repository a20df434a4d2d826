//! nginx does not tell its version.

use reqwest::Method;
use reqwest::header::{HOST, SERVER};

use super::super::{Answer, Check, Skip, Turn, View};
use crate::deployment::{Directive, Listen, Server};
use crate::finding::{Edit, Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{Observer, Request, Seen, Visit};

/// A name that nobody has: RFC 6761, section 6.4.
const NOBODY: &str = "unknown-name.invalid";
const OFF: &str = "server_tokens off;";

pub(crate) static CHECK: Check = Check {
    id: "server-tokens",
    level: Level::Note,
    what: "No answer tells which version of nginx it comes from: not in the header `Server`, and not at the foot of an error \
           page; neither the deployment's server nor the one that answers unknown names, nor port 80.",
    why: "Whoever looks for servers with a known hole reads the version and need not try. It hides nothing from somebody who \
          tries, so that it does not replace an update.",
    fix: "server_tokens off; in the http block, so that it holds in every server",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#server_tokens",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

/// A version that was told: by whom, in what, and with which request.
struct Told<'a> {
    server: usize,
    path: String,
    what: &'static str,
    whose: &'static str,
    request: Option<&'a Request>,
}

async fn ask(observer: &Observer) -> Answer {
    let facts = observer.facts();
    let root = observer.url("/");
    let own = observer.request("/");
    // nginx answers it with an error page of its own. Somebody's own server is not asked what only scanners ask.
    let error_server = observer.sees_inside().then_some(observer.route().server);
    let error = observer.request("/").method(Method::TRACE);
    let plain = observer.plain_request("/");
    let plain_unknown = plain.clone().header(HOST, NOBODY);
    let asked = [
        (&own, Some(observer.route().server), "of the public name"),
        (&error, error_server, "of the public name"),
        (&plain, server_on_80(observer, true), "of port 80"),
        (&plain_unknown, server_on_80(observer, false), "of port 80 for unknown names"),
    ];
    let mut told = Vec::new();
    let mut answered = false;
    for (request, server, whose) in asked {
        let Some(server) = server else { continue };
        let Ok(seen) = observer.http().send(request).await else { continue };
        answered = true;
        let what = version_in(&seen);
        told.extend(what.map(|what| Told {
            server,
            path: seen.url.path().to_owned(),
            what,
            whose,
            request: Some(request),
        }));
    }
    if !answered {
        return Err(Skip("no answer comes".to_owned()));
    }
    if let Some(default) = facts.default_server().filter(|_| observer.route().tls) {
        let visit = Visit { sni: Some(NOBODY), host: NOBODY, path: root.path() };
        let visited = observer.visit_from_anywhere(visit).await.ok();
        let what = visited.and_then(|visited| version_in_text(&visited.text));
        told.extend(what.map(|what| Told {
            server: default.index,
            path: root.path().to_owned(),
            what,
            whose: "for unknown names",
            request: None,
        }));
    }
    Ok(by_cause(observer, &told))
}

/// Where the version stands.
fn version_in(seen: &Seen) -> Option<&'static str> {
    let in_header = seen.header(SERVER).is_some_and(tells);
    let in_page = || seen.status >= 300 && tells_in_page(&seen.text());
    if in_header { Some("its header Server") } else { in_page().then_some("its error page") }
}

/// The same in an answer that was not taken apart.
fn version_in_text(text: &str) -> Option<&'static str> {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let server =
        head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("server"));
    if server.is_some_and(|(_, value)| tells(value.trim())) {
        return Some("its header Server");
    }
    tells_in_page(body).then_some("its error page")
}

fn tells(server: &str) -> bool {
    server.strip_prefix("nginx/").is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

fn tells_in_page(body: &str) -> bool {
    body.split("<center>").any(tells)
}

/// The server that answers on port 80 for the public name, or for one that nobody has.
fn server_on_80(observer: &Observer, for_public_name: bool) -> Option<usize> {
    let of_80 = |server: &Server| server.listens.iter().find(|listen| listen.port == 80 && !listen.ssl).cloned();
    let servers: Vec<(usize, &Server, Listen)> = observer
        .facts()
        .deployment
        .servers
        .iter()
        .enumerate()
        .filter_map(|(index, server)| Some((index, server, of_80(server)?)))
        .collect();
    let public = &observer.route().server_name;
    let named = servers.iter().find(|(_, server, _)| server.names.iter().any(|name| name.text == *public));
    let default = servers.iter().find(|(.., listen)| listen.default_server).or(servers.first());
    named.filter(|_| for_public_name).or(default).map(|(index, ..)| *index)
}

/// What makes a server tell its version.
struct Cause {
    place: Location,
    fix: Fix,
    /// There is no line: nginx does it by default.
    is_default: bool,
}

/// One finding for each line that turns it on, and one for all blocks that lack the one that turns it off.
fn by_cause(observer: &Observer, told: &[Told<'_>]) -> Vec<Finding> {
    let mut causes: Vec<(Cause, &Told<'_>)> = Vec::new();
    for told in told {
        let cause = cause(observer, told);
        let is_known = |edit: &Edit| causes.iter().any(|(known, _)| known.fix.edits.contains(edit));
        if cause.fix.edits.iter().all(is_known) {
            continue;
        }
        match causes.iter_mut().find(|(known, _)| known.is_default && cause.is_default) {
            Some((known, _)) => known.fix.edits.extend(cause.fix.edits),
            None => causes.push((cause, told)),
        }
    }
    causes.into_iter().map(|(cause, told)| finding(observer, cause, told)).collect()
}

fn finding(observer: &Observer, Cause { place, fix, .. }: Cause, told: &Told<'_>) -> Finding {
    let fix = match fix.edits.len() {
        0 | 1 => fix,
        _ => fix.said(format!("{OFF} in each server, or once in the http block around them")),
    };
    let finding = CHECK
        .finding(format!("the server {} tells its version", told.whose))
        .expected("`Server: nginx`, and error pages without a number")
        .actual(format!("`nginx/` and the version in {}", told.what))
        .at(place)
        .fix(fix);
    match told.request {
        Some(request) => finding.shown_by(observer.shell().curl_raw(request)),
        None => finding,
    }
}

/// The line that turns it on; else the block where the one that turns it off has to go.
fn cause(observer: &Observer, told: &Told<'_>) -> Cause {
    let facts = observer.facts();
    let is_own = told.server == observer.route().server;
    let in_force: Vec<&Directive> = match is_own {
        true => facts.in_force(&told.path, "server_tokens"),
        false => facts.server_in_force_of(told.server, "server_tokens"),
    };
    if let Some(line) = in_force.last() {
        let place = line.location.clone();
        return Cause { fix: Fix::replace(place.clone(), OFF), place, is_default: false };
    }
    let blocks = facts.server_blocks(told.server);
    let is_users =
        |block: &&&Directive| facts.deployment.nginx.users_place(&block.location) == Some(block.location.clone());
    let block = blocks.iter().find(is_users).or(blocks.last());
    let place = block.map_or_else(|| facts.server().location.clone(), |block| block.location.clone());
    Cause { fix: Fix::insert_into(place.clone(), OFF), place, is_default: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_behind_the_name() {
        assert!(tells("nginx/1.26.3") && tells("nginx/1.18.0 (Ubuntu)"));
        assert!(!tells("nginx") && !tells("Apache/2.4") && !tells("nginx/"));
    }

    #[test]
    fn it_is_found_in_header_and_page() {
        let page = |server: &str, foot: &str| {
            version_in_text(&format!("HTTP/1.1 404 Not Found\r\nServer: {server}\r\n\r\n<center>{foot}</center>"))
        };
        assert_eq!(page("nginx/1.26.3", "nginx"), Some("its header Server"));
        assert_eq!(page("other", "nginx/1.26.3"), Some("its error page"));
        assert_eq!(page("nginx", "nginx"), None);
    }
}
