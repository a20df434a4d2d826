//! The prefix without its slash leads to the UI too.

use reqwest::Url;
use reqwest::header::{HOST, LOCATION};

use super::super::obstacle::{PROBE, need_no_login};
use super::super::{Answer, Check, Skip, Turn, View};
use super::way;
use crate::finding::{Finding, Fix, Level};
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "prefix-bare",
    level: Level::Error,
    what: "The prefix without its slash leads to the UI too.",
    why: "People type it that way. nginx redirects it to the prefix with its slash only for a prefix location that ends in \
          a slash and passes to a proxy, not for a regular expression or an exact location.",
    fix: "location /PREFIX/ { proxy_pass …; } redirects it by itself; otherwise add \
          `location = /PREFIX { return 301 /PREFIX/; }`.",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    if observer.route().prefix.is_empty() {
        return Err(Skip("Prometheus is served at the root: there is no prefix".to_owned()));
    }
    let way = way::follow(observer, "").await?;
    let root = observer.url("/");
    let Some(wrong) = way::what_is_wrong(observer, &way).filter(|_| way.iter().all(|seen| seen.url != root)) else {
        // What is wrong from the prefix with its slash on is for prefix-root to say.
        return Ok(wrong_origin(observer).await?.into_iter().collect());
    };
    need_no_login(observer, &*observer.get(PROBE).await?)?;
    let prefix = &observer.route().prefix;
    let place = way::turned_at(observer, &way).unwrap_or_else(|| observer.route().location.clone());
    let finding = way::finding(&CHECK, observer, &way, wrong)
        .map(|finding| finding.at(place).fix(format!("location = {prefix} {{ return 301 {prefix}/; }}")));
    Ok(finding.into_iter().collect())
}

/// nginx's own redirect has the port that it listens on, and its scheme. Where Prometheus is told that people come by others
/// (a mapped port, another server that ends TLS), they are asked for.
async fn wrong_origin(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let known = observer.facts().prometheus().external_url().and_then(|known| Url::parse(known).ok());
    let public = observer.url("");
    let Some(known) = known.filter(|known| known.host() == public.host() && known.origin() != public.origin()) else {
        return Ok(None);
    };
    let host = known.host_str().unwrap_or_default();
    let host = known.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let request = observer.request("").header(HOST, &host);
    let seen = observer.http().send(&request).await?;
    let location = seen.header(LOCATION).and_then(|location| Url::parse(location).ok());
    let Some(target) = location.filter(|target| target.origin() != known.origin()) else {
        return Ok(None);
    };
    let place = observer.facts().location_place(observer.url("/").path());
    let finding = CHECK
        .finding(format!(
            "nginx redirects {} to {}, and people come by {}",
            public.path(),
            origin(&target),
            origin(&known)
        ))
        .at_level(Level::Warning)
        .expected(format!("a redirect to a path, or to {}", origin(&known)))
        .actual(seen.summary())
        .at(place.clone())
        .fix(Fix::insert_into(place, "absolute_redirect off;"))
        .shown_by(observer.shell().curl_raw(&request));
    Ok(Some(finding))
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
