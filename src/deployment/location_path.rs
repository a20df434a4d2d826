//! What a `location` matches, and the path that its upstream gets for it.

use super::directive::Directive;

/// How a `location` matches; the better it stands for all of Prometheus, the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Prefix,
    /// A regex for one place at the path's start.
    AnchoredRegex,
    Regex,
    Exact,
    /// `@name`, to which other locations lead.
    Named,
}

/// From the public path to the upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) kind: Kind,
    /// Without a slash at its end; empty at the root.
    pub(super) prefix: String,
    /// What the upstream gets for `prefix` + `/`; starts and ends with a slash.
    pub(super) upstream_path: String,
    /// It is about one endpoint of Prometheus, such as `/api/v1/write`, not about all of it.
    pub(super) endpoint_only: bool,
}

impl Mapping {
    /// Of a `location` whose `proxy_pass` has this URI, resolved.
    pub(super) fn of(location: &Directive, uri: Option<&str>) -> Self {
        let (kind, matched) = matched(location);
        let prefix = matched.trim_end_matches('/').to_owned();
        let upstream_path = rewritten(location, &prefix).unwrap_or_else(|| replaced(&prefix, uri));
        let (root, endpoint) = split_endpoint(&upstream_path);
        let whole = prefix.strip_suffix(endpoint.trim_end_matches('/')).filter(|_| !endpoint.is_empty());
        Self {
            kind,
            endpoint_only: !endpoint.is_empty(),
            upstream_path: if whole.is_some() { root.to_owned() } else { upstream_path.clone() },
            prefix: whole.unwrap_or(&prefix).trim_end_matches('/').to_owned(),
        }
    }
}

/// The path that a `location` is written for, as it is written.
pub(super) fn written(location: &Directive) -> &str {
    location.args.last().map_or("", |arg| arg.text.as_str())
}

/// What a `location` is written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Exact(String),
    /// `ends_search` with `^~`: no regex is asked any more.
    Prefix {
        path: String,
        ends_search: bool,
    },
    Regex {
        regex: String,
        ignores_case: bool,
    },
    /// `@name`, to which other locations lead.
    Named,
}

/// What a `location` is written for; nginx takes `=/x` for `= /x`.
pub(super) fn pattern(location: &Directive) -> Pattern {
    let glued: String = location.args.iter().map(|arg| arg.text.as_str()).collect();
    if glued.starts_with('@') {
        return Pattern::Named;
    }
    let after = |sign| glued.strip_prefix(sign).map(str::to_owned);
    if let Some(regex) = after("~*") {
        Pattern::Regex { regex, ignores_case: true }
    } else if let Some(regex) = after("~") {
        Pattern::Regex { regex, ignores_case: false }
    } else if let Some(path) = after("^~") {
        Pattern::Prefix { path, ends_search: true }
    } else if let Some(path) = after("=") {
        Pattern::Exact(path)
    } else {
        Pattern::Prefix { path: glued, ends_search: false }
    }
}

/// How a location matches and the path that all it matches starts with, as far as it is literal.
fn matched(location: &Directive) -> (Kind, String) {
    match pattern(location) {
        Pattern::Named => (Kind::Named, String::new()),
        Pattern::Exact(path) => (Kind::Exact, path),
        Pattern::Prefix { path, .. } => (Kind::Prefix, path),
        Pattern::Regex { regex, .. } => {
            let kind = if regex.starts_with("^/") { Kind::AnchoredRegex } else { Kind::Regex };
            (kind, Some(literal_head(&regex)).filter(|head| head.starts_with('/')).unwrap_or_default())
        }
    }
}

/// The beginning of a regex that can only match itself.
pub(super) fn literal_head(regex: &str) -> String {
    let mut head = String::new();
    let mut chars = regex.trim_start_matches('^').chars().peekable();
    while let Some(c) = chars.next() {
        let literal = match c {
            '\\' => chars.next().filter(|escaped| !escaped.is_ascii_alphanumeric()),
            '.' | '(' | ')' | '[' | '|' | '$' | '^' | '*' | '+' | '?' | '{' => None,
            _ => Some(c),
        };
        match literal {
            Some(literal) if !matches!(chars.peek(), Some('?' | '*' | '{')) => head.push(literal),
            _ => break,
        }
    }
    head
}

/// What `rewrite … break` in the location makes of the prefix; it wins over the URI of `proxy_pass`.
fn rewritten(location: &Directive, prefix: &str) -> Option<String> {
    let mut breaking = location.children_named("rewrite").filter(|rewrite| rewrite.arg(2) == Some("break"));
    breaking.find_map(|rewrite| rewrite_of(prefix, rewrite.arg(0)?, rewrite.arg(1)?))
}

fn rewrite_of(prefix: &str, regex: &str, replacement: &str) -> Option<String> {
    let (head, _capture) = replacement.split_once('$')?;
    match literal_head(regex).trim_end_matches('/') {
        // All of the path is captured, and something is put before it.
        "" => Some(joined(head, prefix)),
        matched if matched == prefix => Some(joined(head, "")),
        _ => None,
    }
}

