//! The modules that Debian packages, with the directives that are theirs: read from the packages of bullseye to forky.

use super::module::{Module, Part};

const ALL: &[&str] = &["bullseye", "bookworm", "trixie", "forky"];
const FROM_BOOKWORM: &[&str] = &["bookworm", "trixie", "forky"];
const FROM_TRIXIE: &[&str] = &["trixie", "forky"];
const FORKY: &[&str] = &["forky"];

/// In the order in which they are loaded: what others are built on comes first.
pub(super) const DEBIAN: &[Module] = &[
    Module::debian("ndk", "http-ndk", &["ndk_http_module.so"], &["upstream_list"], ALL),
    Module::debian("stream", "stream", &["ngx_stream_module.so"], &["stream"], ALL).static_in_image(),
    Module::debian("mail", "mail", &["ngx_mail_module.so"], &["mail"], ALL).static_in_image(),
    Module::debian("auth-jwt", "http-auth-jwt", &["ngx_http_auth_jwt_module.so"], AUTH_JWT, FORKY),
    Module::debian("auth-pam", "http-auth-pam", &["ngx_http_auth_pam_module.so"], &["auth_pam*"], ALL),
    Module::debian("auth-spnego", "http-auth-spnego", &["ngx_http_auth_spnego_module.so"], &["auth_gss*"], FROM_TRIXIE),
    Module::debian(
        "brotli-filter",
        "http-brotli-filter",
        &["ngx_http_brotli_filter_module.so"],
        &["brotli", "brotli_buffers", "brotli_types", "brotli_comp_level", "brotli_window", "brotli_min_length"],
        FROM_BOOKWORM,
    ),
    Module::debian(
        "brotli-static",
        "http-brotli-static",
        &["ngx_http_brotli_static_module.so"],
        &["brotli_static"],
        FROM_BOOKWORM,
    ),
    Module::debian("cache-purge", "http-cache-purge", &["ngx_http_cache_purge_module.so"], CACHE_PURGE, ALL),
    Module::debian("dav-ext", "http-dav-ext", &["ngx_http_dav_ext_module.so"], &["dav_ext_*"], ALL),
    Module::debian("echo", "http-echo", &["ngx_http_echo_module.so"], &["echo", "echo_*"], ALL),
    Module::debian("eval", "http-eval", &["ngx_http_eval_module.so"], &["eval", "eval_*"], FORKY),
    Module::debian("fancyindex", "http-fancyindex", &["ngx_http_fancyindex_module.so"], &["fancyindex*"], ALL),
    Module::debian("geoip", "http-geoip", &["ngx_http_geoip_module.so"], &["geoip_*"], ALL).in_image(),
    Module::debian("geoip2", "http-geoip2", &["ngx_http_geoip2_module.so"], &["geoip2", "geoip2_*"], ALL),
    Module::debian(
        "headers-more",
        "http-headers-more-filter",
        &["ngx_http_headers_more_filter_module.so"],
        &["more_set_headers", "more_clear_headers", "more_set_input_headers", "more_clear_input_headers"],
        ALL,
    ),
    Module::debian(
        "hmac-secure-link",
        "http-hmac-secure-link",
        &["ngx_http_hmac_secure_link_module.so"],
        &["secure_link_hmac*"],
        FORKY,
    ),
    Module::debian("image-filter", "http-image-filter", &["ngx_http_image_filter_module.so"], &["image_filter*"], ALL)
        .in_image(),
    Module::debian("njs", "http-js", &["ngx_http_js_module.so"], &["js_*"], FROM_BOOKWORM).in_image(),
    Module::debian("lua", "http-lua", &["ndk_http_module.so", "ngx_http_lua_module.so"], LUA, ALL)
        .bringing(&["lua-cjson"]),
    Module::debian("memc", "http-memc", &["ngx_http_memc_module.so"], &["memc_*"], FROM_BOOKWORM),
    Module::debian(
        "modsecurity",
        "http-modsecurity",
        &["ndk_http_module.so", "ngx_http_modsecurity_module.so"],
        &["modsecurity", "modsecurity_*"],
        FROM_BOOKWORM,
    ),
    Module::debian(
        "perl",
        "http-perl",
        &["ngx_http_perl_module.so"],
        &["perl", "perl_modules", "perl_require", "perl_set"],
        ALL,
    ),
    Module::debian(
        "push-stream",
        "http-push-stream",
        &["ngx_http_push_stream_module.so"],
        &["push_stream_*"],
        FROM_TRIXIE,
    ),
    Module::debian(
        "set-misc",
        "http-set-misc",
        &["ndk_http_module.so", "ngx_http_set_misc_module.so"],
        SET_MISC,
        FROM_BOOKWORM,
    ),
    Module::debian(
        "srcache",
        "http-srcache-filter",
        &["ndk_http_module.so", "ngx_http_srcache_filter_module.so"],
        &["srcache_*"],
        FROM_BOOKWORM,
    ),
    Module::debian(
        "substitutions",
        "http-subs-filter",
        &["ngx_http_subs_filter_module.so"],
        &["subs_filter*", "subs_line_buffer_size", "subs_buffers"],
        ALL,
    ),
    Module::debian(
        "uploadprogress",
        "http-uploadprogress",
        &["ngx_http_uploadprogress_module.so"],
        &["upload_progress*", "track_uploads", "report_uploads"],
        ALL,
    ),
    Module::debian(
        "upstream-fair",
        "http-upstream-fair",
        &["ngx_http_upstream_fair_module.so"],
        &["fair", "upstream_fair_shm_size"],
        ALL,
    ),
    Module::debian("xslt", "http-xslt-filter", &["ngx_http_xslt_filter_module.so"], &["xml_entities", "xslt_*"], ALL)
        .in_image(),
    Module::debian("xss", "http-xss", &["ngx_http_xss_filter_module.so"], &["xss_*"], FORKY),
    Module::debian("zstd-static", "http-zstd-static", &["ngx_http_zstd_static_module.so"], &["zstd_static*"], FORKY),
    Module::debian("zstd-filter", "http-zstd-filter", &["ngx_http_zstd_filter_module.so"], &["zstd", "zstd_*"], FORKY),
    Module::debian("nchan", "nchan", &["ngx_nchan_module.so"], NCHAN, ALL),
    Module::debian("rtmp", "rtmp", &["ngx_rtmp_module.so"], &["rtmp", "rtmp_*"], ALL),
    Module::debian("stream geoip", "stream-geoip", &[STREAM, "ngx_stream_geoip_module.so"], &["geoip_*"], ALL)
        .of(Part::Stream)
        .in_image(),
    Module::debian(
        "stream geoip2",
        "stream-geoip2",
        &[STREAM, "ngx_stream_geoip2_module.so"],
        &["geoip2", "geoip2_*"],
        ALL,
    )
    .of(Part::Stream),
    Module::debian("stream njs", "stream-js", &[STREAM, "ngx_stream_js_module.so"], &["js_*"], FROM_BOOKWORM)
        .of(Part::Stream)
        .in_image(),
];

