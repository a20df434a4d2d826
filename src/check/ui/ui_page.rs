//! The UI's page and all that it refers to arrive below the prefix.

use std::sync::Arc;

use futures_util::future::join_all;
use html5gum::{Token, Tokenizer};
use reqwest::Url;

use super::super::{Answer, Check, Skip, Turn};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

/// What Debian's packages without a UI serve in its place.
const NO_UI: &[&str] = &["does not include the web UI", "not included in the Debian package", "No UI", "no web UI"];

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
    let mut findings = Vec::new();
    let answers = join_all(assets.iter().map(|asset| observer.get_url(asset.url.clone()))).await;
    for (asset, answer) in assets.iter().zip(answers) {
        let wrong = match &answer {
            _ if !observer.is_inside(&asset.url) => Some("is outside of the prefix".to_owned()),
            Err(failure) => Some(failure.to_string()),
            Ok(seen) => asset.what_is_wrong_with(seen),
        };
        findings.extend(wrong.map(|wrong| finding(observer, &page, asset, &wrong)));
    }
    Ok(findings)
}

/// The page that a browser ends up with, if it is Prometheus's UI.
async fn page(observer: &Observer) -> Result<Arc<Seen>, Skip> {
    let way = observer.follow(observer.url("/")).await?;
    let page = way.last().cloned().ok_or_else(|| Skip("no page".to_owned()))?;
    if page.status != 200 || page.media_type() != "text/html" {
        return Err(Skip(format!("no page to look at ({}): see prefix-root", page.summary())));
    }
    let text = page.text();
    if NO_UI.iter().any(|sign| text.contains(sign)) {
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

fn finding(observer: &Observer, page: &Seen, asset: &Asset, wrong: &str) -> Finding {
    CHECK
        .finding(format!("the UI's page refers to {}, which does not arrive", asset.url.path()))
        .expected(format!("200 with {}, below {}", asset.types[0], observer.url("/")))
        .actual(format!("{wrong} (page {})", page.url.path()))
        .at(observer.route().location.clone())
        .fix(CHECK.fix)
        .shown_by(observer.shell().curl_get(&asset.url))
}
