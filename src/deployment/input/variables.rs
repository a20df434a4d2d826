//! The variables that a configuration uses, and those that it defines.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Directive;
use super::builtin::is_builtin;
use crate::location::Location;

/// The names of all variables that directives define, written as they are there.
pub(super) fn defined(directives: &[Directive]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    define(directives, &mut names);
    names
}

fn define(directives: &[Directive], names: &mut BTreeSet<String>) {
    for directive in directives {
        let args = || directive.args.iter().map(|arg| arg.text.as_str());
        let name = match directive.name.as_str() {
            "map" | "split_clients" | "num_map" | "keyval" => args().nth(1),
            "geo" => args().next_back(),
            "js_var" | "js_set" | "perl_set" | "auth_request_set" | "set" => args().next(),
            name if name.starts_with("set_") || name.ends_with("_set") => args().next(),
            _ => None,
        };
        names.extend(name.and_then(|name| name.strip_prefix('$')).map(str::to_owned));
        if directive.is("geoip2") {
            let entries = directive.children().iter();
            names.extend(entries.filter_map(|entry| entry.name.strip_prefix('$')).map(str::to_owned));
        }
        args().chain([directive.name.as_str()]).for_each(|text| names.extend(captures(text)));
        define(directive.children(), names);
    }
}

/// The names of `(?<name>…)` and its other spellings.
fn captures(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("(?").filter_map(|(at, _)| {
        let inside = text[at + 2..].trim_start_matches('P');
        let name = inside.strip_prefix(['<', '\''])?;
        let end = name.find(['>', '\''])?;
        let name = &name[..end];
        name.chars().all(is_name).then(|| name.to_owned())
    })
}

/// The variables that are used and that neither nginx nor the configuration defines, each at its first place.
pub(super) fn unknown(directives: &[Directive]) -> Vec<(String, Location)> {
    // nginx does not tell capitals.
    let defined: BTreeSet<String> = defined(directives).iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut used = Used { by_name: BTreeMap::new(), order: Vec::new() };
    used.by(directives, "");
    let Used { mut by_name, order } = used;
    let unknown = order.into_iter().filter(|name| !is_builtin(name) && !defined.contains(name));
    unknown.filter_map(|name| by_name.remove_entry(&name)).collect()
}

struct Used {
    by_name: BTreeMap<String, Location>,
    order: Vec<String>,
}

impl Used {
    fn by(&mut self, directives: &[Directive], block: &str) {
        for directive in directives {
            let values = match block {
                "types" | "geo" | "geoip2" | "split_clients" => &[],
                _ => with_variables(directive),
            };
            for arg in values.iter().filter(|arg| !arg.text.starts_with('~')) {
                for name in names_in(&arg.text) {
                    let name = name.to_ascii_lowercase();
                    if !self.by_name.contains_key(&name) {
                        self.by_name.insert(name.clone(), arg.location.clone());
                        self.order.push(name);
                    }
                }
            }
            self.by(directive.children(), &directive.name);
        }
    }
}

/// The arguments in which nginx looks for variables: not in regular expressions, names and code.
fn with_variables(directive: &Directive) -> &[super::super::Argument] {
    let args = directive.args.as_slice();
    match directive.name.as_str() {
        "location" | "server_name" | "valid_referers" | "env" | "geo" | "listen" | "upstream" | "server" => &[],
        "rewrite" | "set" | "auth_request_set" => args.get(1..).unwrap_or_default(),
        "map" | "split_clients" => args.get(..1).unwrap_or_default(),
        "if" => args.get(..args.iter().position(|arg| is_match(&arg.text)).unwrap_or(args.len())).unwrap_or_default(),
        name if name.contains("_by_lua") || name.starts_with("perl") || name.starts_with("js_") => &[],
        _ => args,
    }
}

/// Whether what follows in an `if` is a regular expression.
fn is_match(operator: &str) -> bool {
    matches!(operator, "~" | "~*" | "!~" | "!~*")
}

/// `$name` and `${name}`; the numbers of captures are none.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let inner = rest.strip_prefix('{');
        let name = inner.unwrap_or(rest);
        let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
        let closed = inner.is_none() || name[end..].starts_with('}');
        let name = &name[..end];
        (closed && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
    })
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    #[test]
    fn every_way_to_define_a_variable_is_known() {
        let text = "set $a 1; map $x $b { } geo $c { } geo $y $d { } split_clients k $e { } auth_request_set $f $z;
            js_set $g m.f; server_name ~^(?<h>.+)$; location ~ ^/(?P<i>x)$ { } geoip2 f { $j k; } set_by_lua_block $k { }
            map $x $l { ~(?'m'.) 1; }";
        let names: Vec<_> = defined(&directives(text)).into_iter().collect();
        assert_eq!(names.concat(), "abcdefghijklm");
    }

    #[test]
    fn only_what_nginx_would_look_up_is_used() {
        let text = "location ~ ^/$no { } rewrite ^/$no /$a; if ($b ~ x$no) { } map $c $no { $no $d; ~^x$ ${e}; }
            set $f $g; return 200 '$h ${i}j $1 $arg_x $HOST'; content_by_lua_block { $no } add_header X $H; a $f;";
        let names: Vec<_> = unknown(&directives(text)).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.concat(), "abcdeghi");
    }
}
