//! Which combinations are the newest: those than which no other is newer in one program and not older in the other.

use crate::report::{Program, Programs};

/// The newest of these, each once.
pub(super) fn of(programs: &[&Programs]) -> Vec<Programs> {
    let outdone = |own: &Programs| programs.iter().any(|other| outdoes(other, own));
    let mut newest: Vec<Programs> = Vec::new();
    for own in programs.iter().filter(|own| !outdone(own)) {
        if !newest.contains(own) {
            newest.push((*own).clone());
        }
    }
    newest
}

fn outdoes(other: &Programs, own: &Programs) -> bool {
    let (nginx, prometheus) = (version(&other.nginx), version(&other.prometheus));
    let (own_nginx, own_prometheus) = (version(&own.nginx), version(&own.prometheus));
    nginx >= own_nginx && prometheus >= own_prometheus && (nginx > own_nginx || prometheus > own_prometheus)
}

/// The numbers of a version, so that 1.9 is older than 1.26.
fn version(program: &Program) -> Vec<u64> {
    program.version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(nginx: &str, prometheus: &str) -> Programs {
        let program = |version: &str| Program { version: version.to_owned(), source: String::new() };
        Programs { nginx: program(nginx), prometheus: program(prometheus) }
    }

    fn newest(clean: &[(&str, &str)]) -> Vec<(String, String)> {
        let all: Vec<Programs> = clean.iter().map(|(nginx, prometheus)| programs(nginx, prometheus)).collect();
        let found = of(&all.iter().collect::<Vec<_>>());
        found.into_iter().map(|own| (own.nginx.version, own.prometheus.version)).collect()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(newest(&[("1.9.0", "2.9"), ("1.26.3", "2.53.3")]), [("1.26.3".into(), "2.53.3".into())]);
    }

    #[test]
    fn where_none_is_newer_in_both_all_are_named() {
        let clean = [("1.30", "2.42"), ("1.22", "2.53"), ("1.22", "2.42"), ("1.30", "2.42")];
        assert_eq!(newest(&clean), [("1.30".into(), "2.42".into()), ("1.22".into(), "2.53".into())]);
        assert_eq!(newest(&[]), []);
    }
}
