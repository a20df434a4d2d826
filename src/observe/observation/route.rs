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
use super::{Part, RouteSeen, Scope, redaction, volatile};
use crate::observe::{Failure, Observer, Request, Seen, plain_http};

const METRICS: &str = "/metrics";
const FLAGS: &str = "/api/v1/status/flags";
/// The link types of what a browser fetches with a page.
const FETCHED: [&str; 6] = ["stylesheet", "icon", "manifest", "modulepreload", "preload", "apple-touch-icon"];
/// More locations than anybody names one by one.
const MOST_LOCATIONS: usize = 40;
/// What scrapers ask for `/metrics` with. What who accepts anything gets is among the answers.
const ACCEPTS: [&str; 2] = [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
];

impl RouteSeen {
    /// Asks once for each thing that is in the scope, but for the checks. Where nginx refuses to start there is nobody to
    /// ask.
    pub(crate) async fn of(observer: &Observer, scope: &Scope) -> Self {
        if observer.refusal().is_some() {
            return Self::default();
        }
        let (tls, plain, answers, metrics, flags) = tokio::join!(
            when(scope.has(&Part::Tls), TlsSeen::of(observer)),
            when(scope.has(&Part::Plain), plain(observer)),
            answers(observer, scope),
            metrics(observer, scope),
            when(scope.has(&Part::Flags), flags(observer)),
        );
        let (answers, assets) = answers;
        Self {
            tls: tls.flatten(),
            plain: plain.unwrap_or_default(),
            answers,
            assets,
            metrics,
            flags: flags.unwrap_or_default(),
            checks: BTreeMap::new(),
        }
    }
}

/// Looks where it is asked for.
async fn when<T>(is_asked: bool, look: impl Future<Output = T>) -> Option<T> {
    if is_asked { Some(look.await) } else { None }
}

/// What the paths answer, and what the pages among them name.
async fn answers(observer: &Observer, scope: &Scope) -> (BTreeMap<String, Answer>, BTreeMap<String, String>) {
    let endpoints = ENDPOINTS.iter().filter(|endpoint| scope.asks(endpoint.name.trim_end()));
    let below = endpoints
        .map(async |endpoint| (endpoint.name.trim_end().to_owned(), way(observer, *endpoint).await, endpoint.depth));
    let own = own_locations(observer).into_iter().map(|url| (format!("GET {url}"), url));
    let own = own.filter(|(name, _)| scope.asks(name));
    let own = own.map(async |(name, url)| (name, observer.follow(url).await, Depth::Keys));
    let volatile = when(scope.asks_paths(), volatile::headers(observer));
    let (below, own, volatile) = tokio::join!(join_all(below), join_all(own), volatile);
    let volatile = volatile.unwrap_or_default();
    let pages = below.iter().filter_map(|(_, way, _)| way.as_ref().ok()?.last());
    let assets = when(scope.has(&Part::Assets), assets(observer, pages)).await.unwrap_or_default();
    let answers = below.into_iter().chain(own).map(|(name, way, depth)| (name, Answer::of(way, depth, &volatile)));
    (answers.collect(), assets)
}

/// What Prometheus says of itself to who scrapes it, and in which form.
async fn metrics(observer: &Observer, scope: &Scope) -> MetricsSeen {
    let accepts = ACCEPTS.iter().filter(|accept| scope.has(&Part::Accepted((**accept).to_owned())));
    let types = join_all(accepts.map(|accept| content_type(observer, accept)));
    let exposition = when(scope.has(&Part::Families), observer.get(METRICS));
    let (content_types, exposition) = tokio::join!(types, exposition);
    let exposition = exposition.and_then(Result::ok);
    MetricsSeen {
        content_types: content_types.into_iter().collect(),
        families: exposition.map(|seen| exposition::families(&seen.text())).unwrap_or_default(),
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
