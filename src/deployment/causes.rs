//! Which directive makes an answer what it is: a redirect, a header, a lost query, a refused method.

use regex::Regex;

use super::in_force::innermost;
use super::{Directive, Facts};

impl<'a> Facts<'a> {
    /// The directive that adds a header to answers of a path.
    pub(crate) fn added_header(&self, path: &str, header: &str) -> Option<&'a Directive> {
        let named = |directive: &&Directive| {
            directive
                .args
                .iter()
                .any(|arg| arg.text.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case(header)))
        };
        let own = ["add_header", "more_set_headers"].map(|name| self.in_force(path, name));
        own.into_iter().flatten().find(named)
    }

    /// The directive that keeps methods from a path: `limit_except`, or an `if` about the method.
    pub(crate) fn method_limit(&self, path: &str) -> Option<&'a Directive> {
        self.deciding(path, |directive| directive.is("limit_except") || is_about(directive, "$request_method"))
    }

    /// The innermost `if` that is about one of these variables and holds for a path.
    pub(crate) fn condition_on(&self, path: &str, variables: &[&str]) -> Option<&'a Directive> {
        self.deciding(path, |directive| variables.iter().any(|variable| is_about(directive, variable)))
    }

    /// The `if` that answers a path itself with this status.
    pub(crate) fn condition_returning(&self, path: &str, status: u16) -> Option<&'a Directive> {
        let returns =
            |line: &Directive| line.is("return") && line.arg(0).is_some_and(|code| code == status.to_string());
        self.deciding(path, |directive| directive.is("if") && directive.children().iter().any(returns))
    }

    /// The directive that drops the query of a path before Prometheus gets it.
    pub(crate) fn query_dropper(&self, path: &str) -> Option<&'a Directive> {
        let rewrite = |directive: &Directive| {
            let passes_on = !matches!(directive.arg(2), Some("redirect" | "permanent"));
            directive.is("rewrite") && passes_on && directive.arg(1).is_some_and(|to| to.ends_with('?'))
        };
        let set = |directive: &Directive| directive.is("set") && directive.arg(0) == Some("$args");
        let pass = |directive: &Directive| directive.is("proxy_pass") && directive.arg(0).is_some_and(drops_query);
        self.deciding(path, rewrite).or_else(|| self.deciding(path, set)).or_else(|| self.deciding(path, pass))
    }

    /// The `proxy_pass` that builds the path from what nginx has decoded, without encoding it again.
    pub(crate) fn decoding_pass(&self, path: &str) -> Option<&'a Directive> {
        self.deciding(path, |directive| {
            directive.is("proxy_pass")
                && directive.arg(0).and_then(variable_uri).is_some_and(|uri| !uri.contains("$request_uri"))
        })
    }

    /// The `proxy_pass` with a variable before a path without one: nginx passes that path on for every request.
    pub(crate) fn fixed_pass(&self, path: &str) -> Option<&'a Directive> {
        self.deciding(path, |directive| {
            directive.is("proxy_pass")
                && directive.arg(0).is_some_and(|pass| pass.contains('$') && literal_path(pass).is_some())
        })
    }

    /// The `proxy_pass` whose path nobody gets, as a `rewrite … break` in the same block has the last word.
    pub(crate) fn ignored_path(&self, path: &str) -> Option<&'a Directive> {
        let blocks = self.blocks_for(path);
        let block = blocks.last()?;
        let breaks = block.children_named("rewrite").any(|rewrite| rewrite.arg(2) == Some("break"));
        let pass = block.children().iter().find(|child| child.is("proxy_pass"))?;
        (breaks && pass.arg(0).and_then(literal_path).is_some_and(|path| path != "/")).then_some(pass)
    }

    /// The directive that makes a redirect of a path to `target`.
    pub(crate) fn redirect_maker(&self, path: &str, target: &str) -> Option<&'a Directive> {
        self.redirect_maker_of(self.route.server, path, target)
    }

    /// As [`Facts::redirect_maker`], of any server by its index among the deployment's.
    pub(crate) fn redirect_maker_of(&self, server: usize, path: &str, target: &str) -> Option<&'a Directive> {
        let makes = |directive: &Directive| {
            let to = match directive.name.as_str() {
                "return" => directive.args.last().map(|arg| arg.text.as_str()).filter(|to| to.contains('/')),
                "rewrite" => directive
                    .arg(1)
                    .filter(|to| to.starts_with("http") || matches!(directive.arg(2), Some("redirect" | "permanent"))),
                "proxy_redirect" => directive.arg(1),
                _ => None,
            };
            to.is_some_and(|to| could_become(to, target))
        };
        let blocks = self.blocks_of(server, path);
        let of_nginx = deciding(&blocks, |directive| !directive.is("proxy_redirect") && makes(directive));
        of_nginx.or_else(|| innermost(&blocks, "proxy_redirect").into_iter().find(|directive| makes(directive)))
    }

    /// The first directive that fits in the blocks that a request of a path is in, from the inside out; what stands in an
    /// `if` is part of the block around it.
    fn deciding(&self, path: &str, fits: impl Fn(&Directive) -> bool) -> Option<&'a Directive> {
        deciding(&self.blocks_for(path), fits)
    }
}

