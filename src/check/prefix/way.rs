//! Where a browser ends up that starts at a URL of the prefix.

use std::sync::Arc;

use super::super::obstacle::get_through;
use super::super::{Check, Skip};
use crate::finding::Finding;
use crate::location::Location;
use crate::observe::{Observer, Seen};

/// The answers on the way of a browser from a path below the prefix.
pub(super) async fn follow(observer: &Observer, path: &str) -> Result<Vec<Arc<Seen>>, Skip> {
    let way = observer.follow(observer.url(path)).await?;
    for seen in &way {
        get_through(observer, seen).await?;
    }
    Ok(way)
}

/// What is wrong with a way that should lead to the UI.
pub(super) fn what_is_wrong(observer: &Observer, way: &[Arc<Seen>]) -> Option<&'static str> {
    let last = way.last()?;
    match last.redirect() {
        Some(target) if observer.is_ours(&target) => Some("redirects in a circle"),
        Some(_) => Some("leads away from the public name"),
        None if !observer.is_inside(&last.url) => Some("leads out of the prefix"),
        None if last.status != 200 => Some("does not lead to the UI"),
        None => None,
    }
}

/// The line that sends a browser from a way's end to elsewhere, or from its beginning, if one of nginx's own does.
pub(super) fn turned_at(observer: &Observer, way: &[Arc<Seen>]) -> Option<Location> {
    way.iter().rev().find_map(|seen| {
        let location = seen.header(reqwest::header::LOCATION)?;
        let maker = observer.facts().redirect_maker(seen.url.path(), location)?;
        Some(maker.location.clone())
    })
}

/// The finding of a check about a way.
pub(super) fn finding(check: &Check, observer: &Observer, way: &[Arc<Seen>], wrong: &str) -> Option<Finding> {
    let first = way.first()?;
    let steps: Vec<String> = way.iter().map(|seen| format!("{} {}", seen.url.path(), seen.summary())).collect();
    let finding = check
        .finding(format!("{} {wrong}", first.url.path()))
        .expected(format!("the UI, below {}", observer.url("/")))
        .actual(steps.join("; "))
        .shown_by(observer.shell().curl(first));
    Some(finding)
}
