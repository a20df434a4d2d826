//! Every way of a server to the route's Prometheus, and who is asked what there.

use super::access::Access;
use super::location_path::{Pattern, pattern};
use super::upstream::Target;
use super::{Directive, Facts, pass};

/// More ways than anybody writes; a hostile file can have a million.
const MOST: usize = 64;

impl Facts<'_> {
    /// What is asked of a client for a path of the route's server.
    pub(crate) fn access_at(&self, path: &str) -> Access {
        self.access_of(self.route.server, path)
    }

    /// As [`Facts::access_at`], of any server by its index among the deployment's.
    pub(crate) fn access_of(&self, server: usize, path: &str) -> Access {
        Access::of(&self.blocks_of(server, path))
    }

    /// Whether what lets a client in for a path is its address, by way of a variable (`geo`, or a `map` of addresses) and
    /// an `if`.
    pub(crate) fn is_guarded_by_variable(&self, path: &str) -> bool {
        let https = || self.deployment.nginx.directives.iter().filter(|directive| directive.is("http"));
        let of_address = |directive: &Directive| {
            let mapped = directive.is("map") && directive.arg(0).is_some_and(|from| from.contains("remote_addr"));
            directive.is("geo") || mapped
        };
        let makers = https().flat_map(Directive::children).filter(|directive| of_address(directive));
        let names: Vec<&str> = makers.filter_map(|maker| maker.args.last()).map(|arg| arg.text.as_str()).collect();
        let conditions = self.blocks_for(path).into_iter().flat_map(|block| block.children_named("if"));
        let mut guards = conditions.filter(|condition| condition.children_named("return").next().is_some());
        guards.any(|guard| guard.args.iter().any(|arg| names.iter().any(|name| arg.text.contains(name))))
    }

    /// The public paths at which the route's server hands out what Prometheus has at `served`, a path of its own: by all
    /// the locations whose `proxy_pass` names the route's upstream.
    pub(crate) fn doors_to(&self, served: &str) -> Vec<String> {
        self.doors_in(self.route.server, served)
    }

    /// As [`Facts::doors_to`], of any server by its index among the deployment's.
    pub(crate) fn doors_in(&self, server: usize, served: &str) -> Vec<String> {
        let passes = pass::in_servers(&self.deployment.nginx);
        let own = passes.iter().find(|(_, pass)| pass.directive.location == self.route.proxy_pass);
        let Some(own) = own.and_then(|(_, pass)| Target::parse(pass.directive, &pass.text)) else {
            return Vec::new();
        };
        let of_server = passes.iter().filter(|(index, pass)| *index == server && pass.directive.is("proxy_pass"));
        let mut doors: Vec<String> = Vec::new();
        for (_, pass) in of_server.take(MOST) {
            let target = Target::parse(pass.directive, &pass.text).filter(|target| target.authority == own.authority);
            let door =
                target.zip(pass.location).and_then(|(target, location)| door(location, target.uri.as_deref(), served));
            doors.extend(door.filter(|door| !doors.contains(door)));
        }
        doors
    }
}

/// The public path of a location that becomes `served`.
fn door(location: &Directive, uri: Option<&str>, served: &str) -> Option<String> {
    let path = served.split('?').next().unwrap_or_default();
    match pattern(location) {
        Pattern::Exact(public) => (uri.unwrap_or(&public) == path).then(|| served.replacen(path, &public, 1)),
        Pattern::Prefix { path: public, .. } => {
            let rest = served.strip_prefix(uri.unwrap_or(&public))?;
            Some(format!("{public}{rest}"))
        }
        Pattern::Regex { .. } | Pattern::Named => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    #[test]
    fn every_location_that_leads_there_is_a_door() {
        let conf = "http { geo $ok { default 0; } server { listen 443 ssl;
            location /p/ { proxy_pass http://prom:9090/; }
            location /other/ { if ($ok = 0) { return 403; } proxy_pass http://prom:9090/api/; }
            location = /up { proxy_pass http://prom:9090/api/x; }
            location /app/ { proxy_pass http://app:3000/; } } }";
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        let facts = deployment.facts(0);
        assert_eq!(facts.doors_to("/api/x?q=1"), ["/p/api/x?q=1", "/other/x?q=1", "/up?q=1"]);
        assert_eq!(facts.doors_to("/metrics"), ["/p/metrics"]);
        assert!(facts.is_guarded_by_variable("/other/x") && !facts.is_guarded_by_variable("/p/x"));
    }
}