const STREAM: &str = "ngx_stream_module.so";

/// Those of its own names: NGINX Plus has others that begin the same.
const AUTH_JWT: &[&str] = &[
    "auth_jwt_loginurl",
    "auth_jwt_key",
    "auth_jwt_enabled",
    "auth_jwt_redirect",
    "auth_jwt_location",
    "auth_jwt_algorithm",
    "auth_jwt_validate_sub",
    "auth_jwt_extract_*",
    "auth_jwt_keyfile_path",
    "auth_jwt_use_keyfile",
];

const CACHE_PURGE: &[&str] =
    &["fastcgi_cache_purge", "proxy_cache_purge", "scgi_cache_purge", "uwsgi_cache_purge", "cache_purge_response_type"];

const LUA: &[&str] = &["lua_*", "*_by_lua*", "balancer_keepalive"];

const NCHAN: &[&str] = &[
    "nchan_*",
    "push_authorized_channels_only",
    "push_channel_*",
    "push_max_*",
    "push_message_*",
    "push_min_*",
    "push_publisher",
    "push_store_messages",
    "push_subscriber*",
];

const SET_MISC: &[&str] = &[
    "set_base32_*",
    "set_decode_*",
    "set_encode_*",
    "set_escape_uri",
    "set_formatted_*",
    "set_hashed_upstream",
    "set_hmac_*",
    "set_if_empty",
    "set_local_today",
    "set_md5",
    "set_misc_*",
    "set_quote_*",
    "set_random",
    "set_rotate",
    "set_secure_random_*",
    "set_sha1",
    "set_unescape_uri",
];
