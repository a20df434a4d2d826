//! Every `…_pass`, with the location that it stands in and its variables resolved where the file gives them values.

use std::cell::Cell;
use std::collections::HashMap;

use super::Nginx;
use super::directive::Directive;

/// One `proxy_pass` or its like, with one of the values that its argument can have.
pub(super) struct Pass<'a> {
    pub(super) directive: &'a Directive,
    /// The innermost `location` around it.
    pub(super) location: Option<&'a Directive>,
    /// What its argument comes to; variables that the file gives no value stay in it.
    pub(super) text: String,
}

/// How many values one argument is taken to have at most: a `map` can have thousands.
const MOST_VALUES: usize = 16;
const LONGEST: usize = 4096;
/// What all resolved arguments may take in memory. Beyond it they stay as they are written.
const MOST_BYTES: usize = 16 << 20;

/// Every `…_pass` in the `server` blocks of `http`, with the server by its index among all of them.
pub(super) fn in_servers(nginx: &Nginx) -> Vec<(usize, Pass<'_>)> {
    let mut walk = Walk { left: Cell::new(MOST_BYTES), found: Vec::new() };
    let (mut all, mut index) = (Vec::new(), 0);
    for http in nginx.directives.iter().filter(|directive| directive.is("http")) {
        let scope = Scope::of(http, None);
        for server in http.children_named("server") {
            walk.block(server, None, Some(&scope));
            all.extend(walk.found.drain(..).map(|pass| (index, pass)));
            index += 1;
        }
    }
    all
}

/// Every `…_pass` in a block and the blocks within.
pub(super) fn passes(block: &Directive) -> Vec<Pass<'_>> {
    let mut walk = Walk { left: Cell::new(MOST_BYTES), found: Vec::new() };
    walk.block(block, None, None);
    walk.found
}

struct Walk<'a> {
    left: Cell<usize>,
    found: Vec<Pass<'a>>,
}

impl<'a> Walk<'a> {
    fn block(&mut self, block: &'a Directive, location: Option<&'a Directive>, around: Option<&Scope<'_>>) {
        let scope = Scope::of(block, around);
        for directive in block.children() {
            if directive.name.ends_with("_pass") && directive.block.is_none() {
                for text in self.values(directive.arg(0).unwrap_or_default(), &scope) {
                    self.found.push(Pass { directive, location, text });
                }
            } else if directive.block.is_some() {
                let location = if directive.is("location") { Some(directive) } else { location };
                self.block(directive, location, Some(&scope));
            }
        }
    }

    fn values(&self, text: &str, scope: &Scope<'_>) -> Vec<String> {
        let mut values = if self.left.get() == 0 { Vec::new() } else { scope.resolve(text) };
        let taken: usize = values.iter().map(String::len).sum();
        if values.is_empty() || self.left.get() < taken {
            values = vec![text.to_owned()];
        }
        self.left.set(self.left.get().saturating_sub(taken));
        values
    }
}

