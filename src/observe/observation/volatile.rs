//! Headers of a deployment's own that say something else each time: `add_header X-Request-ID $request_id`.

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;

use super::redaction;
use crate::deployment::Directive;
use crate::observe::{BUILD, Observer};

/// The variables of nginx that say something of the moment, the connection or the request.
const MOMENTARY: [&str; 10] = [
    "connection",
    "msec",
    "pid",
    "proxy_protocol_port",
    "remote_port",
    "request_id",
    "request_time",
    "ssl_session_id",
    "upstream_connect_time",
    "upstream_response_time",
];
/// How those begin of which there are several.
const FAMILIES: [&str; 6] = ["connections_", "date_", "tcpinfo_", "time_", "upstream_bytes_", "upstream_header_time"];
const DIRECTIVES: [&str; 2] = ["add_header", "more_set_headers"];

/// The names, in small letters, of the headers that are made of such variables, and of those that differ between two
/// answers to the same question.
pub(super) async fn headers(observer: &Observer) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(&observer.facts().deployment.nginx.directives, &mut names);
    let request = observer.request(BUILD);
    let (first, second) = tokio::join!(observer.get(BUILD), observer.http().send(&request));
    if let (Ok(first), Ok(second)) = (first, second) {
        names.extend(differing(&first.headers, &second.headers));
    }
    names
}

fn collect(directives: &[Directive], names: &mut BTreeSet<String>) {
    for directive in directives {
        collect(directive.children(), names);
        if !DIRECTIVES.iter().any(|name| directive.is(name)) {
            continue;
        }
        let words = directive.args.iter().map(|arg| arg.text.as_str());
        let text = words.collect::<Vec<_>>().join(" ");
        if text.split('$').skip(1).any(is_of_the_moment) {
            let name = text.trim_start_matches("-s ").split([' ', ':']).next().unwrap_or_default();
            names.insert(name.to_ascii_lowercase());
        }
    }
}

/// Whether a text begins with the name of such a variable, in braces or without.
fn is_of_the_moment(text: &str) -> bool {
    let text = text.strip_prefix('{').unwrap_or(text);
    let name = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    MOMENTARY.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

fn differing(first: &HeaderMap, second: &HeaderMap) -> BTreeSet<String> {
    let (first, second) = (redaction::headers(first, &BTreeSet::new()), redaction::headers(second, &BTreeSet::new()));
    first.into_iter().filter(|(name, value)| second.get(name) != Some(value)).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Deployment;

    #[test]
    fn what_is_made_of_the_moment_is_told_by_its_variables() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("nginx.conf");
        let text = "events {}\nhttp { server { listen 80; server_name a.b; add_header X-Id $request_id always; \
                    add_header X-Host $host; add_header X-Up $connection_upgrade; location /prometheus/ { proxy_pass http://localhost:9090/; \
                    add_header X-At \"at ${time_iso8601}\"; } } }\n";
        std::fs::write(&file, text).expect("written");
        let deployment = Deployment::load(&file).expect("a deployment");
        let mut names = BTreeSet::new();
        collect(&deployment.nginx.directives, &mut names);
        assert_eq!(names, ["x-at", "x-id"].map(str::to_owned).into());
    }

    #[test]
    fn what_differs_between_two_answers_is_told_by_them() {
        let answer = |count: &'static str| {
            let value = reqwest::header::HeaderValue::from_static;
            HeaderMap::from_iter(
                [("x-seen", count), ("x-same", "a"), ("date", count)]
                    .map(|(name, text)| (reqwest::header::HeaderName::from_static(name), value(text))),
            )
        };
        assert_eq!(differing(&answer("1"), &answer("2")), ["x-seen".to_owned()].into());
    }
}
