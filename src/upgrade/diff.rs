//! What differs between two observations, and which program's doing it is. Pure: the same twice gives nothing.

use std::collections::BTreeSet;

use super::change::By;
use super::fact::{Fact, Facts, Looked, Seen};
use crate::observation::Observation;
use crate::observe::NO_UI_PAGE;

/// The same deployment, with the old and the new programs and their mixtures.
#[derive(Debug)]
pub(super) struct Observed {
    /// With both old ones.
    pub(super) old: Looked,
    /// With both new ones.
    pub(super) new: Looked,
    /// With the new nginx and the old Prometheus, where that was booted.
    pub(super) new_nginx: Option<Looked>,
    /// With the old nginx and the new Prometheus, where that was booted.
    pub(super) new_prometheus: Option<Looked>,
    /// The only program that changes, where one alone does.
    pub(super) only: Option<By>,
}

/// Something that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) fact: Fact,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) by: Option<By>,
}

impl Observed {
    /// Two observations, of which nothing else is known than the versions that they were made with.
    pub(super) fn of_two(old: Observation, new: Observation) -> Self {
        let versions = |seen: &Observation| {
            let prometheus = seen.prometheus.first().map(|prometheus| prometheus.version.clone());
            (seen.nginx.version.clone(), prometheus.flatten())
        };
        let ((old_nginx, old_prometheus), (new_nginx, new_prometheus)) = (versions(&old), versions(&new));
        let only = match (old_nginx == new_nginx, old_prometheus == new_prometheus) {
            (false, true) => Some(By::Nginx),
            (true, false) => Some(By::Prometheus),
            _ => None,
        };
        Self { old: old.into(), new: new.into(), new_nginx: None, new_prometheus: None, only }
    }

    /// What differs. Where a new program does not start, what the other one changes is seen in the mixture that does.
    pub(super) fn deltas(&self) -> Vec<Delta> {
        let old = self.old.facts();
        if self.new.ran() && self.old.ran() {
            return without_consequences(self.attributed());
        }
        let mut deltas = Vec::new();
        for (mixture, by) in [(&self.new_nginx, By::Nginx), (&self.new_prometheus, By::Prometheus)] {
            let Some(mixture) = mixture else { continue };
            deltas.extend(
                differences(old, mixture.facts(), |_| Some(by))
                    .filter(|delta| delta.fact.is_refusal() || (mixture.ran() && self.old.ran())),
            );
        }
        let refusals = self.attributed();
        for refusal in refusals.into_iter().filter(|delta| delta.fact.is_refusal()) {
            if deltas.iter().all(|known: &Delta| known.fact != refusal.fact) {
                deltas.push(refusal);
            }
        }
        without_consequences(deltas)
    }

    fn attributed(&self) -> Vec<Delta> {
        let (old, new) = (self.old.facts(), self.new.facts());
        let by = |fact: &Fact| {
            let (Some(nginx), Some(prometheus)) = (&self.new_nginx, &self.new_prometheus) else {
                return self.only.or_else(|| fact.owner());
            };
            if fact.is_of_its_owner_alone() {
                return fact.owner();
            }
            let spokesman = fact.spokesman().filter(|fact| old.get(fact) != new.get(fact));
            let fact = spokesman.as_ref().unwrap_or(fact);
            let (before, after) = (old.get(fact), new.get(fact));
            let (nginx, prometheus) = (nginx.facts().get(fact), prometheus.facts().get(fact));
            Some(match (nginx == after, prometheus == after) {
                (true, false) if prometheus == before => By::Nginx,
                (false, true) if nginx == before => By::Prometheus,
                _ => By::Both,
            })
        };
        differences(old, new, by).collect()
    }
}

fn differences(old: &Facts, new: &Facts, by: impl Fn(&Fact) -> Option<By>) -> impl Iterator<Item = Delta> {
    let delta = |fact: &Fact| Delta {
        by: by(fact),
        before: old.get(fact).cloned(),
        after: new.get(fact).cloned(),
        fact: fact.clone(),
    };
    differing(old, new).map(delta).collect::<Vec<_>>().into_iter()
}

/// What has another value in one than in the other, or is in one alone.
pub(super) fn differing<'a>(old: &'a Facts, new: &'a Facts) -> impl Iterator<Item = &'a Fact> {
    let keys: BTreeSet<&Fact> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|fact| old.get(fact) != new.get(fact))
}

/// Whether a page is now one that says that there is no UI.
fn is_no_ui(delta: &Delta) -> bool {
    delta.after.as_deref() == Some(NO_UI_PAGE)
}

