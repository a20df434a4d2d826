//! What only begins like the prefix does not reach Prometheus.

use super::super::obstacle::{get_past, is_of_go};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

/// What is put behind the prefix: another word, and another name with a path of its own.
const SIBLINGS: [&str; 2] = ["x", "-backup/"];

pub(crate) static CHECK: Check = Check {
    id: "prefix-sibling",
    level: Level::Warning,
    what: "A path that only begins like the prefix (/prometheusx, /prometheus-backup/) does not reach Prometheus.",
    why: "A location without a slash at its end takes every path that begins with it. Another application that comes to be \
          served beside Prometheus is swallowed, and with a path in proxy_pass what is behind the prefix is glued to it \
          (/prometheus.. becomes /..).",
    fix: "location /PREFIX/ { proxy_pass http://HOST:9090/; }, both with a slash at the end; nginx leads /PREFIX there by \
          itself. A regular expression needs the slash too: `location ~ ^/PREFIX/`.",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#location",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    if observer.route().prefix.is_empty() {
        return Err(Skip("Prometheus is served at the root: there is no prefix".to_owned()));
    }
    for sibling in SIBLINGS {
        let seen = observer.get(sibling).await?;
        if get_past(&seen).is_err() || !is_of_go(&seen) {
            continue;
        }
        let is_of_the_route = match is_of_the_route(observer, &seen) {
            Some(is) => is,
            None => !answers_like_anything(observer, &seen).await?,
        };
        if is_of_the_route {
            return Ok(vec![finding(observer, &seen)]);
        }
    }
    Ok(Vec::new())
}

/// Whether the location that leads there is the one of the prefix; none where it is not known. Another may lead to
/// Prometheus too, on purpose.
fn is_of_the_route(observer: &Observer, seen: &Seen) -> Option<bool> {
    let facts = observer.facts();
    let chosen = facts.location_for(seen.url.path())?;
    let own = facts.location_for(observer.url("/api/v1/query").path());
    Some(chosen.location == observer.route().location || Some(chosen) == own)
}

/// Whether a path beside the prefix that does not begin like it is answered alike: then it is who has all of that folder.
async fn answers_like_anything(observer: &Observer, seen: &Seen) -> Result<bool, Skip> {
    let prefix = &observer.route().prefix;
    let folder = prefix.rfind('/').map_or("", |end| &prefix[..end]);
    let other = observer.get_url(observer.url_at_root(&format!("{folder}/-proxyproof"))).await?;
    Ok(other.status == seen.status && (other.body == seen.body || seen.redirect().is_some()))
}

fn finding(observer: &Observer, seen: &Seen) -> Finding {
    let prefix = &observer.route().prefix;
    CHECK
        .finding(format!("{} reaches Prometheus too", seen.url.path()))
        .expected(format!("nothing but {prefix} and what is below {prefix}/ does"))
        .actual(format!("{}, from Prometheus", seen.summary()))
        .at(observer.facts().location_place(seen.url.path()))
        .fix(format!(
            "location {prefix}/ {{ … }}, with a slash at its end, and one at the end of the path in proxy_pass"
        ))
        .shown_by(observer.shell().curl(seen))
}
