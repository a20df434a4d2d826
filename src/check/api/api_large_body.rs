//! Large forms and what remote write sends arrive.

use std::collections::HashMap;

use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::super::obstacle::{get_past, need_answers};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Request, Seen};

/// What nginx takes unless it is told otherwise.
const MIB: usize = 1 << 20;

pub(crate) static CHECK: Check = Check {
    id: "api-large-body",
    level: Level::Error,
    what: "A form of 1 MiB arrives by POST; where Prometheus receives remote writes, 4 MiB do.",
    why: "nginx answers 413 to what is longer than client_max_body_size (1m). A sender of remote writes takes that as final \
          and drops the samples.",
    fix: "client_max_body_size 16m; in the location of Prometheus.",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size; grafana/mimir#8293",
    turn: Turn::Together,
    view: View::Inside("a probe sends no megabytes to what others use: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let form =
        observer.request("/api/v1/query").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form_of(MIB));
    let (seen, request) = send(observer, form).await?;
    if seen.status == 413 {
        return Ok(vec![finding(observer, &request, &seen, "a form of 1 MiB").at_level(Level::Warning)]);
    }
    if !receives(&observer.flags().await.unwrap_or_default()) {
        return Ok(Vec::new());
    }
    // No snappy begins like this: Prometheus refuses it once it has read it, and nothing is written.
    let write = observer
        .request("/api/v1/write")
        .header(CONTENT_TYPE, "application/x-protobuf")
        .header(CONTENT_ENCODING, "snappy")
        .body(vec![0xff; 4 * MIB]);
    let (seen, request) = send(observer, write).await?;
    Ok((seen.status == 413)
        .then(|| finding(observer, &request, &seen, "a remote write of 4 MiB"))
        .into_iter()
        .collect())
}

/// A query with a comment behind it, this long.
fn form_of(length: usize) -> String {
    const QUERY: &str = "query=vector(1)%23";
    format!("{QUERY}{}", "c".repeat(length - QUERY.len()))
}

async fn send(observer: &Observer, request: Request) -> Result<(Seen, Request), Skip> {
    let request = request.method(Method::POST);
    let seen = observer.http().send(&request).await?;
    get_past(&seen)?;
    Ok((seen, request))
}

/// Whether Prometheus takes remote writes, by its flags of before 2.33 and since.
fn receives(flags: &HashMap<String, String>) -> bool {
    let is = |name: &str, word: &str| flags.get(name).is_some_and(|value| value.contains(word));
    is("web.enable-remote-write-receiver", "true") || is("enable-feature", "remote-write-receiver")
}

fn finding(observer: &Observer, request: &Request, seen: &Seen, what: &str) -> Finding {
    const FIX: &str = "client_max_body_size 16m;";
    let facts = observer.facts();
    let path = request.url();
    let (place, fix) = match facts.in_force(path.path(), "client_max_body_size").into_iter().next() {
        Some(own) => (own.location.clone(), Fix::replace(own.location.clone(), FIX)),
        None => {
            let place = facts.location_place(path.path());
            (place.clone(), Fix::insert_into(place, FIX))
        }
    };
    CHECK
        .finding(format!("nginx refuses {what}"))
        .expected("Prometheus's own answer")
        .actual(format!("{} from nginx", seen.status))
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl_raw(request))
}