/// What the URI of `proxy_pass` makes of the prefix.
fn replaced(prefix: &str, uri: Option<&str>) -> String {
    let Some(uri) = uri else {
        return joined("", prefix);
    };
    let head = &uri[..uri.find(['$', '?']).unwrap_or(uri.len())];
    let passes_all = ["$request_uri", "$uri", "$document_uri"].iter().any(|all| uri[head.len()..].starts_with(all));
    joined(head, if passes_all { prefix } else { "" })
}

/// One path after the other, with a slash at the end.
fn joined(head: &str, path: &str) -> String {
    format!("{}{path}/", head.trim_end_matches('/'))
}

/// Splits a path, as Prometheus gets it, before what is its own: `/prom/api/v1/query/` is `/prom/` and `api/v1/query/`.
pub(super) fn split_endpoint(path: &str) -> (&str, &str) {
    const WITH_MORE_BELOW: [&str; 3] = ["api/v1/", "-/", "debug/pprof/"];
    const LAST: [&str; 15] = [
        "api/",
        "federate/",
        "metrics/",
        "graph/",
        "query/",
        "status/",
        "targets/",
        "alerts/",
        "rules/",
        "config/",
        "debug/",
        "static/",
        "assets/",
        "classic/",
        "consoles/",
    ];
    let starts = path.match_indices('/').map(|(slash, _)| slash + 1);
    let own = starts.into_iter().find(|start| {
        let rest = &path[*start..];
        WITH_MORE_BELOW.iter().any(|own| rest.starts_with(own)) || LAST.contains(&rest)
    });
    path.split_at(own.unwrap_or(path.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    fn mapping(location: &str, body: &str, uri: &str) -> (Kind, String, String) {
        let directives = directives(&format!("location {location} {{ {body} }}"));
        let mapping = Mapping::of(&directives[0], Some(uri).filter(|uri| !uri.is_empty()));
        (mapping.kind, mapping.prefix, mapping.upstream_path)
    }

    #[test]
    fn the_uri_of_proxy_pass_takes_the_place_of_the_prefix() {
        for (location, uri, kind, prefix, upstream_path) in [
            ("/prometheus/", "/", Kind::Prefix, "/prometheus", "/"),
            ("/prometheus", "/", Kind::Prefix, "/prometheus", "/"),
            ("/prometheus/", "", Kind::Prefix, "/prometheus", "/prometheus/"),
            ("/p/", "/prometheus/", Kind::Prefix, "/p", "/prometheus/"),
            ("/", "", Kind::Prefix, "", "/"),
            ("/", "/prometheus/", Kind::Prefix, "", "/prometheus/"),
            ("^~ /x/", "/", Kind::Prefix, "/x", "/"),
            ("= /x", "/", Kind::Exact, "/x", "/"),
            ("=/x", "", Kind::Exact, "/x", "/x/"),
            ("~ ^/prometheus/(.*)$", "/$1$is_args$args", Kind::AnchoredRegex, "/prometheus", "/"),
            ("~* ^/prom/?", "", Kind::AnchoredRegex, "/prom", "/prom/"),
            (r"~ \.css$", "", Kind::Regex, "", "/"),
            (r"~ ^/a\.b(/|$)", "$request_uri", Kind::AnchoredRegex, "/a.b", "/a.b/"),
            ("@prom", "", Kind::Named, "", "/"),
        ] {
            let expected = (kind, prefix.to_owned(), upstream_path.to_owned());
            assert_eq!(mapping(location, "", uri), expected, "{location} {uri}");
        }
    }

    #[test]
    fn a_rewrite_that_ends_in_break_takes_the_place_of_the_prefix() {
        for (location, rewrite, upstream_path) in [
            ("/prometheus/", "^/prometheus/(.*)$ /$1 break", "/"),
            ("/prometheus", "^/prometheus(/.*)$ $1 break", "/"),
            ("/prometheus", "^/prometheus/?(.*)$ /prom/$1 break", "/prom/"),
            ("/", "^(.*)$ /prometheus$1 break", "/prometheus/"),
            ("/prometheus/", "^/prometheus/(.*)$ /$1 last", "/prometheus/"),
            ("/prometheus/", "^/prometheus/old$ /new break", "/prometheus/"),
            ("/prometheus/", "^/other/(.*)$ /$1 break", "/prometheus/"),
        ] {
            assert_eq!(mapping(location, &format!("rewrite {rewrite};"), "").2, upstream_path, "{rewrite}");
        }
    }

    #[test]
    fn one_endpoint_is_not_taken_for_a_prefix() {
        for (location, uri, prefix, upstream_path) in [
            ("/api/v1/write", "", "", "/"),
            ("/prometheus/api/v1/", "", "/prometheus", "/prometheus/"),
            ("/status", "/status", "", "/"),
            ("/push", "/api/v1/write", "/push", "/api/v1/write/"),
        ] {
            let directives = directives(&format!("location {location} {{ }}"));
            let mapping = Mapping::of(&directives[0], Some(uri).filter(|uri| !uri.is_empty()));
            assert!(mapping.endpoint_only, "{location}");
            assert_eq!(
                (mapping.prefix.as_str(), mapping.upstream_path.as_str()),
                (prefix, upstream_path),
                "{location}"
            );
        }
    }
}
