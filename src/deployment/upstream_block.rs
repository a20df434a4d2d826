//! The `upstream` block that a route goes through: <https://nginx.org/en/docs/http/ngx_http_upstream_module.html>.

use super::{Directive, Facts, HostPort};

impl<'a> Facts<'a> {
    /// The `proxy_pass` of the location that nginx takes for a path; the route's own where there is none, or several.
    pub(crate) fn pass_for(&self, path: &str) -> Option<&'a Directive> {
        let own = self.location_for(path).and_then(|location| location.children_named("proxy_pass").next());
        let (nginx, place) = (&self.deployment.nginx, &self.route.proxy_pass);
        let of_route = || nginx.at(place).or_else(|| nginx.lookup(&place.file, place.line));
        own.or_else(of_route).filter(|directive| directive.is("proxy_pass"))
    }

    /// Whether what a path leads to may be what the route leads to: a variable may stand for anything.
    pub(crate) fn may_be_its_own(&self, pass: &Directive) -> bool {
        let host = authority(pass.arg(0).unwrap_or_default());
        let own = self.route.upstream.name();
        host.contains('$') || host.split(':').next() == Some(own) || self.upstream_blocks(pass).is_some()
    }

    /// The `http` and the `upstream` block that a `proxy_pass` leads to, if it leads to one that the route goes through.
    pub(crate) fn upstream_blocks(&self, pass: &Directive) -> Option<[&'a Directive; 2]> {
        let host = authority(pass.arg(0)?);
        let https = self.deployment.nginx.directives.iter().filter(|directive| directive.is("http"));
        let mut blocks = https.flat_map(|http| http.children_named("upstream").map(move |block| [http, block]));
        // What a variable stands for is known by the server that it leads to.
        let is_named = |block: &Directive| host.contains('$') || block.arg(0) == Some(host);
        let is_led_to = |block: &Directive| block.children_named("server").any(|server| self.is_upstream(server));
        blocks.find(|[_, block]| is_named(block) && is_led_to(block))
    }

    /// The `server` lines of the `upstream` block that a path leads to.
    pub(crate) fn upstream_servers(&self, path: &str) -> Vec<&'a Directive> {
        let blocks = self.pass_for(path).and_then(|pass| self.upstream_blocks(pass));
        blocks.map(|[_, block]| block.children_named("server").collect()).unwrap_or_default()
    }

    fn is_upstream(&self, server: &Directive) -> bool {
        let own = self.route.upstream.host_port();
        let at = server.arg(0).unwrap_or_default();
        own.is_some_and(|own| HostPort::with_default_port(at, 80).as_ref() == Some(own))
            || at.strip_prefix("unix:") == Some(self.route.upstream.name())
    }
}

/// What stands between the scheme and the path.
fn authority(pass: &str) -> &str {
    let rest = pass.split_once("://").map_or(pass, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    fn servers(pass: &str) -> Vec<usize> {
        let conf = format!(
            "http {{\nupstream other {{ server x:1; }}\nupstream p {{\nserver prom:9090;\nserver b:9090 backup; }}
            server {{ listen 443 ssl; location / {{ {pass} }} }} }}"
        );
        let deployment = Files::of(&[("nginx.conf", &conf)]).load().unwrap();
        deployment.facts(0).upstream_servers("/api/v1/query").iter().map(|server| server.location.line).collect()
    }

    #[test]
    fn a_route_s_own_block_is_found_by_name_or_by_what_a_variable_stands_for() {
        assert_eq!(servers("proxy_pass http://p/;"), [4, 5]);
        assert_eq!(servers("set $u p; proxy_pass http://$u;"), [4, 5]);
        assert_eq!(servers("proxy_pass http://prometheus:9090;"), Vec::<usize>::new());
    }
}
