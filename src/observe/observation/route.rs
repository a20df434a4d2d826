//! Asks all that a route is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use html5gum::{Token, Tokenizer};
use reqwest::header::ACCEPT;
use reqwest::{Method, Url};
use serde::Deserialize;

use super::answer::Answer;
use super::endpoints::{Depth, ENDPOINTS, Endpoint};
use super::exposition::{self, MetricsSeen};
use super::tls::TlsSeen;
use super::{CheckSeen, RouteSeen, redaction};
use crate::observe::{Failure, Observer, Request, Seen, plain_http};

const METRICS: &str = "/metrics";
const FLAGS: &str = "/api/v1/status/flags";
/// The link types of what a browser fetches with a page.
const FETCHED: [&str; 6] = ["stylesheet", "icon", "manifest", "modulepreload", "preload", "apple-touch-icon"];
/// More locations than anybody names one by one.
const MOST_LOCATIONS: usize = 40;
/// What scrapers and people ask for `/metrics` with.
const ACCEPTS: [&str; 5] = [
    "*/*",
    "text/plain;version=0.0.4",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text;version=1.0.0",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
];

impl RouteSeen {
    /// Asks everything once, beside what the checks found.
    pub(super) async fn of(observer: &Observer, checks: BTreeMap<String, CheckSeen>) -> Self {
        let path = observer.url("/-/ready").path().to_owned();
        let own = own_locations(observer);
        let (tls, plain, ways, own_ways, content_types, exposition) = tokio::join!(
            TlsSeen::of(observer, &path),
            plain(observer),
            join_all(ENDPOINTS.iter().map(|endpoint| way(observer, *endpoint))),
            join_all(own.iter().map(|url| observer.follow(url.clone()))),
            join_all(ACCEPTS.map(|accept| content_type(observer, accept))),
            observer.get(METRICS),
        );
        let pages = ways.iter().flatten().filter_map(|way| way.last());
        let assets = assets(observer, pages).await;
        let answers = ENDPOINTS.iter().zip(ways);
        let own = own.iter().map(|url| format!("GET {url}")).zip(own_ways);
        Self {
            tls,
            plain,
            answers: answers
                .map(|(endpoint, way)| (endpoint.name.trim_end().to_owned(), Answer::of(way, endpoint.depth)))
                .chain(own.map(|(name, way)| (name, Answer::of(way, Depth::Keys))))
                .collect(),
            assets,
            metrics: MetricsSeen {
                content_types: content_types.into_iter().collect(),
                families: exposition.map(|seen| exposition::families(&seen.text())).unwrap_or_default(),
            },
            flags: flags(observer).await,
            checks,
        }
    }
}

/// The URLs of the server's other locations, as the configuration names them: a probe's `/healthz`, a redirect. What a
/// regex takes has no name, and what is below the prefix is asked for anyway.
fn own_locations(observer: &Observer) -> Vec<Url> {
    let facts = observer.facts();
    let server = facts.server_blocks(observer.route().server).last().copied();
    let locations = server.into_iter().flat_map(|server| server.children_named("location"));
    let known: BTreeSet<Url> = ENDPOINTS
        .iter()
        .filter_map(|endpoint| endpoint.name.strip_prefix("GET "))
        .map(|path| observer.url(path))
        .collect();
    let paths = locations.filter_map(|location| match (location.arg(0)?, location.arg(1)) {
        ("=" | "^~", Some(path)) => Some(path),
        (path, None) if path.starts_with('/') => Some(path),
        _ => None,
    });
    let urls: BTreeSet<Url> = paths.filter(|path| !path.contains('$')).map(|path| observer.url_at_root(path)).collect();
    urls.into_iter().filter(|url| !known.contains(url)).take(MOST_LOCATIONS).collect()
}

