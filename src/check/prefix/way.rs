//! Where a browser ends up that starts at a URL of the prefix.

use std::sync::Arc;

use super::super::{Check, Skip};
use crate::finding::Finding;
use crate::observe::{Observer, Seen};

/// Follows redirects from a path below the prefix, and says what is wrong with the way.
pub(super) async fn lead_inside(check: &Check, observer: &Observer, path: &str) -> Result<Option<Finding>, Skip> {
    let way = observer.follow(observer.url(path)).await?;
    let (Some(first), Some(last)) = (way.first(), way.last()) else {
        return Ok(None);
    };
    refuse_credentials(last)?;
    let wrong = match last.redirect() {
        Some(target) if observer.is_ours(&target) => Some("redirects in a circle"),
        Some(_) => Some("leads away from the public name"),
        None if !observer.is_inside(&last.url) => Some("leads out of the prefix"),
        None if last.status != 200 => Some("does not lead to the UI"),
        None => None,
    };
    Ok(wrong.map(|wrong| finding(check, observer, wrong, first, &way)))
}

/// Where nginx asks for credentials that nobody gave, nothing behind it can be seen.
pub(crate) fn refuse_credentials(seen: &Seen) -> Result<(), Skip> {
    if seen.status == 401 {
        return Err(Skip("nginx asks for credentials, and there is no way yet to give them".to_owned()));
    }
    Ok(())
}

fn finding(check: &Check, observer: &Observer, wrong: &str, first: &Seen, way: &[Arc<Seen>]) -> Finding {
    let steps: Vec<String> = way.iter().map(|seen| format!("{} {}", seen.url.path(), seen.summary())).collect();
    check
        .finding(format!("{} {wrong}", first.url.path()))
        .expected(format!("the UI, below {}", observer.url("/")))
        .actual(steps.join("; "))
        .at(observer.route().location.clone())
        .fix(check.fix)
        .shown_by(observer.shell().curl(first))
}
