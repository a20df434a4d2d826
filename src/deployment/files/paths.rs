//! What the paths in directives mean: their base, and the variables whose values are known beforehand.

use super::table::{Base, Names};
use crate::deployment::tree::{CONF_DIR, Tree};

/// What nginx is built with as its prefix: the official images, Debian, and who builds it as it comes.
const PREFIXES: [&str; 3] = [CONF_DIR, "/usr/share/nginx", "/usr/local/nginx"];

/// The variables that hold the name which a client asks for.
const NAME_VARIABLES: [&str; 4] = ["ssl_server_name", "server_name", "http_host", "host"];

/// The paths that a word stands for, one for each name if the name is in it; none if another variable is.
pub(super) fn expanded(word: &str, names: &[String]) -> Vec<String> {
    if !word.contains('$') {
        return vec![word.to_owned()];
    }
    if with_name(word, "").contains('$') {
        return Vec::new();
    }
    names.iter().map(|name| with_name(word, name)).collect()
}

fn with_name(word: &str, name: &str) -> String {
    NAME_VARIABLES.iter().fold(word.to_owned(), |word, variable| {
        let word = word.replace(&format!("${{{variable}}}"), name);
        replace_variable(&word, variable, name)
    })
}

/// Replaces `$host` and leaves `$hostname` alone.
fn replace_variable(word: &str, variable: &str, value: &str) -> String {
    let reference = format!("${variable}");
    let mut parts = word.split(&reference);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            true => out.extend(["$", variable]),
            false => out.push_str(value),
        }
        out.push_str(part);
    }
    out
}

/// The directory that has to be there so that nginx can write what a word names.
pub(super) fn directory(word: &str, names: Names) -> Option<&str> {
    let fixed = word.split('$').next().unwrap_or_default();
    let last = word.rsplit('/').next().unwrap_or_default();
    let whole = match names {
        Names::It => true,
        Names::SomethingIn => false,
        Names::Below => fixed == word,
        Names::Alias => fixed == word && !last.contains('.'),
    };
    match whole {
        true => Some(word),
        false => fixed.rsplit_once('/').map(|(directory, _)| if directory.is_empty() { "/" } else { directory }),
    }
}

/// The absolute paths that nginx may make of a path: a relative one is relative to a prefix that only the build knows.
pub(super) fn absolute(path: &str, base: Base) -> Vec<String> {
    match base {
        Base::Prefix if !path.starts_with('/') => {
            PREFIXES.iter().map(|prefix| Tree::path_in_pod(&format!("{prefix}/{path}"))).collect()
        }
        _ => vec![Tree::path_in_pod(path)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_with_the_name_is_each_known_name() {
        let names = ["a.b".to_owned(), "c.d".to_owned()];
        assert_eq!(expanded("/c/$ssl_server_name.crt", &names), ["/c/a.b.crt", "/c/c.d.crt"]);
        assert_eq!(expanded("/c/${host}/$server_name", &names[..1]), ["/c/a.b/a.b"]);
        assert!(expanded("/c/$hostname", &names).is_empty());
        assert!(expanded("data:$pem", &names).is_empty());
    }

    #[test]
    fn what_nginx_writes_needs_its_directory() {
        assert_eq!(directory("/run/a.pid", Names::SomethingIn), Some("/run"));
        assert_eq!(directory("/a.pid", Names::SomethingIn), Some("/"));
        assert_eq!(directory("/data/$host/x", Names::Below), Some("/data"));
        assert_eq!(directory("/data/up", Names::Below), Some("/data/up"));
        assert_eq!(directory("/www/a.txt", Names::Alias), Some("/www"));
        assert_eq!(directory("/www/$1", Names::Alias), Some("/www"));
        assert_eq!(directory("/www/b.c/", Names::Alias), Some("/www/b.c/"));
        assert_eq!(directory("nginx.pid", Names::SomethingIn), None);
    }

    #[test]
    fn a_relative_path_has_each_base_that_it_may_have() {
        assert_eq!(absolute("logs/x", Base::Prefix)[..2], ["/etc/nginx/logs/x", "/usr/share/nginx/logs/x"]);
        assert_eq!(absolute("logs/x", Base::Configuration), ["/etc/nginx/logs/x"]);
        assert_eq!(absolute("/x/./y", Base::Prefix), ["/x/y"]);
    }
}
