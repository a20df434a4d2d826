//! What a path answers, from the first redirect to the last answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoints::Depth;
use super::{redaction, shape};
use crate::observe::{Failure, Seen};

/// What Debian's packages serve in place of the UI that they lack.
const NO_UI: &str = "does not include the modern React web UI";
/// What a page is that says so.
pub(crate) const NO_UI_PAGE: &str = "a page that says that this build has no web UI";
/// The longest line that says something.
const LONGEST: usize = 120;

/// What a path answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status of each answer on the way, with the place that a redirect leads to: `302 to /prometheus/query`, `200`.
    pub way: Vec<String>,
    /// The content type at the end of the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The title of a page, or the line of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// The other headers at the end of the way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The keys of a JSON answer and the types behind them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub json: BTreeMap<String, String>,
}

impl Answer {
    /// What came of it.
    pub(super) fn of(way: Result<Vec<Arc<Seen>>, Failure>, depth: Depth, volatile: &BTreeSet<String>) -> Self {
        let way = match way {
            Ok(way) => way,
            Err(failure) => return Self { way: vec![format!("no answer: {failure}")], ..Self::default() },
        };
        let steps = way.iter().map(|seen| step(seen)).collect();
        let Some(end) = way.last() else { return Self { way: steps, ..Self::default() } };
        let json: Option<Value> = serde_json::from_slice(&end.body).ok().filter(Value::is_object);
        Self {
            way: steps,
            content_type: end.header(CONTENT_TYPE).map(str::to_owned),
            says: says(end, json.is_some()),
            headers: redaction::headers(&end.headers, volatile),
            json: json.map(|json| shape::of(&json, depth)).unwrap_or_default(),
        }
    }

    /// Whether the way ends well.
    #[must_use]
    pub fn succeeds(&self) -> bool {
        self.way.last().is_some_and(|end| end.starts_with('2'))
    }

    /// The way as one line.
    #[must_use]
    pub fn way_in_words(&self) -> String {
        self.way.join(", then ")
    }
}

fn step(seen: &Seen) -> String {
    match seen.header(LOCATION).filter(|_| (300..400).contains(&seen.status)) {
        Some(location) => format!("{} to {location}", seen.status),
        None => seen.status.to_string(),
    }
}

/// A page by its title, a text by its only line; of an exposition of metrics nothing.
fn says(seen: &Seen, is_json: bool) -> Option<String> {
    let text = seen.text();
    if seen.media_type() == "text/html" {
        return if text.contains(NO_UI) { Some(NO_UI_PAGE.to_owned()) } else { title(&text) };
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.next().filter(|line| line.len() <= LONGEST && !line.starts_with('#'))?;
    let is_text = !line.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    let is_it = is_text && !is_json && seen.media_type() == "text/plain" && lines.next().is_none();
    is_it.then(|| line.to_owned())
}

fn title(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| format!("the page {title:?}"))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};
    use reqwest::{Method, Url};

    use super::*;

    fn seen(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Arc<Seen> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect();
        let url = Url::parse("https://example.com/prometheus/").expect("a URL");
        Arc::new(Seen { method: Method::GET, url, form: Vec::new(), status, headers, body: body.into() })
    }

    #[test]
    fn a_way_is_told_step_by_step() {
        let page = "<html><title>\n Prometheus </title>";
        let way = vec![
            seen(302, &[("location", "/prometheus/query")], ""),
            seen(200, &[("content-type", "text/html; charset=utf-8"), ("date", "now")], page),
        ];
        let answer = Answer::of(Ok(way), Depth::Keys, &BTreeSet::new());
        assert_eq!(answer.way_in_words(), "302 to /prometheus/query, then 200");
        assert_eq!(answer.says.as_deref(), Some("the page \"Prometheus\""));
        assert!(answer.succeeds() && answer.headers.is_empty());
    }

    #[test]
    fn a_text_of_one_line_is_kept_and_an_exposition_is_not() {
        let text = [("content-type", "text/plain; charset=utf-8")];
        let says = |body| Answer::of(Ok(vec![seen(200, &text, body)]), Depth::Keys, &BTreeSet::new()).says;
        assert_eq!(says("Prometheus Server is Ready.\n").as_deref(), Some("Prometheus Server is Ready."));
        assert_eq!(says("# HELP up\nup 1\n"), None);
        assert_eq!(says("{\"version\":\"2.53.3\"}"), None);
        assert_eq!(says("\u{1f}\u{8b}\u{8}"), None, "what is packed is no text");
    }

    #[test]
    fn no_answer_is_one_too() {
        let answer = Answer::of(Err(Failure::timeout("no answer in time")), Depth::Keys, &BTreeSet::new());
        assert!(!answer.succeeds());
        assert_eq!(answer.way, ["no answer: nothing came: no answer in time"]);
    }
}
