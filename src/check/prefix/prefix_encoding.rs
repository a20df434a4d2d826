//! Whatever way a path is written, it leads to the same or to nothing.

use super::super::obstacle::{PROBE, is_of_go, is_of_the_api, need_answers};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Request, Seen};

pub(crate) static CHECK: Check = Check {
    id: "prefix-encoding",
    level: Level::Error,
    what: "A path in another spelling (%2f, //, /../, %70, capital letters) is treated like the plain one, and leads nowhere \
           outside of the prefix.",
    why: "nginx chooses a location by the decoded path, and passes on what proxy_pass says. Where that is built from decoded \
          variables ($1, $uri), %3F becomes the beginning of a query and %0D%0A a request of the client's own: rules of \
          other locations are bypassed.",
    fix: "`rewrite ^/PREFIX/(.*)$ /$1 break; proxy_pass http://HOST:9090;` encodes again what it passes on; so does \
          `location /PREFIX/ { proxy_pass http://HOST:9090/; }`.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass; gixy, http_splitting",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let mut findings = Vec::new();
    findings.extend(decoded(observer).await?);
    if findings.is_empty() {
        findings.extend(outside(observer).await?);
        findings.extend(other_spellings(observer).await?);
    }
    Ok(findings)
}

/// An encoded question mark is a letter of the path. Where a query is read behind it, what is passed on was decoded.
async fn decoded(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let request = observer.request("/api/v1/query%3Fquery=vector(1)&");
    let seen = observer.http().send(&request).await?;
    if !is_of_the_api(&seen) {
        return Ok(None);
    }
    let facts = observer.facts();
    let pass = facts.decoding_pass(request.url().path());
    let place = pass.map_or_else(|| facts.pass_place(request.url().path()), |pass| pass.location.clone());
    let fix = Fix::from(format!(
        "rewrite ^{}/(.*)$ {}$1 break; and proxy_pass {}; in the place of the path with variables",
        observer.route().prefix,
        observer.route().upstream_path,
        observer.facts().pass_without_path()
    ));
    let finding = CHECK
        .finding(
            "nginx passes on decoded what a client has encoded: a client can write requests of its own to Prometheus",
        )
        .expected("404: an encoded question mark is part of the path")
        .actual(format!("{}: what follows it was read as a query", seen.summary()));
    Ok(Some(finding.at(place).fix(fix).shown_by(observer.shell().curl_raw(&request))))
}

/// What climbs out of the prefix is no longer for Prometheus.
async fn outside(observer: &Observer) -> Result<Option<Finding>, Skip> {
    if observer.route().prefix.is_empty() {
        return Ok(None);
    }
    let plain = observer.http().send(&observer.request_at_root(PROBE)).await?;
    if is_of_go(&plain) {
        // Another location leads from the root to Prometheus too.
        return Ok(None);
    }
    for climb in ["/..%2f", "/%2e%2e/", "/x/..%2f..%2f"] {
        let request = observer.request(&format!("{climb}{}", &PROBE[1..]));
        let seen = observer.http().send(&request).await?;
        if is_of_go(&seen) {
            let finding = CHECK
                .finding(format!("{} leads to Prometheus from outside of the prefix", request.target))
                .expected(format!("as for {PROBE}: {}", plain.summary()))
                .actual(seen.summary())
                .at(observer.facts().pass_place(observer.url(PROBE).path()))
                .fix(CHECK.fix);
            return Ok(Some(finding.shown_by(observer.shell().curl_raw(&request))));
        }
    }
    Ok(None)
}

/// Spellings that a client may use in good faith: they get the answer, a way to it, or nothing of Prometheus.
async fn other_spellings(observer: &Observer) -> Result<Vec<Finding>, Skip> {
    let prefix = &observer.route().prefix;
    let mut requests = vec![observer.request(&format!("/{PROBE}")), observer.request(&format!("/x/..{PROBE}"))];
    if !prefix.is_empty() {
        requests.push(observer.request_at_root(&format!("{}{PROBE}", prefix.to_ascii_uppercase())));
    }
    let mut findings = Vec::new();
    for request in requests {
        let seen = observer.http().send(&request).await?;
        // What Prometheus does not find leads nowhere.
        if seen.redirect().is_some_and(|target| is_of_go(&seen) && !observer.is_inside(&target)) {
            findings.push(misled(observer, &request, &seen));
        }
    }
    findings.dedup_by(|a, b| a.location == b.location);
    Ok(findings)
}

fn misled(observer: &Observer, request: &Request, seen: &Seen) -> Finding {
    let facts = observer.facts();
    let merging = facts.server_in_force("merge_slashes").into_iter().find(|found| found.arg(0) == Some("off"));
    let merging = merging.filter(|_| request.target.contains("//"));
    let (place, fix) = match merging {
        Some(off) => (off.location.clone(), Fix::remove(off.location.clone(), "leave merge_slashes on, its default")),
        None => (facts.pass_place(request.url().path()), Fix::from(CHECK.fix)),
    };
    CHECK
        .finding(format!("{} reaches Prometheus, and not as {} does", request.target, observer.url(PROBE).path()))
        .at_level(Level::Warning)
        .expected("the same answer, a redirect to it, or nothing of Prometheus")
        .actual(seen.summary())
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl_raw(request))
}
