//! What the projects themselves say of their changes: where it is announced, and what they advise.

use super::change::By;

/// A change that is announced somewhere.
pub(super) struct Known {
    pub(super) program: By,
    /// The version that brought it.
    pub(super) since: [u32; 3],
    /// The version that took it back.
    pub(super) until: Option<[u32; 3]>,
    /// What kind of change it is, if that has to be said too.
    pub(super) kinds: &'static [&'static str],
    /// Words of the change, any of which tell that it is meant.
    pub(super) words: &'static [&'static str],
    pub(super) source: &'static str,
    /// What to do, where that says more than the general advice.
    pub(super) advice: &'static str,
}

type Words = &'static [&'static str];

const fn nginx(since: [u32; 3], words: Words, source: &'static str) -> Known {
    Known { program: By::Nginx, since, until: None, kinds: &[], words, source, advice: "" }
}

const fn prometheus(since: [u32; 3], words: Words, source: &'static str) -> Known {
    Known { program: By::Prometheus, ..nginx(since, words, source) }
}

/// What is known of nginx and Prometheus.
pub(super) const KNOWN: &[Known] = &[
    nginx(
        [1, 25, 1],
        &["unknown directive \"ssl\""],
        "https://nginx.org/en/CHANGES (1.25.1: the \"ssl\" directive was removed)",
    ),
    Known {
        advice: "Leave it until the last server has 1.25.1; then `listen 443 ssl;`, and `http2 on;` in the server.",
        ..nginx(
            [1, 25, 1],
            &["\"listen ... http2\" directive is deprecated"],
            "https://nginx.org/en/CHANGES (1.25.1: the \"http2\" directive)",
        )
    },
    nginx([1, 25, 1], &["http2_push"], "https://nginx.org/en/CHANGES (1.25.1: HTTP/2 server push was removed)"),
    Known {
        advice: "Nothing, where no client speaks HTTP/2 alone: it could not be answered before either.",
        ..nginx(
            [1, 21, 4],
            &["NoApplicationProtocol"],
            "https://nginx.org/en/CHANGES (1.21.4: connections are rejected where no protocol of ALPN can be negotiated)",
        )
    },
    nginx(
        [1, 23, 4],
        &["TLS 1.3 is taken now"],
        "https://nginx.org/en/CHANGES (1.23.4: TLSv1.3 is enabled by default)",
    ),
    nginx(
        [1, 27, 3],
        &["TLS 1.0", "TLS 1.1"],
        "https://nginx.org/en/CHANGES (1.27.3: TLSv1 and TLSv1.1 are disabled by default)",
    ),
    Known {
        until: Some([3, 7, 3]),
        advice: "Go to 3.7.3 or later: 3.7.0 to 3.7.2 redirect out of the prefix.",
        ..prometheus(
            [3, 7, 0],
            &["that answered", "led another way", "prefix-redirects", "prefix-root"],
            "prometheus/prometheus#17240, #17389, #17429 (mended in 3.7.3)",
        )
    },
    prometheus(
        [3, 0, 0],
        &["unknown long flag", "Prometheus no longer knows"],
        "https://prometheus.io/docs/prometheus/latest/migration/",
    ),
    Known {
        kinds: &["that answered", "led another way", "answers now", "answer now", "new URL"],
        ..prometheus(
            [3, 0, 0],
            &["/classic/", "/query", "/graph"],
            "https://github.com/prometheus/prometheus/releases/tag/v3.0.0 (the new UI replaces the old ones)",
        )
    },
    Known {
        advice: "Nothing: Prometheus 2 kept 15 days too, and showed that as 0s.",
        ..prometheus(
            [3, 0, 0],
            &["--storage.tsdb.retention.time has another value by default"],
            "https://prometheus.io/docs/prometheus/latest/storage/",
        )
    },
    prometheus([3, 0, 0], &["api-stream"], "https://github.com/prometheus/docs/issues/2950"),
    prometheus([2, 43, 0], &["another content type"], "https://prometheus.io/docs/instrumenting/content_negotiation/"),
];

/// OpenSSL is updated with nginx, and takes away what nginx still asks for: from which version on, what tells, and where
/// it says so.
pub(super) const OPENSSL: [([u32; 2], Words, &str); 2] = [
    (
        [3, 0],
        &["TLS 1.0", "TLS 1.1"],
        "https://docs.openssl.org/3.0/man7/migration_guide/ (TLS 1.0 and 1.1 need @SECLEVEL=0 since OpenSSL 3.0)",
    ),
    (
        [3, 2],
        &["_CCM_8"],
        "https://github.com/openssl/openssl/blob/master/CHANGES.md (3.2: suites with CCM8 are of security level 0)",
    ),
];
