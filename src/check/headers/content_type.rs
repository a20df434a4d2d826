//! Prometheus's content types arrive.

use reqwest::header::CONTENT_TYPE;

use super::super::obstacle::{get_past, need_answers};
use super::super::{Answer, Check, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

/// What Prometheus answers, and the types that it gives it.
const ANSWERS: [(&str, &[&str]); 3] = [
    ("/api/v1/query?query=vector(1)", &["application/json"]),
    ("/metrics", &["text/plain", "application/openmetrics-text"]),
    ("/-/healthy", &["text/plain"]),
];

pub(crate) static CHECK: Check = Check {
    id: "content-type",
    level: Level::Error,
    what: "The API, the metrics and the health endpoint come with one content type each, the one that Prometheus gives them.",
    why: "Clients read the type before the answer: since 3.0 Prometheus refuses metrics whose type it does not know, and \
          with `X-Content-Type-Options: nosniff` browsers run no script that is not called one.",
    fix: "Let nothing set Content-Type in the location of Prometheus: no add_header, no more_set_headers, no \
          proxy_hide_header of it. default_type is not for what a proxy answers.",
    source: "RFC 9110, section 8.3; https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let mut findings: Vec<Finding> = Vec::new();
    for (path, types) in ANSWERS {
        let seen = observer.get(path).await?;
        if get_past(&seen).is_err() || seen.status != 200 {
            continue;
        }
        let finding = what_is_wrong(&seen, types).map(|actual| finding(observer, &seen, types, actual));
        findings.extend(finding.filter(|finding| findings.iter().all(|known| known.location != finding.location)));
    }
    Ok(findings)
}

/// The types that come, if they are not one of the right ones.
fn what_is_wrong(seen: &Seen, types: &[&str]) -> Option<String> {
    let all: Vec<&str> = seen.headers.get_all(CONTENT_TYPE).iter().filter_map(|value| value.to_str().ok()).collect();
    match all.as_slice() {
        [] => Some("none".to_owned()),
        [_] if types.contains(&seen.media_type()) => None,
        all => Some(all.join(", and ")),
    }
}

fn finding(observer: &Observer, seen: &Seen, types: &[&str], actual: String) -> Finding {
    let facts = observer.facts();
    let path = seen.url.path();
    let names_it = |name: &&str| name.eq_ignore_ascii_case("content-type");
    let hidden =
        || facts.in_force(path, "proxy_hide_header").into_iter().find(|hide| hide.arg(0).filter(names_it).is_some());
    let own = facts.added_header(path, CONTENT_TYPE.as_str()).or_else(hidden);
    let fix = own.map_or_else(
        || Fix::from(CHECK.fix),
        |own| {
            Fix::remove(
                own.location.clone(),
                format!("remove `{}`: Prometheus sends its own", facts.written(&own.location)),
            )
        },
    );
    CHECK
        .finding(format!("{path} comes with another content type than Prometheus gives it"))
        .expected(types[0])
        .actual(actual)
        .at(own.map_or_else(|| facts.location_place(path), |own| own.location.clone()))
        .fix(fix)
        .shown_by(observer.shell().curl(seen))
}
