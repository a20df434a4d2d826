//! Of Prometheus: <https://github.com/prometheus/prometheus/blob/main/CHANGELOG.md>.

use super::{Known, Whose, Words};

const fn prometheus(since: [u32; 3], words: Words, source: &'static str) -> Known {
    Known::of(Whose::Prometheus, since, words, source)
}

/// A URL that is answered now.
const NEW: Words = &["new URL", "answers now", "answer now"];

pub(super) const KNOWN: &[Known] = &[
    // Programs: flags, features, configuration.
    prometheus(
        [3, 0, 0],
        &["no longer knows --enable-feature", "Unknown option for --enable-feature"],
        "https://prometheus.io/docs/prometheus/latest/migration/ (feature flags have been removed)",
    ),
    prometheus(
        [3, 0, 0],
        &["unknown long flag", "Prometheus no longer knows --"],
        "https://github.com/prometheus/prometheus/releases/tag/v3.0.0 (deprecated flags are removed, #14640, #14643)",
    ),
    prometheus(
        [3, 0, 0],
        &["--storage.tsdb.retention.time has another value by default"],
        "prometheus/prometheus#14643",
    )
    .advising("Nothing: Prometheus 2 kept 15 days too, and showed that as 0s."),
    prometheus(
        [3, 0, 0],
        &["Alertmanager api version", "Alertmanager API version"],
        "https://prometheus.io/docs/prometheus/latest/migration/ (no Alertmanager v1 API)",
    )
    .advising("Say api_version: v2 in alerting.alertmanagers; it needs Alertmanager 0.16.0 or later."),
    prometheus(
        [3, 0, 0],
        &["scrape_classic_histograms"],
        "https://prometheus.io/docs/prometheus/latest/migration/ (the configuration key has another name)",
    )
    .advising("Call it always_scrape_classic_histograms."),
    // What clients see.
    prometheus(
        [3, 0, 0],
        &["api-stream"],
        "prometheus/prometheus#18465 (event streams need care behind nginx), prometheus/docs#2950",
    ),
    prometheus([3, 0, 0], &["escaping=values"], "prometheus/common#690 (underscores are the default way to escape names)")
        .among(&["another content type"]),
    prometheus([2, 52, 0], &["escaping="], "prometheus/common#570 (the answer says how names are escaped)")
        .among(&["another content type"]),
    prometheus([2, 39, 0], &["HEAD /-/"], "prometheus/prometheus#11160 (the health endpoints answer HEAD)").among(NEW),
    prometheus(
        [3, 0, 0],
        &["index.html.example"],
        "prometheus/prometheus#14807 (the examples of consoles are no longer there)",
    )
    .among(&["that answered", "refused in another way"]),
    prometheus(
        [3, 5, 0],
        &["the header vary differs"],
        "prometheus/prometheus#16008 (Vary: Origin, against caches that mix up origins)",
    )
    .advising("Nothing, unless a cache in nginx heeds Vary: it then keeps one answer for each Origin."),
    prometheus([3, 6, 0], &["/status/tsdb/blocks"], "prometheus/prometheus#16695").among(NEW),
    prometheus([3, 9, 0], &["/api/v1/features"], "prometheus/prometheus#17427").among(NEW),
    // The UI.
    prometheus(
        [3, 0, 0],
        &["/classic/", "/graph", " /query", "/query, then"],
        "https://github.com/prometheus/prometheus/releases/tag/v3.0.0 (a new web UI replaces the old ones, #14872; upstream's \
         own classic UI went with 2.34.0, #10208)",
    )
    .among(&["that answered", "led another way", "answers now", "answer now", "new URL"]),
    prometheus(
        [2, 34, 0],
        &["/classic/"],
        "https://github.com/prometheus/prometheus/releases/tag/v2.34.0 (the classic UI is removed, #10208)",
    )
    .among(&["that answered"]),
    prometheus(
        [3, 7, 0],
        &["the bare prefix", "prefix-redirects", "prefix-root"],
        "prometheus/prometheus#17240, #17429 (taken back in 3.7.3 by #17389)",
    )
    .until([3, 7, 3])
    .advising("Go to 3.7.3 or later: 3.7.0 to 3.7.2 redirect out of a prefix that nginx strips."),
];
