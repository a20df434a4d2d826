//! Since when nginx itself has a directive, and which it no longer has: <https://nginx.org/en/CHANGES>.

use super::Module;

/// Why a version of nginx does not know a directive that nginx has or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came with this version.
    Since(&'static str),
    /// It went with the version, and what to write instead.
    Gone(&'static str, &'static str),
}

impl Module {
    /// What became of a directive of nginx itself; none if it has always been there or never was.
    pub fn history(directive: &str) -> Option<Change> {
        let since = SINCE.iter().find(|(_, names)| names.contains(&directive));
        let gone = || GONE.iter().find(|(_, names, _)| names.contains(&directive));
        since
            .map(|(version, _)| Change::Since(version))
            .or_else(|| gone().map(|(version, _, instead)| Change::Gone(version, instead)))
    }

    /// Since when nginx itself has a parameter of a directive that it has had for longer.
    pub fn parameter_since(parameter: &str) -> Option<&'static str> {
        PARAMETERS.iter().find(|(_, name)| *name == parameter).map(|(version, _)| *version)
    }

    /// The oldest release of Debian whose nginx is of this version or newer; if none is, the newest.
    pub fn release_with(version: &str) -> &'static str {
        let newer = RELEASES.iter().find(|(_, nginx)| numbers(nginx) >= numbers(version));
        newer.or(RELEASES.last()).map_or("stable", |(release, _)| release)
    }
}

/// The releases of Debian, oldest first, with their nginx.
const RELEASES: &[(&str, &str)] =
    &[("bullseye", "1.18.0"), ("bookworm", "1.22.1"), ("trixie", "1.26.3"), ("forky", "1.30.6")];

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|number| number.parse().ok()).collect()
}

/// Newest first, back to what the oldest release in use may lack.
const SINCE: &[(&str, &[&str])] = &[
    ("1.29.8", &["max_headers"]),
    ("1.29.6", &["sticky"]),
    ("1.29.4", &["ssl_ech_file"]),
    ("1.29.3", &["add_header_inherit", "add_trailer_inherit"]),
    ("1.29.1", &["ssl_certificate_compression"]),
    ("1.29.0", &["early_hints"]),
    (
        "1.27.4",
        &[
            "grpc_ssl_certificate_cache",
            "keepalive_min_timeout",
            "proxy_ssl_certificate_cache",
            "ssl_certificate_cache",
            "ssl_object_cache_inheritable",
            "uwsgi_ssl_certificate_cache",
        ],
    ),
    ("1.27.2", &["proxy_pass_trailers"]),
    ("1.25.1", &["http2"]),
    (
        "1.25.0",
        &[
            "http3",
            "http3_hq",
            "http3_max_concurrent_streams",
            "http3_stream_buffer_size",
            "quic_active_connection_id_limit",
            "quic_bpf",
            "quic_gso",
            "quic_host_key",
            "quic_retry",
        ],
    ),
    ("1.21.4", &["mp4_start_key_frame", "proxy_half_close", "ssl_alpn"]),
    ("1.21.0", &["max_errors"]),
    ("1.19.10", &["keepalive_time"]),
    (
        "1.19.4",
        &[
            "grpc_ssl_conf_command",
            "proxy_smtp_auth",
            "proxy_ssl_conf_command",
            "ssl_conf_command",
            "ssl_reject_handshake",
            "uwsgi_ssl_conf_command",
        ],
    ),
    ("1.19.3", &["proxy_cookie_flags", "userid_flags"]),
    ("1.17.10", &["auth_delay"]),
    ("1.17.6", &["limit_conn_dry_run"]),
    ("1.17.1", &["limit_req_dry_run"]),
    ("1.15.6", &["fastcgi_socket_keepalive", "grpc_socket_keepalive", "proxy_socket_keepalive"]),
    ("1.15.3", &["ssl_early_data"]),
];

const PARAMETERS: &[(&str, &str)] = &[("1.29.7", "multipath"), ("1.27.3", "resolve"), ("1.25.0", "quic")];

/// Other directives that did nothing any more are still taken, with a warning.
const GONE: &[(&str, &[&str], &str)] =
    &[("1.25.1", &["ssl"], "write `ssl` behind the port of each `listen` instead: `listen 443 ssl;`")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_came_or_went_with_a_version() {
        assert_eq!(Module::history("http2"), Some(Change::Since("1.25.1")));
        assert!(matches!(Module::history("ssl"), Some(Change::Gone("1.25.1", _))));
        assert_eq!(Module::history("proxy_pass"), None);
        assert_eq!((Module::release_with("1.19.10"), Module::release_with("1.29.6")), ("bookworm", "forky"));
    }
}
