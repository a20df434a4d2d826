//! Headers that are set outside of a block are not lost by one that the block sets itself.
//!
//! What a client gets is asked for. What Prometheus gets can't be seen from outside, as it repeats none of it: that is read
//! from the directives that are in force where nginx passes on.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::header::HeaderName;

use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use crate::deployment::{Directive, levels};
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{Observer, Seen};

/// What Prometheus has, and people put into locations of their own.
const PATHS: [&str; 5] = ["/", "/graph", "/api/v1/status/buildinfo", "/metrics", "/-/healthy"];

/// Headers of answers that protect whoever reads them. Strict-Transport-Security is the question of `hsts`.
const PROTECTING: [&str; 8] = [
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "cross-origin-resource-policy",
];
const HSTS: &str = "strict-transport-security";

/// Headers of requests that say who asks, and for what.
const TELLING: [&str; 4] = ["host", "x-real-ip", "forwarded", "authorization"];

pub(crate) static CHECK: Check = Check {
    id: "header-inheritance",
    level: Level::Warning,
    what: "What `add_header` and `proxy_set_header` set at http or server level also holds in the locations below it that \
           set headers of their own.",
    why: "nginx inherits these directives only where the inner block has none of the same name: one `add_header \
          Cache-Control …` in a location takes X-Frame-Options and all the others away there, and one `proxy_set_header` \
          takes Host and X-Forwarded-For away. Nothing says so, and the page that one looks at may still have them.",
    fix: "Repeat the outer lines in the location that has its own (an include of one file with all of them keeps them \
          together), or move the inner line outside. For add_header, nginx has `add_header_inherit merge;` since 1.29.3.",
    source: "https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header; \
             https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

/// Lines of a deeper level, and the lines outside of it that are lost by them.
struct Drop<'a> {
    inner: Vec<&'a Directive>,
    lost: Vec<&'a Directive>,
    /// The block that the inner ones hold in.
    block: Option<&'a Directive>,
}

async fn ask(observer: &Observer) -> Answer {
    let answers = answers(observer).await?;
    let blocks = blocks_that_pass(observer);
    let facts = observer.facts();
    let added = answers.iter().any(|seen| !facts.in_force(seen.url.path(), "add_header").is_empty());
    let set = blocks.iter().any(|blocks| !levels(blocks, "proxy_set_header").is_empty());
    if !added && !set {
        return Err(Skip("neither add_header nor proxy_set_header is used".to_owned()));
    }
    let mut findings: Vec<Finding> = Vec::new();
    let of_answers = answers.iter().flat_map(|seen| lost_in_answer(observer, seen));
    let of_requests = blocks.iter().flat_map(|blocks| lost_in_request(blocks));
    for finding in of_answers.chain(of_requests) {
        if findings.iter().all(|known| known.location != finding.location) {
            findings.push(finding);
        }
    }
    Ok(findings)
}

/// Of paths of Prometheus, and of the locations of the server that have headers of their own.
async fn answers(observer: &Observer) -> Result<Vec<Arc<Seen>>, Skip> {
    let below = PATHS.iter().map(|path| observer.url(path));
    let others = observer.facts().paths_with_own("add_header");
    let others = others.iter().map(|path| observer.url_at_root(path));
    let mut urls: Vec<_> = below.collect();
    urls.extend(others.filter(|url| !urls.contains(url)).collect::<Vec<_>>());
    let answers = join_all(urls.into_iter().map(|url| observer.get_url(url))).await;
    Ok(answers.into_iter().collect::<Result<_, _>>()?)
}

/// A redirect shows nothing that has to be protected.
fn lost_in_answer(observer: &Observer, seen: &Seen) -> Vec<Finding> {
    let facts = observer.facts();
    let path = seen.url.path();
    let is_known = facts.location_for(path).is_some();
    let merged = facts.in_force(path, "add_header_inherit").iter().any(|inherit| inherit.arg(0) != Some("on"));
    if !is_known || merged || (300..400).contains(&seen.status) {
        return Vec::new();
    }
    let is_there = |name: &str| HeaderName::try_from(name).is_ok_and(|name| seen.headers.contains_key(name));
    let drops = drops(&facts.blocks_for(path), "add_header", |name| is_there(name) || name == HSTS);
    drops.into_iter().map(|drop| in_answer(observer, seen, &drop)).collect()
}

