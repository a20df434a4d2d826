//! Answers are Prometheus's of this moment.

use reqwest::header::{AGE, CACHE_CONTROL};

use super::super::obstacle::{get_past, need_arguments};
use super::super::{Answer, Check, Skip, Turn, View};
use super::query;
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Request, Seen};

/// How often the time is asked for. Its clock has milliseconds: two equal answers are chance, all equal ones are a cache.
const TIMES: usize = 4;

pub(crate) static CHECK: Check = Check {
    id: "api-cache",
    level: Level::Error,
    what: "The API answers with what is now: no cache of nginx, and no header that lets browsers keep it.",
    why: "A graph that refreshes gets the old samples again, and an alert that is over stays. Behind a password a cache also \
          answers with what Prometheus said to somebody else.",
    fix: "proxy_cache off; in the location of Prometheus, and no `expires` but for its /static/ and /assets/.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache; RFC 9111",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_arguments(observer).await?;
    let request = observer.request("/api/v1/query?query=vector(time())");
    let mut answers: Vec<Seen> = Vec::new();
    for _ in 0..TIMES {
        let seen = observer.http().send(&request).await?;
        get_past(&seen)?;
        let is_new = answers.last().is_some_and(|last| query::value(last) != query::value(&seen));
        answers.push(seen);
        if is_new {
            break;
        }
    }
    let Some(last) = answers.pop() else { return Err(Skip("no answer".to_owned())) };
    if query::value(&last).is_none() {
        return Err(Skip("queries are not answered: see api-query".to_owned()));
    }
    let is_old = answers.iter().all(|before| query::value(before) == query::value(&last));
    let finding = if is_old || last.headers.contains_key(AGE) {
        Some(cached(observer, &request))
    } else {
        kept_by_browsers(observer, &request, &last)
    };
    Ok(finding.into_iter().collect())
}

fn cached(observer: &Observer, request: &Request) -> Finding {
    let access = &observer.route().access;
    let private = access.basic.is_some() || !access.rules.is_empty();
    let cache = in_force(observer, request, "proxy_cache", |cache| cache.arg(0) != Some("off"));
    let fix =
        cache.map_or_else(|| Fix::from(CHECK.fix), |cache| Fix::replace(cache.location.clone(), "proxy_cache off;"));
    let finding = CHECK
        .finding("the API answers from a cache")
        .at_level(if private { Level::Error } else { Level::Warning })
        .expected("the time of now, another at each request")
        .actual("the same time at each of them");
    placed(observer, request, finding, cache).fix(fix)
}

fn kept_by_browsers(observer: &Observer, request: &Request, seen: &Seen) -> Option<Finding> {
    let control = seen.header(CACHE_CONTROL)?.to_ascii_lowercase();
    let age = control.split([',', ' ']).find_map(|word| word.strip_prefix("max-age=")?.parse::<u64>().ok())?;
    if age == 0 || control.contains("no-store") || control.contains("no-cache") {
        return None;
    }
    let expires = in_force(observer, request, "expires", |_| true);
    let own = expires.or_else(|| observer.facts().added_header(request.url().path(), CACHE_CONTROL.as_str()));
    let fix = own.map_or_else(
        || Fix::from(CHECK.fix),
        |own| Fix::remove(own.location.clone(), "remove it here: what it is meant for is below /static/ and /assets/"),
    );
    let finding = CHECK
        .finding("browsers may keep what the API answers")
        .at_level(Level::Warning)
        .expected("no Cache-Control with a max-age")
        .actual(format!("Cache-Control: {control}"));
    Some(placed(observer, request, finding, own).fix(fix))
}

fn placed(observer: &Observer, request: &Request, finding: Finding, at: Option<&Directive>) -> Finding {
    let place = at.map(|directive| directive.location.clone());
    finding.at(place).shown_by(observer.shell().curl_raw(request))
}

fn in_force<'a>(
    observer: &'a Observer,
    request: &Request,
    name: &str,
    fits: impl Fn(&Directive) -> bool,
) -> Option<&'a Directive> {
    observer.facts().in_force(request.url().path(), name).into_iter().find(|directive| fits(directive))
}
