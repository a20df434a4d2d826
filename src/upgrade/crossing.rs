//! The versions that an upgrade goes over, and what is known of them.

use super::change::{By, Change};
use super::diff::Observed;
use super::known::{KNOWN, OPENSSL};
use crate::observation::Observation;

/// Newer than any version.
const NEWEST: [u32; 3] = [u32::MAX; 3];

/// The versions that an upgrade goes over, each program's old and new one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    nginx: [[u32; 3]; 2],
    prometheus: [[u32; 3]; 2],
    openssl: [[u32; 2]; 2],
}

impl Crossing {
    pub(super) fn of(observed: &Observed) -> Self {
        let nginx = |seen: &Observation| seen.nginx.version.clone();
        let prometheus = |seen: &Observation| seen.prometheus.first()?.version.clone();
        let openssl = |seen: &Observation| {
            let library = seen.nginx.tls_library.as_deref()?.strip_prefix("OpenSSL ")?;
            let [major, minor, _] = numbers(library);
            Some([major, minor])
        };
        let of =
            |seen: &Observation, version: fn(&Observation) -> Option<String>| version(seen).map(|text| numbers(&text));
        Self {
            nginx: [of(&observed.old, nginx).unwrap_or_default(), of(&observed.new, nginx).unwrap_or(NEWEST)],
            // One that did not start tells no version, and is as new as can be.
            prometheus: [
                of(&observed.old, prometheus).unwrap_or_default(),
                of(&observed.new, prometheus).unwrap_or(NEWEST),
            ],
            // Of what is not known nothing is said.
            openssl: [openssl(&observed.old).unwrap_or([u32::MAX; 2]), openssl(&observed.new).unwrap_or_default()],
        }
    }

    /// Says where a change is announced, if it is known.
    pub(super) fn explain(&self, change: &mut Change) {
        let text = format!("{} {} {}", change.what, change.before, change.after);
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let can_be_of = |program| change.by.is_none_or(|by| by == program || by == By::Both);
        let known = KNOWN.iter().find(|known| {
            let [old, new] = if known.program == By::Nginx { self.nginx } else { self.prometheus };
            let crosses = old < known.since && known.since <= new && known.until.is_none_or(|until| new < until);
            let is_meant = has(known.words) && (known.kinds.is_empty() || has(known.kinds));
            crosses && is_meant && can_be_of(known.program)
        });
        let [old, new] = self.openssl;
        let of_openssl = OPENSSL.iter().find(|(since, words, _)| old < *since && *since <= new && has(words));
        match (known, of_openssl) {
            (Some(known), _) => {
                change.source = Some(known.source);
                if !known.advice.is_empty() {
                    known.advice.clone_into(&mut change.advice);
                }
            }
            (None, Some((.., source))) if can_be_of(By::Nginx) => change.source = Some(source),
            _ => {}
        }
    }
}

/// Reads `1.26.3`, and `2.53.3+ds1`.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::change::ChangeLevel;

    fn explained(what: &str, crossing: Crossing, by: By) -> Change {
        let mut change = Change::new(ChangeLevel::Behaviour, Some(by), what);
        crossing.explain(&mut change);
        change
    }

    #[test]
    fn a_change_is_explained_where_its_version_is_gone_over() {
        let crossing =
            Crossing { nginx: [[1, 22, 1], [1, 26, 3]], prometheus: [[3, 6, 0], [3, 7, 1]], openssl: [[3, 0], [3, 5]] };
        let source = |what, by| explained(what, crossing, by).source.unwrap_or_default();
        assert!(source("TLS 1.3 is taken now", By::Nginx).contains("1.23.4"));
        assert!(source("prefix-redirects: the redirect leaves", By::Prometheus).contains("#17240"));
        assert!(source("1 suite is gone: TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", By::Nginx).contains("openssl"));
        assert_eq!(source("TLS 1.3 is taken now", By::Prometheus), "");
        assert_eq!(source("TLS 1.0 is no longer taken", By::Nginx), "");
        let mended = Crossing { prometheus: [[3, 6, 0], [3, 7, 3]], ..crossing };
        assert_eq!(explained("prefix-redirects: x", mended, By::Prometheus).source, None);
    }
}
