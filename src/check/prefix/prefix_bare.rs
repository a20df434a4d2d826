//! The prefix without its slash leads to the UI too.

use super::super::{Answer, Check, Skip, Turn};
use super::way::lead_inside;
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
    Ok(lead_inside(&CHECK, observer, "").await?.into_iter().collect())
}
