//! Nobody deletes series through nginx.

use super::super::obstacle::need_answers;
use super::super::{Answer, Check, Skip, Turn, View};
use super::endpoint::{closing, reached};
use crate::finding::Level;
use crate::observe::{Observer, Seen};

const FLAG: &str = "web.enable-admin-api";

pub(crate) static CHECK: Check = Check {
    id: "admin-endpoints",
    level: Level::Error,
    what: "/api/v1/admin/tsdb/ is not reached through nginx where Prometheus has it (--web.enable-admin-api).",
    why: "One request deletes every series, another fills the disk with snapshots. Nothing is asked, and a browser that knows \
          the password sends it for any page that it visits.",
    fix: "location ^~ /PREFIX/api/v1/admin/ { return 403; } beside the location that answers; or start Prometheus without \
          --web.enable-admin-api.",
    source: "https://prometheus.io/docs/operating/security/#prometheus; \
             https://prometheus.io/docs/prometheus/latest/querying/api/#tsdb-admin-apis",
    turn: Turn::Together,
    view: View::Inside("a probe leaves the admin API alone: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    if !observer.facts().prometheus().has_flag(FLAG) {
        return Err(Skip(format!("Prometheus runs without --{FLAG}: it refuses all of it")));
    }
    need_answers(observer).await?;
    let paths =
        ["/api/v1/admin/tsdb/delete_series", "/api/v1/admin/tsdb/snapshot", "/api/v1/admin/tsdb/clean_tombstones"];
    let Some(reached) = reached(observer, &paths, is_its_own).await? else {
        return Ok(Vec::new());
    };
    let place = observer.facts().location_place(reached.request.url().path());
    let finding = CHECK
        .finding(format!("{} is passed on: whoever gets through nginx can delete series", reached.request.target))
        .expected("403 or 404 of nginx")
        .actual(format!("{} to a GET: Prometheus waits for a POST", reached.seen.summary()))
        .at(place.clone())
        .fix(closing(observer, &place, &["/api/v1/admin/"]))
        .shown_by(observer.shell().curl_raw(&reached.request));
    Ok(vec![finding])
}

/// Prometheus has the path for POST and PUT alone.
fn is_its_own(seen: &Seen) -> bool {
    seen.status == 405 && seen.media_type() != "text/html"
}
