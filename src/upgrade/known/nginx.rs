//! Of nginx: <https://nginx.org/en/CHANGES>.

use super::{Known, Whose, Words};

const fn nginx(since: [u32; 3], words: Words, source: &'static str) -> Known {
    Known::of(Whose::Nginx, since, words, source)
}

pub(super) const KNOWN: &[Known] = &[
    nginx(
        [1, 25, 1],
        &["unknown directive \"ssl\""],
        "https://nginx.org/en/CHANGES (1.25.1: the \"ssl\" directive is not supported anymore)",
    ),
    nginx(
        [1, 25, 1],
        &["\"listen ... http2\" directive is deprecated"],
        "https://nginx.org/en/CHANGES (1.25.1: the \"http2\" parameter of the \"listen\" directive is deprecated)",
    )
    .advising("Leave it until the last server has 1.25.1; then `listen 443 ssl;`, and `http2 on;` in the server."),
    nginx(
        [1, 25, 1],
        &["http2_push", "http2_max_concurrent_pushes"],
        "https://nginx.org/en/CHANGES (1.25.1: HTTP/2 server push support has been removed)",
    ),
    nginx(
        [1, 19, 7],
        &[
            "http2_max_field_size",
            "http2_max_header_size",
            "http2_max_requests",
            "http2_idle_timeout",
            "http2_recv_timeout",
        ],
        "https://nginx.org/en/CHANGES (1.19.7: the limits of HTTP/2 of its own have been removed)",
    ),
    nginx(
        [1, 21, 4],
        &["NoApplicationProtocol"],
        "https://nginx.org/en/CHANGES (1.21.4: connections are rejected where no protocol of ALPN can be negotiated)",
    )
    .advising("Nothing, where no client speaks HTTP/2 alone: it could not be answered before either."),
    nginx(
        [1, 23, 4],
        &["TLS 1.3 is taken now", "TLS 1.2 and TLS 1.3 are taken now", "agree on another version"],
        "https://nginx.org/en/CHANGES (1.23.4: TLSv1.3 is enabled by default)",
    ),
    nginx(
        [1, 27, 3],
        &["TLS 1.0 is no longer", "TLS 1.1 is no longer", "TLS 1.0 and TLS 1.1 are no longer"],
        "https://nginx.org/en/CHANGES (1.27.3: TLSv1 and TLSv1.1 are disabled by default)",
    ),
    nginx(
        [1, 23, 4],
        &["protocol options redefined"],
        "https://nginx.org/en/CHANGES (1.23.4: a warning if protocol parameters of a listening socket are redefined)",
    )
    .advising("Give every listen of this address and port the same parameters."),
    nginx(
        [1, 21, 1],
        &["prefix-encoding"],
        "https://nginx.org/en/CHANGES (1.21.1: more characters are escaped when proxying with changed URI)",
    ),
    nginx(
        [1, 29, 4],
        &["host-header"],
        "https://nginx.org/en/CHANGES (1.29.4: host and port are validated as RFC 3986 says)",
    ),
    nginx(
        [1, 29, 7],
        &["upstream-keepalive"],
        "https://nginx.org/en/CHANGES (1.29.7: HTTP/1.1 and keepalive to upstreams by default)",
    ),
];
