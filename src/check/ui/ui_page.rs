//! The page that people see is Prometheus's UI, as Prometheus sent it.

use super::super::obstacle::PROBE;
use super::super::{Answer, Check, Turn, View};
use super::page;
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

/// What is rewritten where the prefix is put into pages.
const OF_PATHS: [&str; 6] = ["href=", "src=", "action=", "PATH_PREFIX", "/static", "/assets"];

pub(crate) static CHECK: Check = Check {
    id: "ui-page",
    level: Level::Error,
    what: "The page that the prefix leads to is Prometheus's UI, and nginx rewrites no paths in it.",
    why: "A page of another application in its place (try_files … /index.html) says 200 to every probe. Rules that write the \
          prefix into Prometheus's pages (sub_filter) break with the next version's pages.",
    fix: "Start Prometheus with --web.external-url=https://NAME/PREFIX: then it writes the prefix itself, and no sub_filter is \
          needed.",
    source: "https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (--web.external-url); \
             prometheus/prometheus#2193",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let page = page::any(observer).await?;
    if observer.is_inside(&page.url) && !page::is_prometheus_s(&page) {
        return Ok(vec![of_another(observer, &page)]);
    }
    let facts = observer.facts();
    let rewriting =
        facts.in_force(page.url.path(), "sub_filter").into_iter().find(|filter| is_of_paths(observer, filter));
    let rewriting = rewriting.map(|filter| rewritten(observer, &page, filter));
    Ok(rewriting.or_else(|| data_rewritten(observer)).into_iter().collect())
}

/// Text is replaced in what is no page: names and values of metrics, queries, labels.
fn data_rewritten(observer: &Observer) -> Option<Finding> {
    let facts = observer.facts();
    let path = observer.url(PROBE).path().to_owned();
    let filter = facts.in_force(&path, "sub_filter").into_iter().next()?;
    let types = facts.in_force(&path, "sub_filter_types");
    let of_data = |kind: &str| kind == "*" || kind.contains("json") || kind == "text/plain";
    let types = types.into_iter().find(|line| line.args.iter().any(|arg| of_data(&arg.text)))?;
    let finding = CHECK
        .finding("nginx replaces text in the answers of the API: what Grafana gets is not what Prometheus said")
        .at_level(Level::Warning)
        .expected("answers as Prometheus sends them")
        .actual(format!("{} {}", types.written(), filter.written()))
        .at(filter.location.clone())
        .fix(Fix::remove(filter.location.clone(), "remove it; Prometheus's own links come from --web.external-url"));
    Some(finding)
}

fn is_of_paths(observer: &Observer, filter: &Directive) -> bool {
    let prefix = &observer.route().prefix;
    let writes_prefix = !prefix.is_empty() && filter.arg(1).is_some_and(|text| text.contains(prefix.as_str()));
    writes_prefix || filter.arg(0).is_some_and(|text| OF_PATHS.iter().any(|of_paths| text.contains(of_paths)))
}

fn of_another(observer: &Observer, page: &Seen) -> Finding {
    CHECK
        .finding(format!("the page {} is not Prometheus's", page.url.path()))
        .expected("a page of HTML with Prometheus in its title")
        .actual(format!("{} as {:?}", page.summary(), page.media_type()))
        .at(observer.facts().location_place(page.url.path()))
        .fix("let one location pass everything below the prefix to Prometheus")
        .shown_by(observer.shell().curl(page))
}

fn rewritten(observer: &Observer, page: &Seen, filter: &Directive) -> Finding {
    let fix = format!("remove it, and start Prometheus with --web.external-url={}", observer.url(""));
    CHECK
        .finding("nginx rewrites paths in Prometheus's pages: the next version's pages have others")
        .at_level(Level::Warning)
        .expected("pages as Prometheus sends them")
        .actual(observer.facts().written(&filter.location))
        .at(filter.location.clone())
        .fix(Fix::remove(filter.location.clone(), fix))
        .shown_by(observer.shell().curl(page))
}
