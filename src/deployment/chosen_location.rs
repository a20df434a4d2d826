//! Which `location` nginx takes for a path: <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>.

use regex::bytes::RegexBuilder;

use super::Nginx;
use super::directive::Directive;
use super::location_path::{Pattern, pattern};
use super::normal_path::normal_path;

/// The `location` of a server, by its index among the deployment's, that nginx takes for a path.
///
/// None where no location is for it, or where a regex is one that only PCRE understands.
pub(super) fn of_server<'a>(nginx: &'a Nginx, server: usize, path: &str) -> Option<&'a Directive> {
    for_path(nginx, server, path).ok().flatten()
}

/// As [`of_server`], with what can't be known told from what is not there.
///
/// # Errors
///
/// Where a regex that is asked on the way is one that only PCRE understands.
pub(super) fn for_path<'a>(nginx: &'a Nginx, server: usize, path: &str) -> Result<Option<&'a Directive>, regex::Error> {
    let Some((http, server)) = servers(nginx).nth(server) else {
        return Ok(None);
    };
    let said = [server, http].into_iter().find_map(|block| block.children_named("merge_slashes").next());
    let merges_slashes = said.is_none_or(|said| said.arg(0) != Some("off"));
    let path = normal_path(path, merges_slashes);
    Ok(choose(server, &path)?.map(|choice| choice.location))
}

/// The `server` blocks, each with the `http` around it, in the order of [`Deployment::servers`].
fn servers(nginx: &Nginx) -> impl Iterator<Item = (&Directive, &Directive)> {
    let blocks = nginx.directives.iter().filter(|directive| directive.is("http"));
    blocks.flat_map(|http| http.children_named("server").map(move |server| (http, server)))
}

struct Choice<'a> {
    location: &'a Directive,
    /// Found by a regex or an exact path: no location around it is asked any more.
    is_final: bool,
}

/// As nginx looks: the exact path, else the longest prefix and what is nested in it, then the regexes in their order.
fn choose<'a>(block: &'a Directive, path: &str) -> Result<Option<Choice<'a>>, regex::Error> {
    let locations: Vec<_> = block.children_named("location").map(|location| (location, pattern(location))).collect();
    let exact = locations.iter().find(|(_, pattern)| matches!(pattern, Pattern::Exact(exact) if exact == path));
    if let Some((location, _)) = exact {
        return Ok(Some(Choice { location, is_final: true }));
    }
    let prefixes = locations.iter().filter_map(|(location, pattern)| match pattern {
        Pattern::Prefix { path: prefix, ends_search } if path.starts_with(prefix) => {
            Some((prefix.len(), *location, *ends_search))
        }
        _ => None,
    });
    let longest = prefixes.max_by_key(|(length, ..)| *length);
    let mut found = None;
    if let Some((_, location, _)) = longest {
        found = choose(location, path)?.or(Some(Choice { location, is_final: false }));
    }
    let ends_search = longest.is_some_and(|(_, _, ends_search)| ends_search);
    if ends_search || found.as_ref().is_some_and(|choice| choice.is_final) {
        return Ok(found);
    }
    for (location, pattern) in &locations {
        let Pattern::Regex { regex, ignores_case } = pattern else { continue };
        if RegexBuilder::new(regex).unicode(false).case_insensitive(*ignores_case).build()?.is_match(path.as_bytes()) {
            let location = choose(location, path)?.map_or(*location, |inner| inner.location);
            return Ok(Some(Choice { location, is_final: true }));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::location_path::written;
    use crate::deployment::testing::directives;

    fn chosen(locations: &str, path: &str) -> Option<String> {
        let directives = directives(&format!("server {{ {locations} }}"));
        let choice = choose(&directives[0], path).ok().flatten();
        choice.map(|choice| written(choice.location).to_owned())
    }

    #[test]
    fn the_location_is_the_one_that_nginx_takes() {
        let all = r"location / {} location /p/ { location /p/api/ {} location ~ \.txt$ {} } location = /p/metrics {}
                    location ~* \.(js|css)$ {} location ~ ^/p/x {} location ^~ /p/static/ {}";
        for (path, expected) in [
            ("/", "/"),
            ("/p", "/"),
            ("/p/", "/p/"),
            ("/p/metrics", "/p/metrics"),
            ("/p/metrics/", "/p/"),
            ("/p/a.JS", r"\.(js|css)$"),
            ("/p/x.js", r"\.(js|css)$"),
            ("/p/xy", "^/p/x"),
            ("/p/static/a.js", "/p/static/"),
            ("/p/api/v1", "/p/api/"),
            ("/p/api/a.css", r"\.(js|css)$"),
            ("/p/x.txt", r"\.txt$"),
        ] {
            assert_eq!(chosen(all, path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn nothing_is_said_where_it_can_not_be_known() {
        assert_eq!(chosen("location /x/ {}", "/y"), None);
        assert_eq!(chosen(r"location / {} location ~ ^/(?!api/) {}", "/y"), None);
    }
}
