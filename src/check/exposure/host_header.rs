//! A redirect does not go where the client's own `Host` header says.

use reqwest::Url;
use reqwest::header::HOST;

use super::super::{Answer, Check, Skip, Turn, View};
use crate::deployment::{DefaultServer, Directive};
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{Observer, Request, Visit, plain_http};

/// A name that nobody has: RFC 6761, section 6.4.
const NOBODY: &str = "host-header.invalid";

pub(crate) static CHECK: Check = Check {
    id: "host-header",
    level: Level::Warning,
    what: "No redirect carries a host name that the client made up in its Host header.",
    why: "$host and $http_host are what the client sent. In a server that takes every name, a redirect to https://$host goes \
          wherever a request says: a cache between client and server keeps it and sends everybody there. $http_host is \
          the header even where the request itself names another host.",
    fix: "Write the name: `return 301 https://example.com$request_uri;`. Or give that server its server_name, and let a \
          server of its own refuse all other names: `server { listen 80 default_server; return 444; }`.",
    source: "https://nginx.org/en/docs/http/request_processing.html; \
             https://nginx.org/en/docs/http/ngx_http_core_module.html#var_host; RFC 9112, section 3.2.2; CWE-601",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

/// A port that clients come to.
struct Door<'a> {
    origin: Url,
    is_own: bool,
    /// The server that takes a name which nobody has, and the one that takes the public name.
    servers: [Option<DefaultServer<'a>>; 2],
}

/// A redirect to the name that this client made up.
struct Reflection {
    location: String,
    target: Url,
    path: String,
    /// Whether the request itself named the right host, and the header alone the wrong one.
    by_header_alone: bool,
}

async fn ask(observer: &Observer) -> Answer {
    let mut findings: Vec<Finding> = Vec::new();
    let mut answered = false;
    for door in doors(observer) {
        for by_header_alone in [false, true] {
            for path in paths(observer, door.servers[usize::from(by_header_alone)]) {
                let Some(text) = visit(observer, &door, &path, by_header_alone).await else { continue };
                answered = true;
                let Some(reflection) = reflection(&door, &text, path, by_header_alone) else { continue };
                let finding = finding(observer, &door, &reflection);
                findings.extend(finding.filter(|new| findings.iter().all(|known| !is_same(known, new))));
            }
        }
    }
    // A handshake that is refused to an unknown name is an answer, too.
    match answered || !findings.is_empty() || observer.unverified().is_ok() {
        true => Ok(findings),
        false => Err(Skip("no port of nginx answers this client".to_owned())),
    }
}

fn is_same(known: &Finding, new: &Finding) -> bool {
    known.location == new.location && (known.location.is_some() || known.message == new.message)
}

/// The root, the prefix, and the paths of the server's locations that redirect to a variable host.
fn paths(observer: &Observer, server: Option<DefaultServer<'_>>) -> Vec<String> {
    /// More than anybody writes.
    const MOST: usize = 16;
    let (facts, prefix) = (observer.facts(), &observer.route().prefix);
    let mut paths = vec!["/".to_owned(), format!("{prefix}/graph")];
    paths.extend((!prefix.is_empty()).then(|| prefix.clone()));
    let locations = server.map(|server| facts.locations_of(server.index)).unwrap_or_default();
    let redirects = |child: &Directive| matches!(child.name.as_str(), "return" | "rewrite") && writes_host(child);
    let redirecting = locations.into_iter().filter(|location| location.children().iter().any(redirects));
    let own = redirecting.filter_map(Directive::location_path).filter(|path| path.starts_with('/')).take(MOST);
    for path in own {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The route's own port, and port 80.
fn doors(observer: &Observer) -> Vec<Door<'_>> {
    let (facts, route) = (observer.facts(), observer.route());
    let own = facts.servers_on_socket().into_iter().find(|server| server.index == route.server);
    let own = Door { origin: observer.url_at_root("/"), is_own: true, servers: [facts.default_server(), own] };
    let plain = Url::parse(&format!("http://{}/", route.server_name)).ok().filter(|_| route.port != 80);
    let servers = [NOBODY, &route.server_name].map(|name| facts.server_for(80, name));
    let plain = plain.map(|origin| Door { origin, is_own: false, servers });
    plain.into_iter().chain([own]).collect()
}

/// All that came, if something did.
async fn visit(observer: &Observer, door: &Door<'_>, path: &str, by_header_alone: bool) -> Option<String> {
    let target = match by_header_alone {
        true => format!("{}{path}", door.origin.as_str().trim_end_matches('/')),
        false => path.to_owned(),
    };
    if door.is_own && observer.route().tls {
        let visit = Visit { sni: observer.sni(), host: NOBODY, path: &target };
        return observer.visit_from_anywhere(visit).await.ok().map(|visited| visited.text);
    }
    let address = if door.is_own { observer.address() } else { observer.address_of(80) };
    plain_http(address, NOBODY, &target).await.ok().map(|answer| answer.text)
}

fn reflection(door: &Door<'_>, text: &str, path: String, by_header_alone: bool) -> Option<Reflection> {
    let location = location_in(text)?;
    let target = door.origin.join(location).ok()?;
    let is_reflected = target.host_str() == Some(NOBODY);
    is_reflected.then(|| Reflection { location: location.to_owned(), target, path, by_header_alone })
}

/// The `Location` of an answer.
fn location_in(text: &str) -> Option<&str> {
    let headers = text.lines().skip(1).take_while(|line| !line.is_empty());
    let mut pairs = headers.filter_map(|line| line.split_once(':'));
    pairs.find(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, value)| value.trim())
}

/// None for a redirect that nginx makes by itself, which has no line: whether a server takes unknown names at all is what
/// unknown-name asks.
fn finding(observer: &Observer, door: &Door<'_>, reflection: &Reflection) -> Option<Finding> {
    let server = door.servers[usize::from(reflection.by_header_alone)];
    let maker = server.and_then(|server| {
        let maker = observer.facts().redirect_maker_of(server.index, &reflection.path, &reflection.location);
        maker.filter(|maker| writes_host(maker))
    });
    let to_tls = !door.is_own && reflection.target.scheme() == "https";
    if maker.is_none() && !to_tls {
        return None;
    }
    let raw = reflection.by_header_alone || maker.is_some_and(|maker| uses(maker, "http_host"));
    let catches_all = server.is_some_and(|server| !server.server.has_name());
    // Where no server has a name, there is none to write.
    let level = match observer.facts().server().has_name() && (raw || catches_all) {
        true => Level::Warning,
        false => Level::Note,
    };
    let port = door.origin.port_or_known_default().unwrap_or_default();
    let how =
        if reflection.by_header_alone { "even if the request itself names the right one" } else { "whatever it says" };
    let mut finding = CHECK
        .finding(format!("a redirect of port {port} goes to the host of the client's Host header, {how}"))
        .at_level(level)
        .expected(format!("a redirect to {}, or a closed connection", observer.route().server_name))
        .actual(format!("for Host: {NOBODY}, a redirect to {}", reflection.location))
        .at(maker.map(|maker| maker.location.clone()))
        .fix(fix(observer, door, server, maker));
    if !reflection.by_header_alone {
        let request = Request::get(&door.origin, &reflection.path).anonymous().header(HOST, NOBODY);
        finding = finding.shown_by(observer.shell().curl_raw(&request));
    }
    Some(finding)
}

fn writes_host(maker: &Directive) -> bool {
    uses(maker, "host") || uses(maker, "http_host")
}

/// Whether a variable stands in a directive, as `$name` or `${name}`.
fn uses(directive: &Directive, name: &str) -> bool {
    directive.args.iter().any(|arg| replaced(&arg.text, name, "") != arg.text)
}

/// A text with a variable's value written for it.
fn replaced(text: &str, name: &str, value: &str) -> String {
    let text = text.replace(&format!("${{{name}}}"), value);
    let reference = format!("${name}");
    let mut parts = text.split(&reference);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(if goes_on { &reference } else { value });
        out.push_str(part);
    }
    out
}

