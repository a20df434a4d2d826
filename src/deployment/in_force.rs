//! Which directive is in force where: what a location does not say itself it takes from the block around it.
//!
//! Directives that stand more than once in a block (`add_header`, `proxy_set_header`, `allow`) are inherited all together,
//! and only where the inner block has none of that name: <https://nginx.org/en/docs/http/ngx_http_headers_module.html>.

use super::{Directive, Facts, chosen_location};

impl<'a> Facts<'a> {
    /// The directives called `name` that hold for a request of `path` on the route's server: those of the innermost block
    /// that has any, from the location that nginx chooses outward to `http`.
    ///
    /// Where only PCRE can tell which location that is, the route's own stands for it.
    pub(crate) fn in_force(&self, path: &str, name: &str) -> Vec<&'a Directive> {
        innermost(&self.blocks_for(path), name)
    }

    /// The directives called `name` that hold for the route's server, outside of its locations.
    pub(crate) fn server_in_force(&self, name: &str) -> Vec<&'a Directive> {
        self.server_in_force_of(self.route.server, name)
    }

    /// As [`Facts::server_in_force`], of any server by its index among the deployment's.
    pub(crate) fn server_in_force_of(&self, server: usize, name: &str) -> Vec<&'a Directive> {
        innermost(&self.server_blocks(server), name)
    }

    /// The directives called `name` that hold where the route's `proxy_pass` stands, also in a named location or an `if`.
    pub(crate) fn in_force_at_pass(&self, name: &str) -> Vec<&'a Directive> {
        innermost(&self.blocks_at_pass(), name)
    }

    /// The blocks that the route's `proxy_pass` stands in, from `http` inward.
    pub(crate) fn blocks_at_pass(&self) -> Vec<&'a Directive> {
        let mut blocks = self.server_blocks(self.route.server);
        go_down(&mut blocks, &|directive| directive.location == self.route.proxy_pass);
        blocks
    }

    /// The variables that `map` and, where the route passes on, `set` make, each with the texts that it is made of.
    pub(crate) fn made_of(&self) -> Vec<(&'a str, Vec<&'a str>)> {
        let blocks = self.blocks_at_pass();
        let maps = blocks.iter().flat_map(|block| block.children_named("map")).filter_map(|map| {
            let values = map.children().iter().filter_map(|entry| entry.arg(0));
            Some((map.arg(1)?, map.arg(0).into_iter().chain(values).collect()))
        });
        let sets = blocks.iter().flat_map(|block| block.children_named("set"));
        let sets = sets.filter_map(|set| Some((set.arg(0)?, vec![set.arg(1)?])));
        maps.chain(sets).collect()
    }

    /// The blocks that a request of `path` is in, from `http` inward: `http`, the route's `server`, its locations.
    pub(crate) fn blocks_for(&self, path: &str) -> Vec<&'a Directive> {
        self.blocks_of(self.route.server, path)
    }

    /// As [`Facts::blocks_for`], of any server by its index among the deployment's.
    pub(crate) fn blocks_of(&self, server: usize, path: &str) -> Vec<&'a Directive> {
        let mut blocks = self.server_blocks(server);
        let chosen = chosen_location::for_path(&self.deployment.nginx, server, path);
        let last = match chosen {
            Ok(None) => None,
            Ok(Some(location)) => go_down(&mut blocks, &|directive| std::ptr::eq(directive, location)),
            Err(_) => go_down(&mut blocks, &|directive| directive.location == self.route.location),
        };
        blocks.extend(last);
        blocks
    }

    /// The `http` and the `server` block of a server, by its index among the deployment's.
    pub(crate) fn server_blocks(&self, server: usize) -> Vec<&'a Directive> {
        let https = self.deployment.nginx.directives.iter().filter(|directive| directive.is("http"));
        let mut servers = https.flat_map(|http| http.children_named("server").map(move |server| [http, server]));
        servers.nth(server).map(Vec::from).unwrap_or_default()
    }
}

/// Appends the blocks between the last of `blocks` and the first directive in it that fits, and returns that directive.
fn go_down<'a>(blocks: &mut Vec<&'a Directive>, fits: &dyn Fn(&Directive) -> bool) -> Option<&'a Directive> {
    let block = *blocks.last()?;
    for child in block.children() {
        if fits(child) {
            return Some(child);
        }
        blocks.push(child);
        if let Some(found) = go_down(blocks, fits) {
            return Some(found);
        }
        blocks.pop();
    }
    None
}

/// The directives called `name` in the last of these blocks that has any.
pub(super) fn innermost<'a>(blocks: &[&'a Directive], name: &str) -> Vec<&'a Directive> {
    let named = |block: &&'a Directive| block.children().iter().filter(|child| child.is(name)).collect::<Vec<_>>();
    blocks.iter().rev().map(named).find(|found| !found.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    const CONF: &str = "http {
        add_header A http;
        server { listen 80; add_header A other; }
        server {
            listen 443 ssl; gzip on; add_header A server;
            location /p/ {
                proxy_pass http://prom:9090/;
                location /p/api/ { add_header A one; add_header B two; proxy_pass http://prom:9090/api/; }
                location ~ /p/(?!x) { add_header A regex; }
            }
            location = /p/metrics { proxy_pass http://prom:9090/metrics; }
        }
    }";

    fn values(conf: &str, path: &str, name: &str) -> Vec<String> {
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        let facts = deployment.facts(0);
        facts.in_force(path, name).iter().map(|found| found.args.last().unwrap().text.clone()).collect()
    }

    #[test]
    fn the_innermost_block_that_has_any_decides() {
        let conf = &CONF.replace("(?!x)", "y");
        assert_eq!(values(conf, "/p/graph", "add_header"), ["server"]);
        assert_eq!(values(conf, "/p/api/v1", "add_header"), ["one", "two"]);
        assert_eq!(values(conf, "/p/y", "add_header"), ["regex"]);
        assert_eq!(values(conf, "/p/metrics", "add_header"), ["server"]);
        assert_eq!(values(conf, "/elsewhere", "add_header"), ["server"]);
        assert_eq!(values(conf, "/p/api/v1", "gzip"), ["on"]);
        assert_eq!(values(conf, "/p/api/v1", "etag"), Vec::<String>::new());
        let without = &conf.replace("add_header A server;", "");
        assert_eq!(values(without, "/p/graph", "add_header"), ["http"]);
    }

    #[test]
    fn the_route_s_own_location_stands_for_one_that_only_pcre_can_choose() {
        assert_eq!(values(CONF, "/p/graph", "add_header"), ["server"]);
        assert_eq!(values(CONF, "/p/graph", "proxy_pass"), ["http://prom:9090/"]);
    }

    #[test]
    fn servers_and_the_pass_itself_can_be_asked_for() {
        let conf = "http { ssl_protocols TLSv1.2; server { listen 443 ssl; }
            server { listen 443 ssl; location / { if ($a) { proxy_pass http://prom:9090; } proxy_buffering off; } } }";
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        let facts = deployment.facts(0);
        assert_eq!(facts.server_in_force_of(0, "ssl_protocols").len(), 1);
        assert_eq!(facts.server_in_force("ssl_protocols")[0].arg(0), Some("TLSv1.2"));
        assert_eq!(facts.in_force_at_pass("proxy_buffering").len(), 1);
        assert_eq!(facts.server_in_force("proxy_buffering").len(), 0);
        assert_eq!(facts.server_in_force_of(7, "listen").len(), 0);
    }
}
