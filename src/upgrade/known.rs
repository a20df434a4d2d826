//! What the projects themselves say of their changes: where it is announced, and what they advise.

use super::change::{By, Change};
use super::diff::Observed;
use crate::observation::Observation;

/// A change that is announced somewhere.
struct Known {
    program: By,
    /// The version that brought it.
    since: [u32; 3],
    /// The version that took it back.
    until: Option<[u32; 3]>,
    /// Words of the change, any of which tell that it is meant.
    words: &'static [&'static str],
    source: &'static str,
    /// What to do, where that says more than the general advice.
    advice: &'static str,
}

const fn nginx(since: [u32; 3], words: &'static [&'static str], source: &'static str, advice: &'static str) -> Known {
    Known { program: By::Nginx, since, until: None, words, source, advice }
}

const fn prometheus(
    since: [u32; 3],
    words: &'static [&'static str],
    source: &'static str,
    advice: &'static str,
) -> Known {
    Known { program: By::Prometheus, since, until: None, words, source, advice }
}

const KNOWN: &[Known] = &[
    nginx(
        [1, 25, 1],
        &["unknown directive \"ssl\""],
        "https://nginx.org/en/CHANGES (1.25.1: the \"ssl\" directive was removed)",
        "",
    ),
    nginx(
        [1, 25, 1],
        &["\"listen ... http2\" directive is deprecated"],
        "https://nginx.org/en/CHANGES (1.25.1: the \"http2\" directive)",
        "Leave it until the last server has 1.25.1; then `listen 443 ssl;` and `http2 on;` in the server.",
    ),
    nginx([1, 25, 1], &["http2_push"], "https://nginx.org/en/CHANGES (1.25.1: HTTP/2 server push was removed)", ""),
    nginx(
        [1, 23, 4],
        &["TLS 1.3 is taken now"],
        "https://nginx.org/en/CHANGES (1.23.4: TLSv1.3 is enabled by default)",
        "",
    ),
    nginx(
        [1, 27, 3],
        &["TLS 1.0", "TLS 1.1"],
        "https://nginx.org/en/CHANGES (1.27.3: TLSv1 and TLSv1.1 are disabled by default)",
        "",
    ),
    Known {
        until: Some([3, 7, 3]),
        ..prometheus(
            [3, 7, 0],
            &["led another way", "prefix-redirects", "prefix-root"],
            "prometheus/prometheus#17240, #17389, #17429 (mended in 3.7.3)",
            "Go to 3.7.3 or later: 3.7.0 to 3.7.2 redirect out of the prefix.",
        )
    },
    prometheus(
        [3, 0, 0],
        &["unknown long flag", "Prometheus no longer knows"],
        "https://prometheus.io/docs/prometheus/latest/migration/",
        "",
    ),
    prometheus(
        [3, 0, 0],
        &["/classic/", "/query", "/graph", "/consoles/", "/new"],
        "https://github.com/prometheus/prometheus/releases/tag/v3.0.0 (the new UI replaces the old ones)",
        "",
    ),
    prometheus([3, 0, 0], &["api-stream"], "https://github.com/prometheus/docs/issues/2950", ""),
    prometheus([2, 43, 0], &["content type"], "https://prometheus.io/docs/instrumenting/content_negotiation/", ""),
];

/// OpenSSL is updated with nginx, and takes versions away that nginx still asks for.
const OPENSSL: &str =
    "https://docs.openssl.org/3.0/man7/migration_guide/ (TLS 1.0 and 1.1 need @SECLEVEL=0 since OpenSSL 3.0)";

/// The versions that an upgrade goes over.
pub(super) struct Crossing {
    nginx: [[u32; 3]; 2],
    prometheus: [[u32; 3]; 2],
    openssl: [u32; 2],
}

impl Crossing {
    pub(super) fn of(observed: &Observed) -> Self {
        // A program that did not start tells no version in its own combination, and may in another.
        let new = |version: fn(&Observation) -> Option<String>| {
            let mixtures = [&observed.new_nginx, &observed.new_prometheus].into_iter().flatten();
            std::iter::once(&observed.new).chain(mixtures).filter_map(version).map(|text| numbers(&text)).max()
        };
        let nginx = |seen: &Observation| seen.nginx.version.clone();
        let prometheus = |seen: &Observation| seen.prometheus.first()?.version.clone();
        let openssl = |seen: &Observation| {
            let library = seen.nginx.tls_library.as_deref().and_then(|library| library.strip_prefix("OpenSSL "));
            library.map_or(0, |version| numbers(version)[0])
        };
        let old = |version: Option<String>| version.map(|text| numbers(&text)).unwrap_or_default();
        Self {
            nginx: [old(nginx(&observed.old)), new(nginx).unwrap_or([u32::MAX; 3])],
            prometheus: [old(prometheus(&observed.old)), unless_refused(observed, new(prometheus))],
            openssl: [openssl(&observed.old), openssl(&observed.new)],
        }
    }

    /// Says where a change is announced, if it is known.
    pub(super) fn explain(&self, change: &mut Change) {
        let text = format!("{} {} {}", change.what, change.before, change.after);
        let known = KNOWN.iter().find(|known| {
            let [old, new] = if known.program == By::Nginx { self.nginx } else { self.prometheus };
            let is_theirs = change.by.is_none_or(|by| by == known.program || by == By::Both);
            let crosses = old < known.since && known.since <= new && known.until.is_none_or(|until| new < until);
            is_theirs && crosses && known.words.iter().any(|word| text.contains(word))
        });
        if let Some(known) = known {
            change.source = Some(known.source);
            if !known.advice.is_empty() {
                known.advice.clone_into(&mut change.advice);
            }
        } else if self.openssl[0] < 3
            && self.openssl[1] >= 3
            && ["TLS 1.0", "TLS 1.1"].iter().any(|word| text.contains(word))
        {
            change.source = Some(OPENSSL);
        }
    }
}

/// A Prometheus that did not start is as new as can be.
fn unless_refused(observed: &Observed, version: Option<[u32; 3]>) -> [u32; 3] {
    let refused = observed.new.prometheus.iter().any(|prometheus| prometheus.refusal.is_some());
    version.filter(|_| !refused).unwrap_or([u32::MAX; 3])
}

fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}
