//! What newer nginx and Prometheus no longer take, as their own CHANGES say it and as real ones behave.

use crate::deployment::Directive;

/// A directive of nginx, or a parameter of `listen`, that newer versions no longer want.
pub(in super::super) struct Deprecation {
    /// The directive.
    pub(in super::super) name: &'static str,
    /// The parameter of `listen`, where it is that.
    pub(in super::super) parameter: Option<&'static str>,
    /// The version from which nginx warns of it.
    pub(in super::super) since: [u32; 3],
    /// The version from which nginx does not start with it.
    pub(in super::super) refused: Option<[u32; 3]>,
    /// What to write instead.
    pub(in super::super) instead: &'static str,
}

const fn obsolete(name: &'static str, since: [u32; 3], instead: &'static str) -> Deprecation {
    Deprecation { name, parameter: None, since, refused: None, instead }
}

const fn refused(name: &'static str, since: [u32; 3], from: [u32; 3], instead: &'static str) -> Deprecation {
    Deprecation { name, parameter: None, since, refused: Some(from), instead }
}

const fn parameter(name: &'static str, since: [u32; 3], from: Option<[u32; 3]>, instead: &'static str) -> Deprecation {
    Deprecation { name: "listen", parameter: Some(name), since, refused: from, instead }
}

const HTTP2_LIMITS: [u32; 3] = [1, 19, 7];
const HTTP2_SWITCH: [u32; 3] = [1, 25, 1];
const SPDY: [u32; 3] = [1, 9, 5];
/// 1.18.0 warns of SPDY's directives, 1.22.1 knows none of them.
const NO_SPDY: Option<[u32; 3]> = Some([1, 22, 0]);
const NO_PUSH: &str = "nothing: browsers no longer take pushed answers";

/// Of nginx: <https://nginx.org/en/CHANGES>.
pub(in super::super) const NGINX: &[Deprecation] = &[
    refused("ssl", [1, 15, 0], HTTP2_SWITCH, "the parameter ssl of listen"),
    parameter("http2", HTTP2_SWITCH, None, "http2 on;"),
    obsolete("http2_push", HTTP2_SWITCH, NO_PUSH),
    obsolete("http2_push_preload", HTTP2_SWITCH, NO_PUSH),
    obsolete("http2_max_concurrent_pushes", HTTP2_SWITCH, NO_PUSH),
    obsolete("http2_max_field_size", HTTP2_LIMITS, "large_client_header_buffers"),
    obsolete("http2_max_header_size", HTTP2_LIMITS, "large_client_header_buffers"),
    obsolete("http2_max_requests", HTTP2_LIMITS, "keepalive_requests"),
    obsolete("http2_idle_timeout", HTTP2_LIMITS, "keepalive_timeout"),
    obsolete("http2_recv_timeout", HTTP2_LIMITS, "client_header_timeout"),
    parameter("spdy", SPDY, NO_SPDY, "http2"),
    Deprecation { refused: NO_SPDY, ..obsolete("spdy_chunk_size", SPDY, "http2_chunk_size") },
    Deprecation { refused: NO_SPDY, ..obsolete("spdy_headers_comp", SPDY, "nothing") },
    Deprecation { refused: NO_SPDY, ..obsolete("spdy_recv_timeout", SPDY, "client_header_timeout") },
    Deprecation { refused: NO_SPDY, ..obsolete("spdy_keepalive_timeout", SPDY, "keepalive_timeout") },
    Deprecation { refused: NO_SPDY, ..obsolete("spdy_max_concurrent_streams", SPDY, "http2_max_concurrent_streams") },
];

/// What is to be said of a directive.
pub(in super::super) fn of(directive: &Directive) -> Option<&'static Deprecation> {
    NGINX.iter().find(|known| {
        let has = |parameter| directive.args.iter().skip(1).any(|arg| arg.text == parameter);
        directive.is(known.name) && directive.block.is_none() && known.parameter.is_none_or(has)
    })
}

/// A flag of Prometheus that newer versions no longer take.
pub(in super::super) struct Flag {
    /// Its name without dashes.
    pub(in super::super) name: &'static str,
    /// The word among those of its value, for `--enable-feature`.
    pub(in super::super) feature: Option<&'static str>,
    /// What becomes of it: what it asks for is not there any more, or was there before it was asked for.
    pub(in super::super) fate: Fate,
    /// What to write instead.
    pub(in super::super) instead: &'static str,
}

/// What Prometheus 3 does with a flag of Prometheus 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fate {
    /// It does not start.
    Refused,
    /// It starts, and does not do what the flag asks for.
    Ignored,
    /// It starts, and does so anyway.
    Default,
}

/// What to write instead of a flag, named without dashes, or of a word of `--enable-feature`.
pub(crate) fn instead_of(name: &str, feature: Option<&str>) -> Option<&'static str> {
    Some(PROMETHEUS.iter().find(|flag| flag.name == name && flag.feature == feature)?.instead)
}

const fn flag(name: &'static str, instead: &'static str) -> Flag {
    Flag { name, feature: None, fate: Fate::Refused, instead }
}

const fn feature(feature: &'static str, fate: Fate, instead: &'static str) -> Flag {
    Flag { name: "enable-feature", feature: Some(feature), fate, instead }
}

/// Of Prometheus 3: <https://prometheus.io/docs/prometheus/latest/migration/>; each was tried with 2.53 and 3.5.
pub(in super::super) const PROMETHEUS: &[Flag] = &[
    flag("storage.tsdb.retention", "--storage.tsdb.retention.time"),
    flag("alertmanager.timeout", "timeout in alerting.alertmanagers of prometheus.yml"),
    flag("storage.tsdb.allow-overlapping-blocks", "nothing: it is always on"),
    feature("remote-write-receiver", Fate::Ignored, "--web.enable-remote-write-receiver"),
    feature("agent", Fate::Ignored, "--agent"),
    feature("promql-at-modifier", Fate::Default, "nothing"),
    feature("promql-negative-offset", Fate::Default, "nothing"),
    feature("new-service-discovery-manager", Fate::Default, "nothing"),
    feature("expand-external-labels", Fate::Default, "nothing"),
    feature("no-default-scrape-port", Fate::Default, "nothing"),
    feature("auto-gomemlimit", Fate::Default, "nothing"),
    feature("auto-gomaxprocs", Fate::Default, "nothing"),
];