fn deciding<'a>(blocks: &[&'a Directive], fits: impl Fn(&Directive) -> bool) -> Option<&'a Directive> {
    blocks.iter().rev().find_map(|block| {
        block.children().iter().find_map(|child| {
            let inner = child.children().iter().filter(|_| child.is("if"));
            std::iter::once(child).chain(inner).find(|directive| fits(directive))
        })
    })
}

impl Directive {
    /// As it is written, in one line, quoted where it has to be.
    pub(crate) fn written(&self) -> String {
        self.written_with(|_, text| text.to_owned())
    }

    /// As it is written, in one line: for fixes that change a part of it.
    pub(crate) fn written_with(&self, change: impl Fn(usize, &str) -> String) -> String {
        let args = self.args.iter().enumerate().map(|(index, arg)| {
            let text = change(index, &arg.text);
            let plain = !text.is_empty() && !text.contains([' ', ';', '{', '}', '"', '\'', '#']);
            if plain || text.starts_with("${") {
                format!(" {text}")
            } else {
                format!(" \"{}\"", text.replace('"', "\\\""))
            }
        });
        format!("{}{};", self.name, args.collect::<String>())
    }
}

fn is_about(directive: &Directive, variable: &str) -> bool {
    directive.is("if") && directive.args.iter().any(|arg| arg.text.contains(variable))
}

/// The URI of a `proxy_pass` that has variables in it, with which nginx passes on nothing but what they hold.
fn variable_uri(pass: &str) -> Option<&str> {
    let (_, rest) = pass.split_once("://")?;
    let uri = &rest[rest.find('/')?..];
    uri.contains('$').then_some(uri)
}

/// The path of a `proxy_pass` in which nothing is a variable.
fn literal_path(pass: &str) -> Option<&str> {
    let (_, rest) = pass.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    (!path.contains('$') && !rest.starts_with("unix:")).then_some(path)
}

fn drops_query(pass: &str) -> bool {
    const KEEPING: [&str; 4] = ["$args", "$is_args", "$query_string", "$request_uri"];
    variable_uri(pass).is_some_and(|uri| KEEPING.iter().all(|keeping| !uri.contains(keeping)))
}

/// Whether the literal parts of a text with variables stand in `target` in their order.
fn could_become(text: &str, target: &str) -> bool {
    let Ok(variables) = Regex::new(r"\$\{?\w+\}?") else { return false };
    let mut rest = target;
    variables.split(text).all(|literal| match rest.split_once(literal) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    fn line_of(server: &str, find: impl Fn(&crate::deployment::Facts<'_>) -> Option<usize>) -> Option<usize> {
        let conf = format!("http {{ server {{ listen 443 ssl;\n{server}\n}} }}");
        let deployment = Files::of(&[("nginx.conf", &conf)]).load().unwrap();
        find(&deployment.facts(0))
    }

    #[test]
    fn the_line_that_drops_the_query_is_found() {
        let rewrite = "location /p/ {\nrewrite ^/p/(.*)$ /$1? break;\nproxy_pass http://prom:9090; }";
        assert_eq!(line_of(rewrite, |facts| facts.query_dropper("/p/x").map(|found| found.location.line)), Some(3));
        let pass = "location ~ ^/p/(.*)$ {\nproxy_pass http://prom:9090/$1; }";
        assert_eq!(line_of(pass, |facts| facts.query_dropper("/p/x").map(|found| found.location.line)), Some(3));
        let kept = "location ~ ^/p/(.*)$ {\nproxy_pass http://prom:9090/$1$is_args$args; }";
        assert_eq!(line_of(kept, |facts| facts.query_dropper("/p/x").map(|found| found.location.line)), None);
        assert_eq!(line_of(kept, |facts| facts.decoding_pass("/p/x").map(|found| found.location.line)), Some(3));
    }

    #[test]
    fn the_line_that_makes_a_redirect_is_found() {
        let server = "location = /p { return 301 /p/; }\nlocation /p/ {\nif ($uri = /p/) {\n
            return 302 http://$host:3001/p/graph; }\nproxy_pass http://prom:9090/; }";
        let maker = |target: &'static str| {
            line_of(server, move |facts| facts.redirect_maker("/p/", target).map(|found| found.location.line))
        };
        assert_eq!(maker("http://a.b:3001/p/graph"), Some(6));
        assert_eq!(maker("/graph"), None);
    }

    #[test]
    fn what_keeps_a_method_out_is_found() {
        let server = "location /p/ {\nlimit_except GET { deny all; }\nproxy_pass http://prom:9090/; }";
        assert_eq!(line_of(server, |facts| facts.method_limit("/p/x").map(|found| found.location.line)), Some(3));
    }

    #[test]
    fn a_fix_quotes_what_needs_it() {
        let server = "add_header A \"b c\";\nlocation /p/ { proxy_pass http://prom:9090/; }";
        let conf = format!("http {{ server {{ listen 443 ssl;\n{server}\n}} }}");
        let deployment = Files::of(&[("nginx.conf", &conf)]).load().unwrap();
        let found = deployment.facts(0).added_header("/p/x", "a").unwrap();
        assert_eq!(found.written(), "add_header A \"b c\";");
    }
}
