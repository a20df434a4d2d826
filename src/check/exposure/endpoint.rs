//! An endpoint of Prometheus that changes or shows what is nobody's business: which spelling of it nginx passes on.

use futures_util::future::join_all;

use super::super::Skip;
use super::super::obstacle::get_in;
use crate::finding::Fix;
use crate::location::Location;
use crate::observe::{Observer, Request, Seen};

/// A request that nginx passed on, and what came of it.
pub(in super::super) struct Reached {
    pub(in super::super) request: Request,
    pub(in super::super) seen: Seen,
}

/// The first of these paths, in any spelling, whose GET is answered as Prometheus answers it. GET changes nothing.
pub(in super::super) async fn reached(
    observer: &Observer,
    paths: &[&str],
    is_its_own: impl Fn(&Seen) -> bool,
) -> Result<Option<Reached>, Skip> {
    let served = observer.route().upstream_path.trim_end_matches('/');
    let mut targets = Vec::new();
    for path in paths {
        targets.push(format!("{}{path}", observer.route().prefix));
        targets.extend(observer.facts().doors_to(&format!("{served}{path}")));
    }
    // What looks at the path as the client wrote it sees neither of these.
    let encoded = |path: &&str| {
        path.rfind('/').map(|at| format!("{}/%{:02x}{}", &path[..at], path.as_bytes()[at + 1], &path[at + 2..]))
    };
    targets.extend(
        paths
            .iter()
            .filter(|path| !path.ends_with('/'))
            .filter_map(encoded)
            .map(|path| format!("{}{path}", observer.route().prefix)),
    );
    let requests: Vec<Request> = targets.iter().map(|target| observer.request_at_root(target)).collect();
    let answers = join_all(requests.iter().map(|request| observer.http().send(request))).await;
    let answered: Vec<(&Request, Seen)> =
        requests.iter().zip(answers).filter_map(|(request, seen)| Some((request, seen.ok()?))).collect();
    if let Some((request, seen)) = answered.iter().find(|(_, seen)| is_its_own(seen)) {
        return Ok(Some(Reached { request: (*request).clone(), seen: seen.clone() }));
    }
    // Who was turned away for what others ask does not know whether the path is closed.
    let is_limit = |seen: &Seen| seen.status == 429 || (seen.status == 503 && seen.media_type() == "text/html");
    match answered.iter().find(|(_, seen)| is_limit(seen)) {
        Some((_, seen)) => get_in(seen).map(|()| None),
        None => Ok(None),
    }
}

/// Locations that close these paths, as they are written in the block of the one that answers.
///
/// `^~` wins over any regex, and `return` is before `satisfy any` can let somebody in.
pub(in super::super) fn closing(observer: &Observer, place: &Location, paths: &[&str]) -> Fix {
    let prefix = &observer.route().prefix;
    let locations: Vec<String> =
        paths.iter().map(|path| format!("location ^~ {prefix}{path} {{ return 403; }}")).collect();
    match paths.iter().all(|path| *place == observer.facts().location_place(observer.url(path).path())) {
        true => Fix::insert_before(place.clone(), locations.join(" ")),
        false => Fix::from(locations.join(" ")),
    }
}
