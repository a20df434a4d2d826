//! Long queries by GET arrive.

use super::super::obstacle::{get_past, need_arguments};
use super::super::{Answer, Check, Skip, Turn, View};
use super::query;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Request, Seen};

/// What an everyday query of a dashboard comes to.
const EVERYDAY: usize = 2000;
/// The request line that nginx takes unless it is told otherwise (8 KiB), with room for another word.
const USUAL: usize = 8000;
/// What a dashboard's query with a long list of values comes to.
const LONG: usize = 12_000;

pub(crate) static CHECK: Check = Check {
    id: "api-long-query",
    level: Level::Error,
    what: "A query of 8 KiB arrives by GET.",
    why: "The UI sends its queries by GET. nginx refuses a request line that is longer than one of its buffers with a page \
          of HTML (414), and the UI shows \"unexpected token\".",
    fix: "large_client_header_buffers 4 16k; in the server block, or in http.",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers; thanos-io/thanos#7377",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_arguments(observer).await?;
    for (length, level) in [(EVERYDAY, Level::Error), (USUAL, Level::Warning), (LONG, Level::Note)] {
        let request = request(observer, length);
        let seen = observer.http().send(&request).await?;
        if query::value(&seen) != Some(1.0) {
            if !matches!(seen.status, 400 | 414 | 431 | 494) {
                get_past(&seen)?;
                return Err(Skip(format!("a long query is answered otherwise: {}", seen.summary())));
            }
            return Ok(vec![finding(observer, &request, &seen, length).at_level(level)]);
        }
    }
    Ok(Vec::new())
}

/// A query whose request line has this length: what follows `#` is a comment.
fn request(observer: &Observer, length: usize) -> Request {
    let short = observer.request("/api/v1/query?query=vector(1)%23");
    let line = "GET  HTTP/1.1\r\n".len() + short.target.len();
    let comment = "c".repeat(length.saturating_sub(line));
    observer.request(&format!("/api/v1/query?query=vector(1)%23{comment}"))
}

fn finding(observer: &Observer, request: &Request, seen: &Seen, length: usize) -> Finding {
    const FIX: &str = "large_client_header_buffers 4 16k;";
    let facts = observer.facts();
    let (place, fix) = match facts.server_in_force("large_client_header_buffers").into_iter().next() {
        Some(own) => (own.location.clone(), Fix::replace(own.location.clone(), FIX)),
        None => (facts.server().location.clone(), Fix::insert_into(facts.server().location.clone(), FIX)),
    };
    let short = observer.shell().curl_raw(&observer.request("/api/v1/query?query=vector(1)%23"));
    let shown = format!("{}\"$(printf %{length}s | tr ' ' c)\"", short);
    CHECK
        .finding(format!(
            "a GET whose first line has {} bytes is refused",
            request.target.len() + "GET  HTTP/1.1\r\n".len()
        ))
        .expected("200 with the JSON of Prometheus")
        .actual(seen.summary())
        .at(place)
        .fix(fix)
        .shown_by(shown)
}
