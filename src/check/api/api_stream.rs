//! Streams arrive as they are sent.

use std::time::Duration;

use reqwest::header::ACCEPT;
use tokio::time::{MissedTickBehavior, interval};

use super::super::obstacle::{get_past, need_answers};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{BUILD, FailureKind, Observer, Request};

/// How long the beginning of the stream may take where nothing else tells that it is kept back.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Prometheus sends the beginning at once. What so many answers have overtaken that were asked for later is kept back.
const OVERTAKING: usize = 10;
/// From one of them to the next: they are the clock, on a machine that is busy too.
const GAP: Duration = Duration::from_millis(25);
const STREAM: &str = "/api/v1/notifications/live";
/// Prometheus that has a stream.
const SINCE: (u32, u32) = (3, 0);

pub(crate) static CHECK: Check = Check {
    id: "api-stream",
    level: Level::Warning,
    what: "The stream of Prometheus's notifications (/api/v1/notifications/live, since 3.0) begins at once.",
    why: "nginx keeps an answer back until there is enough of it. Of a stream that is idle most of the time nothing arrives, \
          and the UI says \"Real-time notifications interrupted\".",
    fix: "location /PREFIX/api/v1/notifications/live { proxy_pass …; proxy_http_version 1.1; proxy_buffering off; \
          proxy_read_timeout 1d; }",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering; prometheus/docs#2950",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    if observer.version().await? < SINCE {
        return Err(Skip("this Prometheus has no stream: notifications came with 3.0".to_owned()));
    }
    let request = observer.request(STREAM).header(ACCEPT, "text/event-stream");
    let begun = tokio::select! {
        begun = observer.http().begin(&request, PATIENCE, Duration::ZERO) => Some(begun),
        () = overtaken(observer) => None,
    };
    let actual = match begun {
        None => "nothing, not even a header, while other answers arrived".to_owned(),
        Some(Err(failure)) if failure.kind == FailureKind::Timeout => {
            "nothing, not even a header, arrived in time".to_owned()
        }
        Some(Err(failure)) => return Err(failure.into()),
        Some(Ok(begun)) => {
            let seen = begun.seen;
            get_past(&seen)?;
            match (seen.status, seen.media_type()) {
                (200, "text/event-stream") => return Ok(Vec::new()),
                (204, _) => return Err(Skip("Prometheus has no more places for listeners (204)".to_owned())),
                (404, _) => return Err(Skip("nginx does not pass the stream on (404)".to_owned())),
                (status, media_type) => format!("{status} as {media_type:?}"),
            }
        }
    };
    Ok(vec![finding(observer, &request, actual)])
}

/// Returns once so many answers came that were asked for after the stream; never where one does not come.
async fn overtaken(observer: &Observer) {
    // They wait for no connection that others ask by.
    let http = observer.http().apart();
    let mut gaps = interval(GAP);
    gaps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..OVERTAKING {
        gaps.tick().await;
        let answer = http.send(&observer.request(BUILD)).await;
        // It was answered before: who is turned away now tells nothing.
        if !answer.is_ok_and(|seen| seen.status == 200) {
            return std::future::pending().await;
        }
    }
}

fn finding(observer: &Observer, request: &Request, actual: String) -> Finding {
    const FIX: &str = "proxy_buffering off;";
    let facts = observer.facts();
    let url = request.url();
    let (place, fix) = match facts.in_force(url.path(), "proxy_buffering").into_iter().next() {
        Some(own) if own.arg(0) == Some("on") => (own.location.clone(), Fix::replace(own.location.clone(), FIX)),
        _ => {
            let place = facts.location_place(url.path());
            (place.clone(), Fix::insert_into(place, FIX))
        }
    };
    CHECK
        .finding(format!("the stream {} does not begin", url.path()))
        .expected("200 with `text/event-stream` at once")
        .actual(actual)
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl_raw(request))
}
