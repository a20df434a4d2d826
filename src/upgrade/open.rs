//! What the old and the new programs leave open: whose doing a difference between them is.

use std::collections::BTreeSet;

use super::diff;
use super::fact::{Fact, Looked, Seen};
use crate::observation::Observation;
use crate::observe::{Part, Scope};

/// The checks that ask for what nginx said of all that was asked.
const READ_THE_LOG: [&str; 2] = ["nginx-log-clean", "page-load"];

/// What the mixtures have to be asked, so that it is known whose doing each difference is. Nothing that is the same with
/// the old and the new programs is reported, whatever it is in a mixture.
pub(super) fn left_open(old: &Looked, new: &Looked) -> Scope {
    // What one program hides by not starting is seen in a mixture.
    if !old.ran() || !new.ran() {
        return Scope::Everything;
    }
    let (before, after) = (old.facts(), new.facts());
    let mut parts = BTreeSet::new();
    for fact in diff::differing(before, after).filter(|fact| !fact.is_of_its_owner_alone()) {
        if fact.spokesman().is_some_and(|fact| before.get(&fact) != after.get(&fact)) {
            continue;
        }
        match fact {
            Fact::Route(_, Seen::Check(id) | Seen::Finding(id, ..)) if READ_THE_LOG.contains(&id.as_str()) => {
                return Scope::Everything;
            }
            // What is said of a line of the configuration is said at the start.
            Fact::NginxLog(said) if [old, new].iter().any(|seen| seen.nginx.places.contains_key(said)) => {}
            Fact::Route(_, seen) => drop(parts.insert(seen.part())),
            // What is said of what clients ask takes all of that.
            Fact::NginxLog(_) | Fact::PrometheusLog(..) => return Scope::Everything,
            // Seen unasked.
            Fact::NginxRefuses(_)
            | Fact::PrometheusRefuses(_)
            | Fact::NginxBuiltWith(_)
            | Fact::Takes(_)
            | Fact::Feature(_) => {}
        }
    }
    if parts.contains(&Part::Assets) {
        parts.extend([old, new].into_iter().flat_map(|looked| pages(looked)).map(Part::Answer));
    }
    Scope::Parts(parts)
}

/// The names of what answers with a page.
fn pages(seen: &Observation) -> impl Iterator<Item = String> {
    let answers = seen.routes.values().flat_map(|route| &route.answers);
    let is_page = |kind: &Option<String>| kind.as_ref().is_some_and(|kind| kind.starts_with("text/html"));
    answers.filter(move |(_, answer)| is_page(&answer.content_type)).map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Answer, RouteSeen};

    fn observation(change: impl FnOnce(&mut Observation, &mut RouteSeen)) -> Observation {
        let mut seen = Observation::empty();
        let page = Answer { content_type: Some("text/html; charset=utf-8".to_owned()), ..Answer::default() };
        let mut route = RouteSeen { answers: [("GET /graph".to_owned(), page)].into(), ..RouteSeen::default() };
        change(&mut seen, &mut route);
        seen.routes.insert("https://a.b/".to_owned(), route);
        seen
    }

    fn open(change: impl FnOnce(&mut Observation, &mut RouteSeen)) -> Scope {
        left_open(&observation(|_, _| {}).into(), &observation(change).into())
    }

    #[test]
    fn only_what_differs_is_open() {
        assert_eq!(open(|_, _| {}), Scope::Parts(BTreeSet::new()));
        let plain = open(|_, route| drop(route.plain.insert("80".to_owned(), "200".to_owned())));
        assert_eq!(plain, Scope::Parts([Part::Plain].into()));
        let asset = open(|_, route| drop(route.assets.insert("/a.js".to_owned(), "200".to_owned())));
        assert_eq!(asset, Scope::Parts([Part::Assets, Part::Answer("GET /graph".to_owned())].into()));
        let accepted = |route: &mut RouteSeen| drop(route.metrics.content_types.insert("x".to_owned(), "y".to_owned()));
        assert_eq!(open(|_, route| accepted(route)), Scope::Parts([Part::Accepted("x".to_owned())].into()));
        let both = open(|_, route| {
            accepted(route);
            let metrics = Answer { content_type: Some("y".to_owned()), ..Answer::default() };
            route.answers.insert("GET /metrics".to_owned(), metrics);
        });
        assert_eq!(both, Scope::Parts([Part::Answer("GET /metrics".to_owned())].into()));
        let own = open(|seen, _| seen.nginx.built_with.extend(["--with-x".to_owned()]));
        assert_eq!(own, Scope::Parts(BTreeSet::new()));
    }

    #[test]
    fn what_logs_say_of_requests_takes_all_of_them() {
        let found = |id: &str| {
            let check = crate::observation::CheckSeen { outcome: "fail".to_owned(), findings: Vec::new() };
            open(|_, route| drop(route.checks.insert(id.to_owned(), check)))
        };
        assert_eq!(found("nginx-log-clean"), Scope::Everything);
        assert_eq!(found("ui-page"), Scope::Parts([Part::Check("ui-page".to_owned())].into()));
        assert_eq!(open(|seen, _| seen.nginx.log.extend(["warn: x".to_owned()])), Scope::Everything);
        let said = "warn: deprecated".to_owned();
        let at_the_start = open(|seen, _| {
            seen.nginx.places.insert(said.clone(), crate::Location::new("nginx.conf", 1, 1));
            seen.nginx.log.insert(said);
        });
        assert_eq!(at_the_start, Scope::Parts(BTreeSet::new()));
        assert_eq!(open(|seen, _| seen.nginx.refusal.extend(["x".to_owned()])), Scope::Everything);
    }
}
