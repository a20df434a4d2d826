//! What a fragment's upstreams need of the `http` block: the block of a name that is no host, and a resolver.

use std::collections::HashSet;

use super::super::Directive;
use super::super::candidate::is_prometheus;
use super::super::pass;
use super::needs::{Need, need, writable};

/// Nothing of the deployment's is there; the Pod answers it.
const RESOLVER: &str = "127.0.0.1";

/// What is needed by `http`, given all of its directives in a row.
pub(super) fn of(http: Option<&Directive>, all: &[&Directive]) -> Vec<Need> {
    let mut needs = Vec::new();
    needs.extend(resolver(all));
    needs.extend(http.into_iter().flat_map(upstreams));
    needs
}

/// `proxy_pass http://prometheus;` without a port would be Prometheus at port 80, where none listens: the name is that of
/// an `upstream` block in another file.
fn upstreams(http: &Directive) -> Vec<Need> {
    let mut known: HashSet<&str> = http.children_named("upstream").filter_map(|block| block.arg(0)).collect();
    let mut needs = Vec::new();
    let mut names: Vec<(String, &Directive)> = Vec::new();
    for pass in http.children_named("server").flat_map(pass::passes) {
        let authority = pass.text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '$']).next().unwrap_or(""));
        let is_block = writable(authority) && !authority.contains('.') && is_prometheus(authority);
        if pass.directive.is("proxy_pass") && is_block {
            names.push((authority.to_owned(), pass.directive));
        }
    }
    for (name, directive) in &names {
        if known.insert(name) {
            let text = format!("upstream {name} {{ server {name}:9090; }}");
            needs.push(need(&format!("upstream {name}"), text, &directive.location));
        }
    }
    needs
}

/// A name that nginx looks up at run time needs somebody to ask.
fn resolver(all: &[&Directive]) -> Option<Need> {
    if all.iter().any(|directive| directive.is("resolver")) {
        return None;
    }
    let varies = |pass: &&&Directive| {
        let text = pass.arg(0).unwrap_or_default();
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest.split('/').next().unwrap_or(rest));
        pass.name.ends_with("_pass") && pass.block.is_none() && authority.contains('$')
    };
    let pass = all.iter().find(varies)?;
    Some(need("resolver", format!("resolver {RESOLVER};"), &pass.location))
}

#[cfg(test)]
mod tests {
    use super::super::needs;
    use crate::deployment::testing::directives;

    fn texts(http: &str) -> Vec<String> {
        needs::of(&directives(&format!("http {{ {http} }}"))).into_iter().map(|need| need.text).collect()
    }

    #[test]
    fn a_name_without_a_port_is_an_upstream_block_of_another_file() {
        let http = "upstream prom { server a:1; } server { location / { proxy_pass http://prometheus_backend/x; }
            location /a { proxy_pass http://prom; } location /b { proxy_pass http://prometheus:9090; }
            location /c { proxy_pass http://prometheus.example; } location /d { proxy_pass http://grafana; } }";
        assert_eq!(texts(http), ["upstream prometheus_backend { server prometheus_backend:9090; }"]);
    }

    #[test]
    fn a_name_that_is_looked_up_at_run_time_needs_a_resolver() {
        let http = "server { set $up http://prometheus:9090; location / { proxy_pass $up; } }";
        assert_eq!(texts(http), ["resolver 127.0.0.1;"]);
        assert_eq!(texts(&format!("resolver 10.0.0.2; {http}")), Vec::<String>::new());
        assert_eq!(texts("server { location ~ ^/(.*) { proxy_pass http://a:1/$1; } }"), Vec::<String>::new());
    }
}
