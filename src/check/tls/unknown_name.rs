//! What a client gets that asks for a name which is not the deployment's, or for none.

use futures_util::future::join_all;

use super::super::obstacle::{PROBE, need_tls};
use super::super::{Answer, Check, Skip, Turn, View};
use super::tls_reachable::is_of_a_server;
use crate::deployment::{DefaultServer, Listen};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Failure, Observer, Visit, Visited};

/// A name that nobody has: RFC 6761, section 6.4.
const NOBODY: &str = "unknown-name.invalid";
/// An address for documentation, as whoever scans addresses has it in `Host`: RFC 5737.
const ADDRESS: &str = "192.0.2.1";

pub(crate) static CHECK: Check = Check {
    id: "unknown-name",
    level: Level::Warning,
    what: "A client that asks for an unknown name, or for none, as one that goes through all addresses does, gets nothing of \
           Prometheus.",
    why: "The first server of a socket takes what no name fits. Without a server that refuses, everybody who finds the \
          address gets Prometheus and its name, and a name that an attacker points to the address is served as well.",
    fix: "server { listen 443 ssl default_server; server_name _; ssl_reject_handshake on; }",
    source: "https://nginx.org/en/docs/http/request_processing.html; \
             https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_reject_handshake",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let Some(default) = observer.facts().default_server() else {
        return Err(Skip("nginx listens on a unix socket, and what is before it is not seen".to_owned()));
    };
    let path = observer.url(PROBE).path().to_owned();
    let visit = |sni, host| Visit { sni, host, path: &path };
    let visits = [visit(None, ADDRESS), visit(Some(NOBODY), NOBODY), visit(observer.sni(), NOBODY)];
    let answers = join_all(visits.map(|visit| observer.visit_from_anywhere(visit))).await;
    let asked = ["no name", "an unknown name", "the public name and then for another"];
    let served = asked.into_iter().zip(answers).filter_map(|(asked, answer)| Some((asked, served(answer)?)));
    let served: Vec<_> = served.collect();
    match served.is_empty() {
        true => Ok(of_another(observer, default, &path).await.into_iter().collect()),
        false => Ok(vec![finding(observer, default, &served)]),
    }
}

/// Another site of this nginx that stands in for the names that nobody has.
async fn of_another(observer: &Observer, default: DefaultServer<'_>, path: &str) -> Option<Finding> {
    if !default.server.has_name() || default.index == observer.facts().route.server {
        return None;
    }
    let visit = Visit { sni: Some(NOBODY), host: NOBODY, path };
    let answer = observer.visit_from_anywhere(visit).await.ok().filter(|answer| answer.status.is_some())?;
    let name = default.server.names.first().map_or("another site", |name| name.text.as_str());
    let finding = CHECK
        .finding(format!("a client that asks for an unknown name gets the certificate and the pages of {name}"))
        .at_level(Level::Note)
        .expected("a refused handshake, or a closed connection")
        .actual(answer.first_line())
        .at(default.listen.location.clone())
        .fix(fix(observer, default));
    Some(finding)
}

/// What of Prometheus came: its answer, or the question for a password that stands before it.
fn served(answer: Result<Visited, Failure>) -> Option<Visited> {
    let answer = answer.ok()?;
    let is_prometheus = answer.status == Some(200) && answer.text.contains("\"status\":\"success\"");
    (is_prometheus || answer.status == Some(401)).then_some(answer)
}

fn finding(observer: &Observer, default: DefaultServer<'_>, served: &[(&str, Visited)]) -> Finding {
    let asked: Vec<&str> = served.iter().map(|(asked, _)| *asked).collect();
    let open = served.iter().any(|(_, answer)| answer.status == Some(200));
    let what = if open { "gets Prometheus" } else { "is asked for Prometheus's password" };
    let mut url = observer.url(PROBE);
    // The name can stand in any URL.
    let _ = url.set_host(Some(NOBODY));
    let finding = CHECK
        .finding(format!("a client that asks for {} {what}", asked.join(", for ")))
        .expected("a refused handshake, or a closed connection")
        .actual(served[0].1.first_line())
        .at(default.listen.location.clone())
        .fix(fix(observer, default))
        .shown_by(observer.shell().curl_insecurely(&url));
    // A server without a name of its own is meant for every name.
    if open && default.server.has_name() { finding } else { finding.at_level(Level::Note) }
}

/// A server of its own that refuses, on all sockets of the one that answers: nginx has `ssl_reject_handshake` since 1.19.4.
fn fix(observer: &Observer, default: DefaultServer<'_>) -> Fix {
    let of_port = default.server.listens.iter().filter(|listen| listen.port == default.listen.port && !listen.quic);
    let listens: Vec<String> = of_port.map(|listen| as_default(observer, listen)).collect();
    let refusal = if default.listen.ssl { "ssl_reject_handshake on;" } else { "return 444;" };
    let server = format!("server {{ {} server_name _; {refusal} }}", listens.join(" "));
    match default.listen.default_server {
        true => Fix::from(format!("{server}, and take default_server away from the other one")),
        false => Fix::insert_before(default.server.location.clone(), server),
    }
}

/// The same `listen`, for the default server.
fn as_default(observer: &Observer, listen: &Listen) -> String {
    let directive = observer.facts().deployment.nginx.at(&listen.location).filter(|directive| directive.is("listen"));
    let Some(directive) = directive else {
        return format!("listen {} default_server;", listen.port);
    };
    let place = directive.arg(0).unwrap_or_default();
    let kept = directive.args.iter().skip(1).map(|arg| arg.text.as_str());
    let kept: Vec<&str> = kept.filter(|arg| is_of_a_server(arg) && !arg.starts_with("default")).collect();
    [&["listen", place], &kept[..], &["default_server;"]].concat().join(" ")
}
