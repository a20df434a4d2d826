//! The `upstream` block that a route goes through: <https://nginx.org/en/docs/http/ngx_http_upstream_module.html>.

use super::{Directive, Facts};

impl<'a> Facts<'a> {
    /// The route's `proxy_pass`.
    pub(crate) fn pass(&self) -> Option<&'a Directive> {
        let (nginx, place) = (&self.deployment.nginx, &self.route.proxy_pass);
        nginx.at(place).or_else(|| nginx.lookup(&place.file, place.line)).filter(|directive| directive.is("proxy_pass"))
    }

    /// The `http` and the `upstream` block that the route goes through, if it goes through one.
    pub(crate) fn upstream_blocks(&self) -> Option<[&'a Directive; 2]> {
        let host = authority(self.pass()?.arg(0)?);
        let https = self.deployment.nginx.directives.iter().filter(|directive| directive.is("http"));
        let mut blocks = https.flat_map(|http| http.children_named("upstream").map(move |block| [http, block]));
        // What a variable stands for is known by the server that it leads to.
        let is_named = |block: &Directive| block.arg(0) == Some(host);
        let is_led_to = |block: &Directive| block.children_named("server").any(|server| self.is_upstream(server));
        blocks.find(|[_, block]| if host.contains('$') { is_led_to(block) } else { is_named(block) })
    }

    /// The `server` lines beside which Prometheus is, with their own.
    pub(crate) fn upstream_servers(&self) -> Vec<&'a Directive> {
        self.upstream_blocks().map(|[_, block]| block.children_named("server").collect()).unwrap_or_default()
    }

    fn is_upstream(&self, server: &Directive) -> bool {
        let mut known = self.deployment.upstreams.iter();
        known.any(|upstream| upstream.address == self.route.upstream && upstream.location == server.location)
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
        deployment.facts(0).upstream_servers().iter().map(|server| server.location.line).collect()
    }

    #[test]
    fn a_route_s_own_block_is_found_by_name_or_by_what_a_variable_stands_for() {
        assert_eq!(servers("proxy_pass http://p/;"), [4, 5]);
        assert_eq!(servers("set $u p; proxy_pass http://$u;"), [4, 5]);
        assert_eq!(servers("proxy_pass http://prometheus:9090;"), Vec::<usize>::new());
    }
}
