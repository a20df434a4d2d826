//! Metrics come compressed to who asks for it, and plain to who does not.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};

use super::super::obstacle::{get_in, need_prometheus};
use super::super::{Answer, Check, Turn, View};
use super::exposition;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Request, Seen};

/// More than any page of metrics.
const MOST: u64 = 64 << 20;

pub(crate) static CHECK: Check = Check {
    id: "metrics-compression",
    level: Level::Error,
    what: "/metrics comes as gzip to a client that asks for it, as plain text to one that does not, and is compressed once.",
    why: "Every Prometheus asks for gzip, and the text is ten times smaller so. Compressed for who did not ask, or twice, it \
          is refused; never compressed, it costs the network.",
    fix: "Pass Accept-Encoding on as it comes: no proxy_set_header Accept-Encoding in the location of Prometheus.",
    source: "RFC 9110, section 12.5.3; https://nginx.org/en/docs/http/ngx_http_gzip_module.html",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_prometheus(observer).await?;
    let plain = observer.request("/metrics").header(ACCEPT_ENCODING, "identity");
    let packed = observer.request("/metrics").header(ACCEPT_ENCODING, "gzip");
    let mut findings = Vec::new();
    for (request, judge) in [(plain, unasked as fn(&Seen) -> Option<Wrong>), (packed, asked)] {
        let seen = observer.http().send(&request).await?;
        get_in(&seen)?;
        if seen.status == 200 && findings.is_empty() {
            findings.extend(judge(&seen).map(|wrong| finding(observer, &request, &seen, &wrong)));
        }
    }
    Ok(findings)
}

/// What is wrong, what it should be, and how much it matters.
type Wrong = (&'static str, &'static str, Level);

fn encoding(seen: &Seen) -> &str {
    seen.header(CONTENT_ENCODING).unwrap_or("identity")
}

fn unasked(seen: &Seen) -> Option<Wrong> {
    let wrong = encoding(seen) != "identity" || seen.body.starts_with(&[0x1f, 0x8b]);
    wrong.then_some(("/metrics comes compressed to a client that takes plain text alone", "plain text", Level::Error))
}

fn asked(seen: &Seen) -> Option<Wrong> {
    if encoding(seen) == "identity" {
        return Some(("/metrics never comes compressed", "Content-Encoding: gzip", Level::Note));
    }
    let mut text = Vec::new();
    let read = GzDecoder::new(seen.body.as_slice()).take(MOST).read_to_end(&mut text);
    let is_text = read.is_ok() && exposition::names(&String::from_utf8_lossy(&text)).is_ok();
    if !is_text {
        return Some((
            "what /metrics is compressed to is no metrics",
            "the exposition format, compressed once",
            Level::Error,
        ));
    }
    let varies = seen
        .headers
        .get_all(VARY)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("accept-encoding")));
    let by_nginx = seen.headers.get_all(CONTENT_ENCODING).iter().count() > 1;
    (by_nginx && !varies).then_some(("Content-Encoding comes twice", "Content-Encoding once", Level::Error))
}

fn finding(observer: &Observer, request: &Request, seen: &Seen, (wrong, expected, level): &Wrong) -> Finding {
    let facts = observer.facts();
    let url = request.url();
    let set = facts.in_force(url.path(), "proxy_set_header");
    let set = set.into_iter().find(|set| set.arg(0).is_some_and(|name| name.eq_ignore_ascii_case("accept-encoding")));
    let fix = set.map_or_else(
        || Fix::from(CHECK.fix),
        |set| {
            Fix::remove(
                set.location.clone(),
                format!("remove `{}`: clients say themselves what they take", facts.written(&set.location)),
            )
        },
    );
    CHECK
        .finding(*wrong)
        .at_level(*level)
        .expected(*expected)
        .actual(format!("Content-Encoding: {}", encoding(seen)))
        .at(set.map_or_else(|| facts.location_place(url.path()), |set| set.location.clone()))
        .fix(fix)
        .shown_by(observer.shell().curl_raw(request))
}
