//! Every `…_pass`, with the location that it stands in and its variables resolved where the file sets them.

use std::collections::HashMap;

use super::directive::Directive;

/// One `proxy_pass` or its like.
pub(super) struct Pass<'a> {
    pub(super) directive: &'a Directive,
    /// The innermost `location` around it.
    pub(super) location: Option<&'a Directive>,
    /// What its argument comes to; variables that the file does not set stay in it.
    pub(super) text: String,
}

/// Every `…_pass` in a block and the blocks within.
pub(super) fn passes(block: &Directive) -> Vec<Pass<'_>> {
    let mut found = Vec::new();
    walk(block, None, None, &mut found);
    found
}

/// The variables that `set` gives a value, from the inside out.
struct Scope<'a> {
    /// By name, without the `$`.
    set: HashMap<&'a str, &'a str>,
    around: Option<&'a Scope<'a>>,
}

fn walk<'a>(
    block: &'a Directive,
    location: Option<&'a Directive>,
    around: Option<&Scope<'_>>,
    found: &mut Vec<Pass<'a>>,
) {
    let sets = block.children_named("set").filter_map(|set| Some((set.arg(0)?.strip_prefix('$')?, set.arg(1)?)));
    let scope = Scope { set: sets.collect(), around };
    for directive in block.children() {
        if directive.name.ends_with("_pass") && directive.block.is_none() {
            let text = scope.resolve(directive.arg(0).unwrap_or_default());
            found.push(Pass { directive, location, text });
        } else if directive.block.is_some() {
            let location = if directive.is("location") { Some(directive) } else { location };
            walk(directive, location, Some(&scope), found);
        }
    }
}

impl Scope<'_> {
    /// The text with variables replaced, and those in their values. Bounded, as values may name each other.
    fn resolve(&self, text: &str) -> String {
        const ROUNDS: usize = 8;
        const LENGTH: usize = 4096;
        let mut text = text.to_owned();
        for _ in 0..ROUNDS {
            match self.replaced(&text) {
                Some(next) if next.len() <= LENGTH => text = next,
                _ => break,
            }
        }
        text
    }

    fn replaced(&self, text: &str) -> Option<String> {
        let mut changed = false;
        let mut parts = text.split('$');
        let mut out = parts.next()?.to_owned();
        for part in parts {
            let (name, rest) = variable(part);
            match self.value(name) {
                Some(value) => {
                    changed = true;
                    out.extend([value, rest]);
                }
                None => out.extend(["$", part]),
            }
        }
        changed.then_some(out)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.set.get(name).copied().or_else(|| self.around?.value(name))
    }
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
    use crate::deployment::testing::directives;

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
}
