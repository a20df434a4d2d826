//! Prometheus's profiles are not for clients.

use super::super::obstacle::need_answers;
use super::super::{Answer, Check, Turn, View};
use super::content::{PROFILES, is_shown};
use super::endpoint::{closing, reached};
use crate::finding::Level;
use crate::observe::{Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "debug-endpoints",
    level: Level::Warning,
    what: "/debug/pprof/ is not reached through nginx.",
    why: "It shows the command line and the memory of Prometheus, and one request makes it profile itself for as long as the \
          client says.",
    fix: "location ^~ /PREFIX/debug/ { return 403; } beside the location that answers.",
    source: "https://pkg.go.dev/net/http/pprof; https://prometheus.io/docs/operating/security/#prometheus",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

/// The flags of Prometheus, each with a zero byte behind it.
const COMMAND_LINE: &str = "/debug/pprof/cmdline";
/// What every goroutine does, as text.
const STACKS: &str = "/debug/pprof/goroutine?debug=1";

fn is_profile(seen: &Seen) -> bool {
    let is_text = seen.status == 200 && seen.media_type() == "text/plain";
    is_shown(seen) || is_text && ["prometheus\0", "goroutine profile:"].iter().any(|own| seen.text().contains(own))
}

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let Some(reached) = reached(observer, &[PROFILES, COMMAND_LINE, STACKS], is_profile).await? else {
        return Ok(Vec::new());
    };
    let path = reached.request.url().path().to_owned();
    let access = observer.facts().access_at(&path);
    let asks = access.basic.is_some()
        || access.request.is_some()
        || access.certificate.is_some()
        || access.denied_client().is_some();
    let place = observer.facts().location_place(&path);
    let finding = CHECK
        .finding(format!("{} shows Prometheus's memory and profiles", reached.request.target))
        .at_level(if asks { Level::Note } else { Level::Warning })
        .expected("403 or 404 of nginx")
        .actual(format!("{} with what only its developers need", reached.seen.status))
        .at(place.clone())
        .fix(closing(observer, &place, &["/debug/"]))
        .shown_by(observer.shell().curl_raw(&reached.request));
    Ok(vec![finding])
}