/// The variables that `set`, `map`, `geo` and `split_clients` give values, from the inside out.
struct Scope<'a> {
    /// By name in small letters, without the `$`: nginx knows no case there.
    set: HashMap<String, Vec<&'a str>>,
    around: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    fn of(block: &'a Directive, around: Option<&'a Scope<'a>>) -> Self {
        let mut scope = Self { set: HashMap::new(), around };
        for directive in block.children() {
            match directive.name.as_str() {
                "set" => scope.add_set(directive),
                // What an `if` sets holds behind it.
                "if" => directive.children_named("set").for_each(|set| scope.add_set(set)),
                "map" | "geo" | "split_clients" => {
                    let values = directive.children().iter().filter(|entry| !is_parameter(entry));
                    let values = values.filter_map(|entry| entry.arg(0));
                    scope.add(directive.args.last().map_or("", |name| name.text.as_str()), values);
                }
                _ => {}
            }
        }
        scope
    }

    fn add_set(&mut self, set: &'a Directive) {
        self.add(set.arg(0).unwrap_or_default(), set.arg(1).into_iter());
    }

    fn add(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        let known = self.set.entry(name.trim_start_matches('$').to_ascii_lowercase()).or_default();
        for value in values {
            if known.len() < MOST_VALUES && !known.contains(&value) {
                known.push(value);
            }
        }
    }

    /// The texts with variables replaced, and those in their values. Bounded, as values may name each other.
    fn resolve(&self, text: &str) -> Vec<String> {
        const ROUNDS: usize = 8;
        let mut texts = vec![text.to_owned()];
        for _ in 0..ROUNDS {
            let mut next: Vec<String> = Vec::new();
            for text in &texts {
                let replaced = self.replaced(text).unwrap_or_else(|| vec![text.clone()]);
                next.extend(replaced.into_iter().filter(|text| text.len() <= LONGEST));
            }
            next.truncate(MOST_VALUES);
            if next == texts || next.is_empty() {
                break;
            }
            texts = next;
        }
        texts
    }

    /// The text with the first variable that has values replaced by each of them.
    fn replaced(&self, text: &str) -> Option<Vec<String>> {
        text.match_indices('$').find_map(|(dollar, _)| {
            let (name, rest) = variable(&text[dollar + 1..]);
            let values = self.values(&name.to_ascii_lowercase())?;
            Some(values.iter().map(|value| format!("{}{value}{rest}", &text[..dollar])).collect())
        })
    }

    fn values(&self, name: &str) -> Option<&[&'a str]> {
        let own = self.set.get(name).filter(|values| !values.is_empty());
        own.map(Vec::as_slice).or_else(|| self.around?.values(name))
    }
}

/// Lines of a `map` or `geo` that give no value.
fn is_parameter(entry: &Directive) -> bool {
    const NAMES: [&str; 7] = ["include", "hostnames", "volatile", "ranges", "proxy", "proxy_recursive", "delete"];
    NAMES.contains(&entry.name.as_str())
}

/// Splits what follows a `$` into the variable's name and the rest.
fn variable(text: &str) -> (&str, &str) {
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return (name, rest);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::{Files, directives};

    #[test]
    fn variables_of_the_same_server_are_resolved() {
        let server = "server { set $app prom; set $port 1; set $loop $loop$loop;
            location / { set $port 9090; if ($x) { proxy_pass http://${app}:$port/$1; } }
            location /b { grpc_pass $host:$port; } location /c { proxy_pass http://$loop; } }";
        let directives = directives(server);
        let found = super::passes(&directives[0]);
        assert_eq!(found[0].text, "http://prom:9090/$1");
        assert_eq!(found[0].location.and_then(|location| location.arg(0)), Some("/"));
        assert_eq!(found[1].text, "$host:1");
        assert!(found[2].text.len() <= 4096);
    }

    #[test]
    fn a_variable_with_several_values_leads_to_each() {
        let conf = "http { map $host $backend { hostnames; default a:1; b.example b:2; }
            server { set $x one; if ($arg_y) { set $X two; }
              location / { proxy_pass http://$backend; } location /x { proxy_pass http://$x; } } }";
        let nginx = Files::of(&[("nginx.conf", conf)]).nginx().unwrap();
        let found = super::in_servers(&nginx);
        let texts: Vec<_> = found.iter().map(|(_, pass)| pass.text.as_str()).collect();
        assert_eq!(texts, ["http://a:1", "http://b:2", "http://one", "http://two"]);
    }

    #[test]
    fn values_that_multiply_are_bounded() {
        let sets = (0..30).map(|n| format!("map $x $v{n} {{ a $v{m}$v{m}; b $v{m}; }}", m = n + 1));
        let conf =
            format!("http {{ {} server {{ location / {{ proxy_pass http://$v0; }} }} }}", sets.collect::<String>());
        let nginx = Files::of(&[("nginx.conf", &conf)]).nginx().unwrap();
        assert!(super::in_servers(&nginx).len() <= super::MOST_VALUES);
    }
}
