//! Prometheus scrapes itself with the configuration that it was given.

use super::super::obstacle::get_through;
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Target};

pub(crate) static CHECK: Check = Check {
    id: "scrape-target-up",
    level: Level::Error,
    what: "Prometheus reaches itself as a scrape target, with the flags and the prometheus.yml of the deployment.",
    why: "With a route prefix Prometheus's own metrics move below it. A prometheus.yml that still scrapes /metrics has no \
          data about Prometheus, and alerts on its absence fire for ever.",
    fix: "Set metrics_path in the scrape job of Prometheus itself to ROUTE-PREFIX/metrics.",
    source: "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let upstream = observer.route().upstream.port();
    let port = observer.facts().prometheus().listen_port().unwrap_or(upstream);
    get_through(observer, &*observer.get("/api/v1/targets?state=active").await?).await?;
    let mut own = observer.targets().await?;
    if !observer.may_wait() && !own.iter().any(Target::is_known) {
        return Err(Skip("Prometheus begins to scrape five seconds after its start: --slow waits for it".to_owned()));
    }
    own.retain(|target| target.is_prometheus_itself(port));
    if own.is_empty() {
        return Err(Skip("no scrape target of prometheus.yml is Prometheus itself".to_owned()));
    }
    if let Some(target) = own.iter().find(|target| !target.is_known()) {
        return Err(Skip(format!("{} was not scraped yet: its interval is long", target.scrape_url)));
    }
    Ok(own.iter().filter(|target| target.health != "up").map(|target| finding(observer, target)).collect())
}

fn finding(observer: &Observer, target: &Target) -> Finding {
    let facts = observer.facts();
    let path = format!("{}/metrics", facts.prometheus().route_prefix());
    CHECK
        .finding(format!("Prometheus does not reach itself at {}", target.scrape_url))
        .expected("the target is up")
        .actual(format!("{}: {}", target.health, target.last_error))
        .at(target.host_port().and_then(|place| facts.target_place(place)))
        .fix(format!("metrics_path: {path}"))
        .shown_by(observer.shell().curl_get(&observer.url("/api/v1/targets?state=active")))
}
