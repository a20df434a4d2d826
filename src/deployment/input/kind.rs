//! Which part of a configuration a file is, by the directives that stand outside of all blocks.

use std::path::Path;

use super::super::normalise::{Reading, Region};
use super::super::source_text::SourceText;
use super::super::{DeploymentError, Options, read, template};

/// What a file is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of nothing: it is an nginx.conf.
    Full,
    /// Of an `http` block.
    Http,
    /// Of a `server` block.
    Server,
}

/// They stand outside of all blocks alone.
const MAIN: [&str; 12] = [
    "http",
    "events",
    "stream",
    "mail",
    "user",
    "worker_processes",
    "worker_rlimit_nofile",
    "pid",
    "load_module",
    "daemon",
    "master_process",
    "worker_cpu_affinity",
];

/// They stand in `http` alone.
const HTTP: [&str; 26] = [
    "server",
    "upstream",
    "map",
    "geo",
    "split_clients",
    "limit_req_zone",
    "limit_conn_zone",
    "log_format",
    "proxy_cache_path",
    "fastcgi_cache_path",
    "uwsgi_cache_path",
    "scgi_cache_path",
    "map_hash_bucket_size",
    "map_hash_max_size",
    "server_names_hash_bucket_size",
    "server_names_hash_max_size",
    "variables_hash_max_size",
    "geoip_country",
    "geoip_city",
    "geoip2",
    "js_import",
    "perl_modules",
    "lua_package_path",
    "lua_shared_dict",
    "init_by_lua_block",
    "init_worker_by_lua_block",
];

/// They stand in a `server` (or below it), and not in `http`.
const SERVER: [&str; 18] = [
    "location",
    "listen",
    "server_name",
    "set",
    "if",
    "rewrite",
    "return",
    "break",
    "try_files",
    "rewrite_log",
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "alias",
    "internal",
    "stub_status",
];

/// What a file is; none if it says nothing.
pub(super) fn classify(path: &Path, options: &Options) -> Result<Option<Kind>, DeploymentError> {
    let text = read::config(path)?;
    let most = usize::try_from(read::MAX_CONFIG_BYTES).unwrap_or(usize::MAX);
    let rendering = template::render(&text, &options.env, most).map(|(rendering, _)| rendering);
    let source = SourceText::rendered(&path.to_string_lossy().into(), &text, rendering.as_ref());
    template::refuse_foreign(&source)?;
    Ok(of(source.text))
}

fn of(text: &str) -> Option<Kind> {
    let names = outermost(text);
    let count = |known: &[&str]| names.iter().filter(|name| known.contains(name)).count();
    let (http, server) = (count(&HTTP), count(&SERVER));
    match () {
        () if names.is_empty() => None,
        () if count(&MAIN) > 0 => Some(Kind::Full),
        // A whole server can't be in a server, nor a location outside of one, whatever else stands beside it.
        () if names.contains(&"server") => Some(Kind::Http),
        () if names.contains(&"location") => Some(Kind::Server),
        () if http > server => Some(Kind::Http),
        () if server > http => Some(Kind::Server),
        () => match names.iter().find(|name| HTTP.contains(name) || SERVER.contains(name)) {
            Some(first) if SERVER.contains(first) => Some(Kind::Server),
            _ => Some(Kind::Http),
        },
    }
}

/// The first words of the directives outside of all blocks.
fn outermost(text: &str) -> Vec<&str> {
    let (mut names, mut depth, mut word, mut named) = (Vec::new(), 0usize, None, false);
    for seen in Reading::of(text) {
        let ends = seen.region != Region::Plain || seen.c.is_whitespace() || ";{}".contains(seen.c);
        if let Some(start) = word.filter(|_| ends) {
            names.push(&text[start..seen.offset]);
            (word, named) = (None, true);
        }
        match (seen.region, seen.c) {
            (Region::Plain, '{') => (depth, named) = (depth + 1, false),
            (Region::Plain, '}') => (depth, named) = (depth.saturating_sub(1), false),
            (Region::Plain, ';') => named = false,
            (Region::Plain, _) if !ends && depth == 0 && !named && word.is_none() => word = Some(seen.offset),
            _ => {}
        }
    }
    names.extend(word.map(|start| &text[start..]));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_directives_tell_what_a_file_is() {
        for (text, expected) in [
            ("# only\n", None),
            ("events {} http { server { } }", Some(Kind::Full)),
            ("user www-data;", Some(Kind::Full)),
            ("upstream p { server a:1; }\nserver { location / { } }", Some(Kind::Http)),
            ("proxy_set_header a b;", Some(Kind::Http)),
            ("map $a $b { http x; events y; }", Some(Kind::Http)),
            ("location / { } location /a { }", Some(Kind::Server)),
            ("set $x 'http { ';\nlocation / { proxy_pass http://$x; }", Some(Kind::Server)),
            // In the wrong context, which is nginx's to refuse.
            ("location / { } location /b { } upstream x { }", Some(Kind::Server)),
            ("upstream x { } upstream y { } location / { }", Some(Kind::Server)),
            ("upstream x { } set $y z;", Some(Kind::Http)),
            ("location / { } server { }", Some(Kind::Http)),
            ("${x} }}} ;; {", Some(Kind::Http)),
            ("location", Some(Kind::Server)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
