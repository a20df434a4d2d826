//! Prometheus knows the URL at which people find it.

use regex::Regex;
use reqwest::Url;

use super::super::obstacle::{PROBE, get_through};
use super::super::{Answer, Check, Skip, Turn, View};
use super::way;
use crate::finding::{Finding, Level};
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "external-url",
    level: Level::Warning,
    what: "The URL that Prometheus is told to be reached at (--web.external-url) is the public one: scheme, name, port and path.",
    why: "Prometheus writes it into every alert (generatorURL), into notifications and into the links of its pages. A wrong \
          one is a link that leads nobody to the graph while pages and API work.",
    fix: "Start Prometheus with --web.external-url=https://NAME/PREFIX, the URL that people open.",
    source: "https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (--web.external-url); \
             prometheus/prometheus#1583",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    get_through(observer, &*observer.get(PROBE).await?).await?;
    let seen = observer.get("/api/v1/status/flags").await?;
    get_through(observer, &seen).await?;
    let flags = observer.flags().await.map_err(|_| Skip(format!("the flags can't be seen: {}", seen.summary())))?;
    let known = flags.get("web.external-url").map_or("", String::as_str);
    let Some(wrong) = what_is_wrong(observer, known) else {
        return Ok(Vec::new());
    };
    if way::what_is_wrong(observer, &way::follow(observer, "/").await?).is_some() {
        return Err(Skip("Prometheus does not know the prefix: see prefix-root".to_owned()));
    }
    let shown = if known.is_empty() {
        "none is given: Prometheus takes its host's own name".to_owned()
    } else {
        known.to_owned()
    };
    Ok(vec![finding(observer, wrong, shown)])
}

const PATH: &str = "has another path than the public one";

/// What is wrong with the URL that Prometheus knows.
fn what_is_wrong(observer: &Observer, known: &str) -> Option<&'static str> {
    let public = observer.url("/");
    if known.is_empty() {
        return Some("is not set");
    }
    let Ok(known) = Url::parse(known) else {
        return Some("is a path alone");
    };
    let host = known.host_str().unwrap_or_default();
    let wrong = if known.path().trim_end_matches('/') != observer.route().prefix {
        PATH
    } else if known.scheme() == "http" && public.scheme() == "https" {
        "is not encrypted"
    } else if !is_a_name_of(observer, host) {
        "has another name than the public one"
    // Another port may be mapped to nginx's: prefix-bare says what comes of it.
    } else if known.port() == Some(observer.route().upstream.port()) && known.port() != public.port() {
        "has Prometheus's own port"
    } else {
        return None;
    };
    Some(wrong)
}

/// Whether clients find the deployment by this name: as one of the server's, or of another way to the same Prometheus.
fn is_a_name_of(observer: &Observer, host: &str) -> bool {
    let facts = observer.facts();
    let same = facts.deployment.routes.iter().filter(|route| route.prometheus == observer.route().prometheus);
    let names =
        || same.clone().flat_map(|route| &facts.deployment.servers[route.server].names).map(|name| name.text.as_str());
    let takes_any = names().all(|name| matches!(name, "_" | "" | "localhost"));
    let is_local =
        host == "localhost" || host == observer.route().upstream.name() || host.starts_with("127.") || host == "[::1]";
    host == observer.route().server_name || names().any(|name| fits(name, host)) || (takes_any && !is_local)
}

fn fits(name: &str, host: &str) -> bool {
    match (name.strip_prefix('~'), name.strip_prefix("*."), name.strip_prefix('.')) {
        (Some(regex), ..) => Regex::new(regex).is_ok_and(|regex| regex.is_match(host)),
        (_, Some(parent), _) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        (_, _, Some(parent)) => host == parent || host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        _ if name.ends_with(".*") => host.starts_with(name.trim_end_matches('*')),
        _ => name.eq_ignore_ascii_case(host),
    }
}

fn finding(observer: &Observer, wrong: &str, actual: String) -> Finding {
    let route = observer.route();
    let stripped = if route.strips_prefix() { " --web.route-prefix=/" } else { "" };
    let written = observer.facts().prometheus().flag_place("web.external-url").cloned();
    CHECK
        .finding(format!("the external URL of Prometheus {wrong}: links in alerts do not lead to it"))
        .expected(observer.url(""))
        .actual(actual)
        .at(written.unwrap_or_else(|| observer.facts().location_place(observer.url("/").path())))
        .fix(format!("start Prometheus with --web.external-url={}{stripped}", observer.url("")))
        .shown_by(observer.shell().curl_get(&observer.url("/api/v1/status/flags")))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn every_kind_of_server_name_is_understood() {
        for (name, host, right) in [
            ("a.b", "A.b", true),
            ("*.a.b", "x.a.b", true),
            ("*.a.b", "xa.b", false),
            (".a.b", "a.b", true),
            ("a.*", "a.c", true),
            (r"~^p\d\.b$", "p1.b", true),
            ("_", "a.b", false),
        ] {
            assert_eq!(fits(name, host), right, "{name} {host}");
        }
    }
}
