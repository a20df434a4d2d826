//! Query strings reach Prometheus as they were sent.

use serde::Deserialize;

use super::super::obstacle::{ARGUMENTS, PROOF, PROOF_TIME, get_through, need_prometheus};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "prefix-arguments",
    level: Level::Error,
    what: "What follows the `?` of a URL reaches Prometheus whole and unchanged: encoded slashes, ampersands, plus signs and \
           letters beyond ASCII too.",
    why: "All of a query is in the query string. A rewrite whose replacement ends in `?`, or a proxy_pass that is built from \
          variables without $is_args$args, drops it: pages load, and every query and every graph answers 400.",
    fix: "Write the rewrite without a `?` at its end (`rewrite ^/PREFIX/(.*)$ /$1 break;`), or add the arguments: \
          `proxy_pass http://HOST:9090/$1$is_args$args;`.",
    source: "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#rewrite; \
             https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

#[derive(Deserialize)]
struct Status {
    status: String,
}

#[derive(Deserialize)]
struct QueryAnswer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    metric: Labels,
    value: (f64, String),
}

#[derive(Deserialize)]
struct Labels {
    #[serde(default)]
    proof: String,
}

async fn ask(observer: &Observer) -> Answer {
    let seen = observer.get(ARGUMENTS).await?;
    get_through(observer, &seen).await?;
    need_prometheus(observer).await?;
    if !is_of_the_api(&seen) {
        return Err(Skip("it is not Prometheus's API that answers: see api-query".to_owned()));
    }
    Ok(what_is_wrong_with(&seen).map(|wrong| finding(observer, &seen, wrong)).into_iter().collect())
}

/// Whether it is JSON of Prometheus's API, or what a program in Go says of a request that it can't read.
fn is_of_the_api(seen: &Seen) -> bool {
    let answer: Result<Status, _> = serde_json::from_slice(&seen.body);
    let of_go = seen.status == 400 && seen.text().starts_with("400 Bad Request");
    of_go || answer.is_ok_and(|answer| matches!(answer.status.as_str(), "success" | "error"))
}

/// What Prometheus says that it got, if it is not what was sent.
fn what_is_wrong_with(seen: &Seen) -> Option<String> {
    let answer: Result<QueryAnswer, _> = serde_json::from_slice(&seen.body);
    let sample = answer.ok().filter(|_| seen.status == 200).and_then(|answer| answer.data.result.into_iter().next());
    match sample {
        None => Some(seen.summary()),
        Some(sample) if sample.metric.proof != PROOF => Some(format!("Prometheus got {:?}", sample.metric.proof)),
        Some(sample) if sample.value.0 != PROOF_TIME => Some("the second argument is lost".to_owned()),
        Some(_) => None,
    }
}

fn finding(observer: &Observer, seen: &Seen, actual: String) -> Finding {
    let facts = observer.facts();
    let dropper = facts.query_dropper(seen.url.path());
    let fix = dropper.map_or_else(
        || Fix::from(CHECK.fix),
        |dropper| {
            let text = match dropper.name.as_str() {
                "rewrite" => dropper.written_with(|index, text| {
                    if index == 1 { text.trim_end_matches('?').to_owned() } else { text.to_owned() }
                }),
                "proxy_pass" => dropper.written_with(|_, text| format!("{text}$is_args$args")),
                _ => return Fix::remove(dropper.location.clone(), "do not set $args: it is the query"),
            };
            Fix::replace(dropper.location.clone(), text)
        },
    );
    let place = dropper.map_or_else(|| facts.pass_place(seen.url.path()), |dropper| dropper.location.clone());
    CHECK
        .finding("the query of a URL does not reach Prometheus as it was sent")
        .expected(format!("a sample whose label is {PROOF:?}, at the time that was asked for"))
        .actual(actual)
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl(seen))
}