/// Asks for an endpoint; GET follows redirects as a browser does.
async fn way(observer: &Observer, endpoint: Endpoint) -> Result<Vec<Arc<Seen>>, Failure> {
    let (method, path) = endpoint.name.split_once(' ').unwrap_or(("GET", endpoint.name));
    let url = observer.url(path);
    let seen = match method {
        "POST" => observer.http().ask(Method::POST, url, &[("query", "vector(1)")]).await,
        "HEAD" => observer.http().ask(Method::HEAD, url, &[]).await,
        "OPTIONS" => observer.http().ask(Method::OPTIONS, url, &[]).await,
        _ => return observer.follow(url).await,
    };
    Ok(vec![Arc::new(seen?)])
}

/// The content type of the metrics for who accepts this.
async fn content_type(observer: &Observer, accept: &str) -> (String, String) {
    let url = observer.url(METRICS);
    let request = Request::get(&url, url.path()).header(ACCEPT, accept);
    let answer = match observer.http().send(&request).await {
        Ok(seen) if seen.status == 200 => {
            let whole = seen.header(reqwest::header::CONTENT_TYPE).unwrap_or("none");
            whole.to_owned()
        }
        Ok(seen) => seen.status.to_string(),
        Err(failure) => format!("no answer: {failure}"),
    };
    (accept.to_owned(), answer)
}

/// What plain HTTP gets at the route's own port and at port 80.
async fn plain(observer: &Observer) -> BTreeMap<String, String> {
    let route = observer.route();
    let path = observer.url("/graph").path().to_owned();
    let ports: BTreeSet<u16> = [80, route.port].into();
    let asked = ports.into_iter().map(async |port| {
        let door = if port == route.port { observer.address() } else { observer.address_of(port) };
        let answer = plain_http(door, &route.server_name, &path).await;
        let words = match answer {
            Err(failure) => failure.to_string(),
            Ok(answer) => match (answer.status, location(&answer.text)) {
                (Some(status), Some(location)) => format!("{status} to {location}"),
                (Some(status), None) => status.to_string(),
                (None, _) => "something that is no HTTP".to_owned(),
            },
        };
        (format!("http:// on port {port}"), words)
    });
    join_all(asked).await.into_iter().collect()
}

fn location(answer: &str) -> Option<&str> {
    let mut head = answer.lines().take_while(|line| !line.is_empty());
    head.find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("location")))
        .map(|(_, at)| at)
}

/// What the pages name and a browser fetches with them, and what comes.
async fn assets<'a>(observer: &Observer, pages: impl Iterator<Item = &'a Arc<Seen>>) -> BTreeMap<String, String> {
    let is_page = |page: &&Arc<Seen>| page.status == 200 && page.media_type() == "text/html";
    let urls: BTreeSet<Url> = pages.filter(is_page).flat_map(|page| named(page)).collect();
    let own = urls.into_iter().filter(|url| observer.is_ours(url));
    let asked = own.map(async |url| {
        let answer = match observer.get_url(url.clone()).await {
            Ok(seen) => format!("{} {}", seen.status, seen.media_type()),
            Err(failure) => format!("no answer: {failure}"),
        };
        (redaction::asset(url.path()), answer)
    });
    join_all(asked).await.into_iter().collect()
}

fn named(page: &Seen) -> Vec<Url> {
    let text = page.text();
    let tokens = Tokenizer::new(text.as_str()).flatten();
    let references = tokens.filter_map(|token: Token<_>| {
        let Token::StartTag(tag) = token else { return None };
        let attribute = |name: &[u8]| Some(String::from_utf8_lossy(tag.attributes.get(name)?).into_owned());
        match tag.name.as_slice() {
            b"script" | b"img" => attribute(b"src"),
            b"link" => {
                let relation = attribute(b"rel")?;
                let is_fetched = relation.split_whitespace().any(|word| FETCHED.contains(&word));
                attribute(b"href").filter(|_| is_fetched)
            }
            _ => None,
        }
    });
    references.filter_map(|reference| page.url.join(&reference).ok()).collect()
}

/// The value of each flag of Prometheus.
async fn flags(observer: &Observer) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Answer {
        data: BTreeMap<String, String>,
    }
    let answer = observer.get(FLAGS).await.ok().and_then(|seen| serde_json::from_slice::<Answer>(&seen.body).ok());
    answer.map(|answer| answer.data).unwrap_or_default()
}
