//! The prefix without its slash leads to the UI too.

use super::super::{Answer, Check, Skip, Turn};
use super::way;
use crate::finding::Level;
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
        return Ok(Vec::new());
    };
    let prefix = &observer.route().prefix;
    let finding = way::finding(&CHECK, observer, &way, wrong).map(|finding| {
        finding.at(observer.route().location.clone()).fix(format!("location = {prefix} {{ return 301 {prefix}/; }}"))
    });
    Ok(finding.into_iter().collect())
}
