//! What changes from run to run in headers and file names, and what stands in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use reqwest::header::HeaderMap;

/// Headers that say something about the moment or the connection, and nothing about the deployment. The content type and
/// the place of a redirect are kept elsewhere.
const ABSENT: [&str; 9] = [
    "date",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "age",
    "content-type",
    "location",
    "accept-ranges",
];
/// Headers of which only that they are there stays the same.
const PRESENT: [&str; 5] = ["etag", "last-modified", "expires", "set-cookie", "x-request-id"];
const IS_PRESENT: &str = "<present>";

/// The headers of an answer, without what changes from run to run: what that is with every deployment, and what with this
/// one, by the names of the headers.
pub(super) fn headers(headers: &HeaderMap, volatile: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let name = name.as_str();
        if ABSENT.contains(&name) {
            continue;
        }
        let value = match name {
            _ if PRESENT.contains(&name) || volatile.contains(name) => IS_PRESENT.to_owned(),
            "server" => without_version(&String::from_utf8_lossy(value.as_bytes())),
            _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        match kept.get_mut(name) {
            Some(known) if *known != value => *known = format!("{known}, {value}"),
            Some(_) => {}
            None => drop(kept.insert(name.to_owned(), value)),
        }
    }
    kept
}

/// nginx numbers its temporary files, and that of one answer has another number the next time.
static TEMPORARY_FILE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"/\d{10}\b").expect("it is one"));

/// What a program or a check says, without the names of temporary files.
pub(crate) fn without_temporary_names(text: &str) -> String {
    TEMPORARY_FILE.replace_all(text, "/<number>").into_owned()
}

/// `nginx/1.26.3` as `nginx/<version>`: that the version is shown is a fact of the deployment, which it is is one of the
/// program.
fn without_version(server: &str) -> String {
    match server.split_once('/') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => format!("{name}/<version>"),
        _ => server.to_owned(),
    }
}

/// A path of an asset without its query, and with `<hash>` in the place of what a bundler makes of the content:
/// `/assets/index-CqGiWMdc.js`, `/static/js/main.9e53c8a1.js`.
pub(super) fn asset(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(folder, file)| (folder, file));
    let mut name = String::new();
    let mut piece = String::new();
    for character in file.chars() {
        if matches!(character, '.' | '-') {
            name.push_str(replaced(&piece));
            piece.clear();
            name.push(character);
        } else {
            piece.push(character);
        }
    }
    name.push_str(replaced(&piece));
    if path.contains('/') { format!("{folder}/{name}") } else { name }
}

fn replaced(piece: &str) -> &str {
    if is_hash(piece) { "<hash>" } else { piece }
}

/// Bundlers write eight letters and digits, or a longer row of hexadecimal ones; words have neither digits nor capital
/// letters within.
fn is_hash(piece: &str) -> bool {
    let all = |is: fn(&char) -> bool| piece.chars().all(|c| is(&c));
    let any = |is: fn(&char) -> bool| piece.chars().skip(1).any(|c| is(&c));
    let is_short = piece.len() == 8 && all(|c| c.is_ascii_alphanumeric() || *c == '_');
    let is_long = piece.len() > 8 && all(char::is_ascii_hexdigit);
    (is_short && (any(char::is_ascii_digit) || any(char::is_ascii_uppercase))) || (is_long && any(char::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn what_is_of_the_moment_is_gone() {
        let given = [
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("etag", "\"5f3\""),
            ("server", "nginx/1.26.3"),
            ("x-seen", "17"),
            ("x-frame-options", "DENY"),
            ("x-frame-options", "SAMEORIGIN"),
        ];
        let mut all = HeaderMap::new();
        for (name, value) in given {
            all.append(name, HeaderValue::from_static(value));
        }
        let kept = headers(&all, &["x-seen".to_owned()].into());
        let kept: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            kept,
            [
                ("etag", "<present>"),
                ("server", "nginx/<version>"),
                ("x-frame-options", "DENY, SAMEORIGIN"),
                ("x-seen", "<present>")
            ]
        );
        assert_eq!(without_version("nginx"), "nginx");
        assert_eq!(
            without_temporary_names("rename() \"/a/1/00/0000000012\" of 12345678901"),
            "rename() \"/a/1/00/<number>\" of 12345678901"
        );
    }

    #[test]
    fn hashes_of_bundlers_are_known() {
        for (path, expected) in [
            ("/p/assets/index-CqGiWMdc.js", "/p/assets/index-<hash>.js"),
            ("/p/static/js/main.9e53c8a1.chunk.js", "/p/static/js/main.<hash>.chunk.js"),
            ("/p/classic/static/css/prometheus.css?v=5a2e", "/p/classic/static/css/prometheus.css"),
            (
                "/p/static/vendor/bootstrap-4.5.2/css/bootstrap.min.css",
                "/p/static/vendor/bootstrap-4.5.2/css/bootstrap.min.css",
            ),
            ("/p/static/js/popper.min.js", "/p/static/js/popper.min.js"),
            ("/p/assets/codicon-0123456789abcdef0123.ttf", "/p/assets/codicon-<hash>.ttf"),
            ("favicon.ico", "favicon.ico"),
        ] {
            assert_eq!(asset(path), expected);
        }
    }
}