/// Leaves out what follows from another difference: the headers of an answer that is another one now, the suites of a
/// version that is gone.
fn without_consequences(deltas: Vec<Delta>) -> Vec<Delta> {
    let route = |delta: &Delta| match &delta.fact {
        Fact::Route(url, seen) => Some((url.clone(), seen.clone())),
        _ => None,
    };
    let ends = |way: &Option<String>| {
        way.as_deref().and_then(|way| way.rsplit(", then ").next()).unwrap_or_default().to_owned()
    };
    let other: BTreeSet<(String, Seen)> = deltas
        .iter()
        .filter(|delta| match delta.fact {
            Fact::Route(_, Seen::Way(_)) => ends(&delta.before) != ends(&delta.after),
            Fact::Route(_, Seen::Says(_)) => is_no_ui(delta),
            Fact::Route(_, Seen::Version(_)) => true,
            _ => false,
        })
        .filter_map(route)
        .map(|(url, seen)| match seen {
            Seen::Says(name) => (url, Seen::Way(name)),
            seen => (url, seen),
        })
        .collect();
    let cause = |seen: &Seen| match seen {
        Seen::ContentType(name) | Seen::Says(name) | Seen::Header(name, _) | Seen::Json(name, _) => {
            Some(Seen::Way(name.clone()))
        }
        Seen::Suite(version, _) => Some(Seen::Version(version.clone())),
        _ => None,
    };
    let versions = other.iter().any(|(_, seen)| matches!(seen, Seen::Version(_)));
    deltas
        .into_iter()
        .filter(|delta| match &delta.fact {
            Fact::Route(_, Seen::Agreed) => !versions,
            Fact::Route(_, Seen::Says(_)) if is_no_ui(delta) => true,
            Fact::Route(url, seen) => cause(seen).is_none_or(|cause| !other.contains(&(url.clone(), cause))),
            _ => true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::observation::{Answer, NginxSeen, PrometheusSeen, RouteSeen};

    const ROUTE: &str = "https://a.b/";

    /// An observation in which `/` answers so, and `/metrics` comes as this type.
    fn observation(way: &str, content_type: &str) -> Observation {
        let answer = |way: &str, content_type: &str| Answer {
            way: way.split(", then ").map(str::to_owned).collect(),
            content_type: Some(content_type.to_owned()),
            ..Answer::default()
        };
        let answers = [("GET /", answer(way, "text/html")), ("GET /metrics", answer("200", content_type))];
        let answers = answers.map(|(name, answer)| (name.to_owned(), answer)).into();
        Observation {
            schema: Observation::SCHEMA.to_owned(),
            nginx: NginxSeen { version: Some("1".to_owned()), ..NginxSeen::default() },
            prometheus: vec![PrometheusSeen::default()],
            routes: BTreeMap::from([(ROUTE.to_owned(), RouteSeen { answers, ..RouteSeen::default() })]),
        }
    }

    fn four(old: Observation, nginx: Observation, prometheus: Observation, new: Observation) -> Observed {
        let (new_nginx, new_prometheus) = (Some(nginx.into()), Some(prometheus.into()));
        Observed { old: old.into(), new: new.into(), new_nginx, new_prometheus, only: None }
    }

    fn told(observed: &Observed) -> Vec<(Seen, Option<By>)> {
        let seen = |delta: Delta| match delta.fact {
            Fact::Route(_, seen) => Some((seen, delta.by)),
            _ => None,
        };
        observed.deltas().into_iter().filter_map(seen).collect()
    }

    #[test]
    fn the_same_twice_is_nothing() {
        let same = || observation("302 to /graph, then 200", "text/plain");
        assert!(Observed::of_two(same(), same()).deltas().is_empty());
        assert!(four(same(), same(), same(), same()).deltas().is_empty());
    }

    #[test]
    fn the_mixtures_tell_whose_doing_it_is() {
        let seen = |way: &str, content_type: &str| observation(way, content_type);
        let observed = four(
            seen("200", "a"),
            seen("302 to /x, then 200", "a"),
            seen("200", "b"),
            seen("302 to /x, then 200", "b"),
        );
        let way = (Seen::Way("GET /".to_owned()), Some(By::Nginx));
        let content_type = (Seen::ContentType("GET /metrics".to_owned()), Some(By::Prometheus));
        assert_eq!(told(&observed), [way, content_type]);
        let together = four(seen("200", "a"), seen("200", "a"), seen("200", "a"), seen("200", "b"));
        assert_eq!(told(&together), [(Seen::ContentType("GET /metrics".to_owned()), Some(By::Both))]);
    }

    #[test]
    fn of_an_answer_that_is_another_only_that_is_told() {
        let mut new = observation("404", "text/plain");
        let answer = |route: &mut RouteSeen| {
            let answer = route.answers.get_mut("GET /").expect("an answer");
            answer.content_type = Some("text/plain".to_owned());
        };
        new.routes.values_mut().for_each(answer);
        let observed = Observed::of_two(observation("200", "text/plain"), new);
        assert_eq!(told(&observed), [(Seen::Way("GET /".to_owned()), None)]);
    }

    #[test]
    fn a_program_that_does_not_start_hides_nothing_of_the_other() {
        let old = observation("200", "a");
        let says = "Error parsing command line arguments: unknown long flag '--z'\n";
        let refused = Observation::of_refusal(Default::default(), Default::default(), says);
        let mut nginx = old.clone();
        nginx.nginx.log.insert("warn: x".to_owned());
        let observed = four(old, nginx, refused.clone(), refused);
        let deltas: Vec<(Fact, Option<By>)> =
            observed.deltas().into_iter().map(|delta| (delta.fact, delta.by)).collect();
        let warning = (Fact::NginxLog("warn: x".to_owned()), Some(By::Nginx));
        assert_eq!(deltas, [warning, (Fact::PrometheusRefuses(0), Some(By::Prometheus))]);
    }
}