/// The name, written for the variable; where the server stands for several names, a server of its own that refuses others.
fn fix(observer: &Observer, door: &Door<'_>, server: Option<DefaultServer<'_>>, maker: Option<&Directive>) -> Fix {
    let names = names(observer, server);
    match (maker, names.as_slice()) {
        (Some(maker), [name]) => {
            let whole = match door.origin.port() {
                Some(port) if door.is_own => format!("{name}:{port}"),
                _ => name.clone(),
            };
            let text = maker.written_with(|_, text| replaced(&replaced(text, "http_host", &whole), "host", name));
            Fix::replace(maker.location.clone(), text)
        }
        (_, names) => refusing(door, names, server.map(|server| &server.listen.location)),
    }
}

fn refusing(door: &Door<'_>, names: &[String], listen: Option<&Location>) -> Fix {
    let port = door.origin.port_or_known_default().unwrap_or_default();
    let names = if names.is_empty() { "YOUR.NAME".to_owned() } else { names.join(" ") };
    let elsewhere = if listen.is_some() { ", without default_server in its listen" } else { "" };
    let tls = if door.origin.scheme() == "https" { " ssl" } else { "" };
    let refusal = if tls.is_empty() { "return 444;" } else { "ssl_reject_handshake on;" };
    Fix::from(format!(
        "server_name {names}; in the server that redirects{elsewhere}, and beside it server {{ listen {port}{tls} default_server; server_name _; {refusal} }}"
    ))
}

/// The names that a server redirects for: its own, else those of all servers.
fn names(observer: &Observer, server: Option<DefaultServer<'_>>) -> Vec<String> {
    let is_literal = |name: &str| name.contains('.') && !name.starts_with(['.', '~', '*']) && !name.ends_with('*');
    let own = server.map(|server| server.server).filter(|server| server.has_name());
    let all = observer.facts().deployment.servers.iter();
    let of = match own {
        Some(own) => vec![own],
        None => all.collect(),
    };
    let mut names: Vec<String> = Vec::new();
    for name in of.into_iter().flat_map(|server| &server.names) {
        if !names.contains(&name.text) && is_literal(&name.text) {
            names.push(name.text.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_told_from_one_whose_name_goes_on() {
        assert_eq!(replaced("https://$host$request_uri", "host", "a.b"), "https://a.b$request_uri");
        assert_eq!(replaced("https://${host}:1/$hostname", "host", "a.b"), "https://a.b:1/$hostname");
        assert_eq!(replaced("https://$http_host/", "host", "a.b"), "https://$http_host/");
    }

    #[test]
    fn the_location_of_an_answer_is_a_header() {
        let text = "HTTP/1.1 301 Moved Permanently\r\nserver: nginx\r\nLOCATION: https://a.b:1/x\r\n\r\nLocation: no";
        assert_eq!(location_in(text), Some("https://a.b:1/x"));
        assert_eq!(location_in("HTTP/1.1 200 OK\r\n\r\nLocation: no"), None);
    }
}
