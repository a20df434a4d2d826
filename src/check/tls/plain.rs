//! Plain text beside the encrypted port: on further ports of nginx, and on the encrypted port itself.

use futures_util::future::join_all;
use reqwest::Url;

use crate::deployment::{Directive, Listen};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, PlainAnswer, plain_http};

use super::plaintext_port::{CHECK, to_https};

/// What of Prometheus a further port may hand out: each in its own location, or all in one.
const OF_PROMETHEUS: [&str; 5] =
    ["/api/v1/status/buildinfo", "/api/v1/query?query=1", "/federate", "/metrics", "/graph"];

/// Ports on which nginx serves something of Prometheus, or asks for its password, without encryption, but those that are
/// spoken of already.
pub(super) async fn further_ports(observer: &Observer, done: &[u16]) -> Vec<Finding> {
    let mut listens = plain_listens(observer);
    listens.retain(|(_, listen)| !done.contains(&listen.port));
    listens.dedup_by_key(|(server, listen)| (*server, listen.port));
    let answers = join_all(listens.iter().map(|(server, listen)| given_away(observer, *server, listen))).await;
    let pairs = listens.into_iter().zip(answers);
    pairs.filter_map(|((_, listen), given)| Some(finding(observer, listen, &given?))).collect()
}

/// The ports that are open to clients from outside, are for HTTP without TLS, and are not the route's own.
fn plain_listens(observer: &Observer) -> Vec<(usize, &Listen)> {
    let (facts, own) = (observer.facts(), observer.route());
    let servers = facts.deployment.servers.iter().enumerate();
    let all = servers.flat_map(|(index, server)| server.listens.iter().map(move |listen| (index, listen)));
    let plain = all.filter(|(_, listen)| !listen.ssl && !listen.quic && !listen.proxy_protocol);
    let further = plain.filter(|(_, listen)| listen.interface.is_public() && listen.port != own.port);
    further.collect()
}

/// What a port gives away: the path, and what came.
async fn given_away(observer: &Observer, server: usize, listen: &Listen) -> Option<(String, PlainAnswer)> {
    let (facts, route) = (observer.facts(), observer.route());
    let served = route.upstream_path.trim_end_matches('/');
    let doors = OF_PROMETHEUS.iter().flat_map(|path| facts.doors_in(server, &format!("{served}{path}")));
    let doors: Vec<String> = doors.collect();
    let name = facts.deployment.servers[server].names.first();
    let host = name.map_or(route.server_name.as_str(), |name| name.text.as_str());
    let address = observer.address_of(listen.port);
    let answers = join_all(doors.iter().map(|path| plain_http(address.clone(), host, path))).await;
    let given = doors.into_iter().zip(answers).filter_map(|(path, answer)| Some((path, answer.ok()?)));
    given.into_iter().find(|(_, answer)| matches!(answer.status, Some(200..=299 | 401)))
}

fn finding(observer: &Observer, listen: &Listen, (path, answer): &(String, PlainAnswer)) -> Finding {
    let what = if answer.status == Some(401) { "asks for Prometheus's password" } else { "serves Prometheus" };
    let mut url = observer.url_at_root(path);
    // Both are valid for an https URL.
    let _ = url.set_scheme("http");
    let _ = url.set_port(Some(listen.port));
    let written = observer.facts().deployment.nginx.at(&listen.location).filter(|line| line.is("listen"));
    let fix = match written {
        Some(line) if listen.port != 80 => Fix::replace(line.location.clone(), with_ssl(line)),
        _ => Fix::from(to_https(observer)),
    };
    CHECK
        .finding(format!("port {} {what} without encryption", listen.port))
        .expected("TLS on every port that leads to Prometheus, or a port on 127.0.0.1 alone")
        .actual(format!("{} for {path}", answer.text.lines().next().unwrap_or_default()))
        .at(listen.location.clone())
        .fix(fix)
        .shown_by(observer.shell().curl_get(&url))
}

fn with_ssl(listen: &Directive) -> String {
    let written = listen.written_with(|_, text| text.to_owned());
    format!("{} ssl;", written.trim_end_matches(';'))
}

/// Plain text on the encrypted port that is redirected to where nobody listens: nginx's status 497.
pub(super) async fn redirected_elsewhere(observer: &Observer) -> Option<Finding> {
    let (facts, route) = (observer.facts(), observer.route());
    let wanted = observer.url("/");
    let answer = plain_http(observer.address(), &route.server_name, wanted.path()).await.ok()?;
    answer.status.filter(|status| (300..400).contains(status))?;
    let location = answer.text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim())
    })?;
    let target = Url::parse(location).ok()?;
    if target.origin() == wanted.origin() {
        return None;
    }
    let of_497 = |line: &&Directive| line.args.iter().any(|arg| arg.text == "497");
    let cause = facts.server_in_force("error_page").into_iter().find(of_497);
    let port = if route.port == 443 { String::new() } else { format!(":{}", route.port) };
    let right = format!("error_page 497 =308 https://$host{port}$request_uri;");
    let fix = cause.map_or_else(|| Fix::from(right.clone()), |line| Fix::replace(line.location.clone(), right.clone()));
    let finding = CHECK
        .finding(format!("plain text on port {} is redirected to another name or port", route.port))
        .at_level(Level::Note)
        .expected(format!("400, or a redirect to {wanted}"))
        .actual(format!("{} to {location}", answer.status.unwrap_or_default()))
        .at(cause.map(|line| line.location.clone()))
        .fix(fix);
    Some(finding)
}
