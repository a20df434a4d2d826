//! All that the UI's page refers to arrives below the prefix, and runs there.

use futures_util::future::join_all;
use html5gum::{Token, Tokenizer};
use reqwest::Url;

use super::super::obstacle::get_in;
use super::super::{Answer, Check, Turn, View};
use super::{page, policy};
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{Observer, Seen};

/// How many assets a finding names.
const NAMED: usize = 3;

pub(crate) static CHECK: Check = Check {
    id: "ui-assets",
    level: Level::Error,
    what: "Every script, style and icon that the UI's page refers to arrives below the prefix, with the right type, and browsers \
           run them.",
    why: "The page is small and everything else comes from its assets: if those leave the prefix or come back as HTML, \
          people see an empty window while every probe of the page says 200. The same if a Content-Security-Policy forbids \
          the script that the page itself holds.",
    fix: "Start Prometheus with --web.external-url=https://NAME/PREFIX so that it writes the prefix into its pages, and let \
          one location pass everything below the prefix: `location ^~ /PREFIX/` where a `location ~* \\.(js|css)$` stands \
          beside it.",
    source: "https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (--web.external-url)",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let page = page::own(observer).await?;
    let assets: Vec<Asset> = assets(&page).collect();
    let answers = join_all(assets.iter().map(|asset| observer.get_url(asset.url.clone()))).await;
    let mut missing: Vec<Missing> = Vec::new();
    for (asset, answer) in assets.iter().zip(answers) {
        let wrong = match &answer {
            _ if !observer.is_inside(&asset.url) => Some("outside of the prefix".to_owned()),
            Err(failure) => return Err(failure.clone().into()),
            Ok(seen) if matches!(seen.status, 429 | 503) => return get_in(seen).map(|()| Vec::new()),
            Ok(seen) => asset.what_is_wrong_with(seen),
        };
        if let Some(wrong) = wrong {
            let place = observer.facts().location_place(asset.url.path());
            missing.push(Missing { asset, wrong, place });
        }
    }
    missing.sort_by(|a, b| a.place.cmp(&b.place));
    let of_one_place = missing.chunk_by(|a, b| a.place == b.place);
    let mut findings: Vec<Finding> = of_one_place.filter_map(|missing| finding(observer, &page, missing)).collect();
    findings.extend(policy::what_is_forbidden(&page).map(|what| forbidden(observer, &page, &what)));
    Ok(findings)
}

/// An asset that does not arrive.
struct Missing<'a> {
    asset: &'a Asset,
    wrong: String,
    place: Location,
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
        .fix(fix(observer, first))
        .shown_by(observer.shell().curl_get(&url));
    Some(finding)
}

/// A location for files of another site takes them: only `^~` keeps it from looking.
fn fix(observer: &Observer, missing: &Missing<'_>) -> String {
    let prefix = &observer.route().prefix;
    let taken_away = missing.place != observer.route().location && observer.is_inside(&missing.asset.url);
    if taken_away {
        format!("location ^~ {prefix}/ {{ … }}: then no regular expression takes paths from it")
    } else {
        CHECK.fix.to_owned()
    }
}

fn forbidden(observer: &Observer, page: &Seen, what: &str) -> Finding {
    let facts = observer.facts();
    let own = facts.added_header(page.url.path(), policy::NAME);
    let fix = own.map_or_else(
        || Fix::from(policy::FIT),
        |own| {
            let text =
                own.written_with(|index, text| if index == 1 { policy::FIT.to_owned() } else { text.to_owned() });
            Fix::replace(own.location.clone(), text)
        },
    );
    CHECK
        .finding(format!("the Content-Security-Policy forbids {what}: the UI's page stays empty"))
        .expected("a policy that lets the page's own scripts, styles and requests be")
        .actual(policy::of(page).join(", "))
        .at(own.map(|own| own.location.clone()))
        .fix(fix)
        .shown_by(observer.shell().curl(page))
}
