//! Nobody stops or reloads Prometheus through nginx.

use super::super::obstacle::need_answers;
use super::super::{Answer, Check, Skip, Turn, View};
use super::endpoint::{closing, reached};
use crate::finding::Level;
use crate::observe::{Observer, Seen};

const FLAG: &str = "web.enable-lifecycle";

pub(crate) static CHECK: Check = Check {
    id: "lifecycle-endpoints",
    level: Level::Error,
    what: "/-/reload and /-/quit are not reached through nginx where Prometheus has them (--web.enable-lifecycle).",
    why: "One POST to /-/quit stops Prometheus. It asks for nothing, and a browser that knows the password sends it for any \
          page that it visits.",
    fix: "location ^~ /PREFIX/-/quit { return 403; } location ^~ /PREFIX/-/reload { return 403; } beside the location that answers; or start Prometheus without \
          --web.enable-lifecycle.",
    source: "https://prometheus.io/docs/operating/security/#prometheus",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    if !observer.runs_with(FLAG).await.map_err(|_| Skip("the flags of Prometheus can't be seen".to_owned()))? {
        return Err(Skip(format!("Prometheus runs without --{FLAG}: it refuses both")));
    }
    need_answers(observer).await?;
    let Some(reached) = reached(observer, &["/-/quit", "/-/reload"], is_its_own).await? else {
        return Ok(Vec::new());
    };
    let place = observer.facts().location_place(reached.request.url().path());
    let finding = CHECK
        .finding(format!("{} is passed on: whoever gets through nginx can stop Prometheus", reached.request.target))
        .expected("403 or 404 of nginx")
        .actual(format!("{} to a GET: Prometheus waits for a POST", reached.seen.summary()))
        .at(place.clone())
        .fix(closing(observer, &place, &["/-/quit", "/-/reload"]))
        .shown_by(observer.shell().curl_raw(&reached.request));
    Ok(vec![finding])
}

/// GET is refused by Prometheus, in words of its own; nginx's are HTML.
fn is_its_own(seen: &Seen) -> bool {
    seen.status == 405 && seen.media_type() != "text/html"
}