fn in_answer(observer: &Observer, seen: &Seen, drop: &Drop<'_>) -> Finding {
    let names = names(&drop.lost);
    // A word that nginx answers itself, as a probe gets it, is no page.
    let is_word = drop.block.is_some_and(|block| block.children_named("return").next().is_some());
    let finding = CHECK
        .finding(format!("{} loses {names}: the {} has an add_header of its own", seen.url.path(), block(drop)))
        .at_level(level(drop, |name| PROTECTING.contains(&name) && !is_word))
        .expected(format!("{names}, as outside of the {}", block(drop)))
        .actual(format!("{} without", seen.status));
    repeated(finding, drop).shown_by(observer.shell().curl(seen))
}

/// The blocks in which nginx passes requests on to the route's Prometheus, each with those around it.
fn blocks_that_pass(observer: &Observer) -> Vec<Vec<&Directive>> {
    let facts = observer.facts();
    let served = observer.route().upstream_path.trim_end_matches('/');
    let doors = PATHS.iter().flat_map(|path| facts.doors_to(&format!("{served}{path}")));
    let of_doors = doors.filter(|door| facts.location_for(door).is_some()).map(|door| facts.blocks_for(&door));
    let passing = of_doors
        .filter(|blocks| blocks.last().is_some_and(|block| block.children_named("proxy_pass").next().is_some()));
    std::iter::once(facts.blocks_at_pass()).chain(passing).collect()
}

fn lost_in_request(blocks: &[&Directive]) -> Vec<Finding> {
    let drops = drops(blocks, "proxy_set_header", |_| false);
    let is_telling = |name: &str| TELLING.contains(&name) || name.starts_with("x-forwarded-");
    let found = drops.iter().map(|drop| {
        let names = names(&drop.lost);
        let finding = CHECK
            .finding(format!(
                "Prometheus gets no {names} as set outside: the {} has a proxy_set_header of its own",
                block(drop)
            ))
            .at_level(level(drop, is_telling))
            .expected(format!("{names} as the outer block sets it"))
            .actual(format!("`{}` replaces all that the outer block sets", drop.inner[0].written()));
        repeated(finding, drop)
    });
    found.collect()
}

/// What each level loses of the next one outside, but for what is there all the same.
fn drops<'a>(blocks: &[&'a Directive], directive: &str, is_there: impl Fn(&str) -> bool) -> Vec<Drop<'a>> {
    let levels = levels(blocks, directive);
    let Some(in_force) = levels.first() else {
        return Vec::new();
    };
    let kept: Vec<String> = in_force.iter().map(|line| name(line)).collect();
    let pairs = levels.windows(2).map(|pair| {
        let is_lost = |line: &&&Directive| !kept.contains(&name(line)) && !is_there(&name(line));
        let lost = pair[1].iter().filter(is_lost).copied().collect();
        let block = blocks.iter().find(|block| block.children().iter().any(|child| std::ptr::eq(child, pair[0][0])));
        Drop { inner: pair[0].clone(), lost, block: block.copied() }
    });
    pairs.filter(|drop| !drop.lost.is_empty()).collect()
}

fn block(drop: &Drop<'_>) -> String {
    drop.block.map_or_else(|| "block".to_owned(), |block| block.name.clone())
}

fn name(line: &Directive) -> String {
    line.arg(0).unwrap_or_default().to_ascii_lowercase()
}

/// Each name once, as it is written.
fn names(lines: &[&Directive]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in lines.iter().filter_map(|line| line.arg(0)) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn level(drop: &Drop<'_>, matters: impl Fn(&str) -> bool) -> Level {
    if drop.lost.iter().any(|line| matters(&name(line))) { CHECK.level } else { Level::Note }
}

/// The lost lines go behind the inner ones; into the block where those are from a file that others may include too.
fn repeated(finding: Finding, drop: &Drop<'_>) -> Finding {
    let lines: Vec<String> = drop.lost.iter().map(|line| line.written()).collect();
    let (first, last): (&Location, &Location) = (&drop.inner[0].location, &drop.inner[drop.inner.len() - 1].location);
    let fix = match drop.block.filter(|block| block.location.file != last.file) {
        Some(block) => Fix::insert_into(block.location.clone(), lines.join(" ")),
        None => Fix::insert_after(last.clone(), lines.join(" ")),
    };
    finding.at(first.clone()).fix(fix)
}
