//! The versions that an upgrade goes over, and what is known of them.

use super::change::{By, Change};
use super::diff::Observed;
use super::known::{Known, Whose, all};
use crate::observation::Observation;

/// Newer than any version.
const NEWEST: [u32; 3] = [u32::MAX; 3];

/// The versions that an upgrade goes over, each program's old and new one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    nginx: [[u32; 3]; 2],
    prometheus: [[u32; 3]; 2],
    openssl: [[u32; 3]; 2],
}

impl Crossing {
    pub(super) fn of(observed: &Observed) -> Self {
        let version = |seen: &Observation, of: fn(&Observation) -> Option<&str>| of(seen).map(numbers);
        let nginx = |seen: &Observation| version(seen, |seen| seen.nginx.version.as_deref());
        let prometheus = |seen: &Observation| version(seen, |seen| seen.prometheus.first()?.version.as_deref());
        let openssl =
            |seen: &Observation| version(seen, |seen| seen.nginx.tls_library.as_deref()?.strip_prefix("OpenSSL "));
        let (old, new) = (&observed.old, &observed.new);
        Self {
            // One that tells no version may be as new as can be.
            nginx: [nginx(old).unwrap_or_default(), nginx(new).unwrap_or(NEWEST)],
            prometheus: [prometheus(old).unwrap_or_default(), prometheus(new).unwrap_or(NEWEST)],
            // Of what is not known nothing is said.
            openssl: [openssl(old).unwrap_or(NEWEST), openssl(new).unwrap_or_default()],
        }
    }

    /// Says where a change is announced, if it is known.
    pub(super) fn explain(&self, change: &mut Change) {
        let text = format!("{} {} {}", change.what, change.before, change.after);
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let is_meant = |known: &Known| has(known.words) && (known.kinds.is_empty() || has(known.kinds));
        let can_be_of = |program| change.by.is_none_or(|by| by == program || by == By::Both);
        let known = all().find(|known| {
            let ([old, new], program) = match known.whose {
                Whose::Nginx => (self.nginx, By::Nginx),
                Whose::OpenSsl => (self.openssl, By::Nginx),
                Whose::Prometheus => (self.prometheus, By::Prometheus),
            };
            let crosses = old < known.since && known.since <= new && known.until.is_none_or(|until| new < until);
            crosses && can_be_of(program) && is_meant(known)
        });
        if let Some(known) = known {
            change.source = Some(known.source);
            if !known.advice.is_empty() {
                known.advice.clone_into(&mut change.advice);
            }
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
        let crossing = Crossing {
            nginx: [[1, 22, 1], [1, 26, 3]],
            prometheus: [[3, 6, 0], [3, 7, 1]],
            openssl: [[3, 0, 0], [3, 5, 0]],
        };
        let source = |what, by| explained(what, crossing, by).source.unwrap_or_default();
        assert!(source("TLS 1.3 is taken now", By::Nginx).contains("1.23.4"));
        assert!(source("prefix-redirects: the redirect leaves", By::Prometheus).contains("#17240"));
        assert!(source("1 suite is gone: TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", By::Nginx).contains("openssl"));
        assert_eq!(source("TLS 1.3 is taken now", By::Prometheus), "");
        assert_eq!(source("TLS 1.0 is no longer taken", By::Nginx), "");
        let mended = Crossing { prometheus: [[3, 6, 0], [3, 7, 3]], ..crossing };
        assert_eq!(explained("prefix-redirects: x", mended, By::Prometheus).source, None);
        // What OpenSSL takes away is gone whatever nginx says.
        let far = Crossing { nginx: [[1, 18, 0], [1, 30, 6]], openssl: [[1, 1, 1], [3, 5, 0]], ..crossing };
        let gone = explained("TLS 1.0 and TLS 1.1 are no longer taken", far, By::Nginx).source.unwrap_or_default();
        assert!(gone.contains("openssl"), "{gone}");
        let stays = Crossing { openssl: [[3, 0, 0], [3, 5, 0]], ..far };
        let gone = explained("TLS 1.0 and TLS 1.1 are no longer taken", stays, By::Nginx).source.unwrap_or_default();
        assert!(gone.contains("1.27.3"), "{gone}");
    }
}
