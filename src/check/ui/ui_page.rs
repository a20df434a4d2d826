//! The UI's page and all that it refers to arrive below the prefix.

use std::sync::Arc;

use futures_util::future::join_all;
use html5gum::{Token, Tokenizer};
use reqwest::Url;

use super::super::obstacle::{get_through, need_prometheus};
use super::super::{Answer, Check, Skip, Turn};
use crate::finding::{Finding, Level};
use crate::location::Location;
use crate::observe::{Observer, Seen};

/// What Debian's packages serve in place of the UI that they lack.
const NO_UI: &str = "This Debian package of Prometheus does not include the modern React web UI";
/// How many assets a finding names.
const NAMED: usize = 3;

pub(crate) static CHECK: Check = Check {
    id: "ui-page",
    level: Level::Error,
    what: "The UI's page and every script, style and icon that it refers to arrive below the prefix, with the right type.",
    why: "The page is small and everything else comes from its assets: if those leave the prefix or come back as HTML, \
          people see an empty window while every probe of the page says 200.",
    fix: "Start Prometheus with --web.external-url=https://NAME/PREFIX so that it writes the prefix into its pages, and let \
          one location pass everything below the prefix.",
    source: "https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (--web.external-url)",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let page = page(observer).await?;
    let assets: Vec<Asset> = assets(&page).collect();
    let answers = join_all(assets.iter().map(|asset| observer.get_url(asset.url.clone()))).await;
    let mut missing: Vec<Missing> = Vec::new();
    for (asset, answer) in assets.iter().zip(answers) {
        let wrong = match &answer {
            _ if !observer.is_inside(&asset.url) => Some("outside of the prefix".to_owned()),
            Err(failure) => Some(failure.to_string()),
            Ok(seen) => asset.what_is_wrong_with(seen),
        };
        if let Some(wrong) = wrong {
            let place = observer.facts().location_place(asset.url.path());
            missing.push(Missing { asset, wrong, place });
        }
    }
    missing.sort_by(|a, b| a.place.cmp(&b.place));
    let of_one_place = missing.chunk_by(|a, b| a.place == b.place);
    Ok(of_one_place.filter_map(|missing| finding(observer, &page, missing)).collect())
}

/// An asset that does not arrive.
struct Missing<'a> {
    asset: &'a Asset,
    wrong: String,
    place: Location,
}

/// The page that a browser ends up with, if it is Prometheus's UI.
async fn page(observer: &Observer) -> Result<Arc<Seen>, Skip> {
    let way = observer.follow(observer.url("/")).await?;
    let page = way.last().cloned().ok_or_else(|| Skip("no page".to_owned()))?;
    get_through(observer, &page).await?;
    if page.status != 200 || page.media_type() != "text/html" {
        need_prometheus(observer).await?;
        return Err(Skip(format!("no page to look at ({}): see prefix-root", page.summary())));
    }
    if page.text().contains(NO_UI) {
        return Err(Skip("this build of Prometheus has no web UI".to_owned()));
    }
    Ok(page)
}

/// Something that a page refers to and a browser fetches at once.
#[derive(Debug, PartialEq, Eq)]
struct Asset {
    url: Url,
    types: &'static [&'static str],
}

const SCRIPT: &[&str] = &["text/javascript", "application/javascript", "application/x-javascript"];
const STYLE: &[&str] = &["text/css"];
const IMAGE: &[&str] = &["image/"];
const MANIFEST: &[&str] = &["application/json", "application/manifest+json"];

impl Asset {
    fn what_is_wrong_with(&self, seen: &Seen) -> Option<String> {
        if seen.status != 200 {
            return Some(seen.summary());
        }
        let media_type = seen.media_type();
        let right = self.types.iter().any(|wanted| media_type.starts_with(wanted));
        (!right).then(|| format!("comes as {media_type:?} instead of {}", self.types[0]))
    }
}

/// The scripts, styles, icons and manifests of a page.
fn assets(page: &Seen) -> impl Iterator<Item = Asset> {
    let text = page.text();
    let tokens: Vec<Token<_>> = Tokenizer::new(text.as_str()).flatten().collect();
    let base = page.url.clone();
    tokens.into_iter().filter_map(move |token| {
        let Token::StartTag(tag) = token else { return None };
        let attribute = |name: &[u8]| {
            let value = tag.attributes.get(name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let (reference, types) = match tag.name.as_slice() {
            b"script" => (attribute(b"src")?, SCRIPT),
            b"img" => (attribute(b"src")?, IMAGE),
            b"link" => (attribute(b"href")?, link_types(&attribute(b"rel")?)?),
            _ => return None,
        };
        let url = base.join(&reference).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(Asset { url, types })
    })
}

fn link_types(rel: &str) -> Option<&'static [&'static str]> {
    rel.split_whitespace().find_map(|word| match word.to_ascii_lowercase().as_str() {
        "stylesheet" => Some(STYLE),
        "icon" | "apple-touch-icon" => Some(IMAGE),
        "manifest" => Some(MANIFEST),
        "modulepreload" => Some(SCRIPT),
        _ => None,
    })
}

/// One finding for all that one place keeps from arriving: a page refers to dozens of files.
fn finding(observer: &Observer, page: &Seen, missing: &[Missing<'_>]) -> Option<Finding> {
    let first = missing.first()?;
    let named = missing.iter().take(NAMED).map(|missing| format!("{}: {}", missing.asset.url.path(), missing.wrong));
    let mut actual = named.collect::<Vec<_>>().join("; ");
    if missing.len() > NAMED {
        actual.push_str(&format!("; and {} more", missing.len() - NAMED));
    }
    // The version in the query is for caches.
    let mut url = first.asset.url.clone();
    url.set_query(None);
    let finding = CHECK
        .finding(format!("the UI's page {} refers to files that do not arrive", page.url.path()))
        .expected(format!("200 with the type of each, below {}", observer.url("/")))
        .actual(actual)
        .at(first.place.clone())
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl_get(&url));
    Some(finding)
}
