//! The page that a browser ends up with.

use std::sync::Arc;

use super::super::Skip;
use super::super::obstacle::{get_through, need_prometheus};
use crate::observe::{Observer, Seen};

/// What Debian's packages serve in place of the UI that they lack.
const NO_UI: &str = "This Debian package of Prometheus does not include the modern React web UI";

/// The page that a browser ends up with, whoever's it is.
pub(super) async fn any(observer: &Observer) -> Result<Arc<Seen>, Skip> {
    let way = observer.follow(observer.url("/")).await?;
    let page = way.last().cloned().ok_or_else(|| Skip("no page".to_owned()))?;
    get_through(observer, &page).await?;
    if page.status != 200 {
        need_prometheus(observer).await?;
        return Err(Skip(format!("no page to look at ({}): see prefix-root", page.summary())));
    }
    if page.text().contains(NO_UI) {
        return Err(Skip("this build of Prometheus has no web UI".to_owned()));
    }
    Ok(page)
}

/// As [`any`], if it is Prometheus's.
pub(super) async fn own(observer: &Observer) -> Result<Arc<Seen>, Skip> {
    let page = any(observer).await?;
    match is_prometheus_s(&page) {
        true => Ok(page),
        false => Err(Skip("the page is not Prometheus's: see ui-page".to_owned())),
    }
}

/// Every UI of Prometheus says so in its title.
pub(super) fn is_prometheus_s(page: &Seen) -> bool {
    let text = page.text().to_lowercase();
    let title = text.split_once("<title").and_then(|(_, rest)| rest.split_once("</title")).map(|(title, _)| title);
    title.is_some_and(|title| title.contains("prometheus"))
}
