//! The routes of a deployment: which of the `proxy_pass` lines that lead to Prometheus are a target of their own.

use super::access::Access;
use super::candidate::{self, Candidate, Why, same};
use super::directive::Directive;
use super::front::Fronts;
use super::public_name::public_name;
use super::route::{Found, Route, no_route};
use super::server::Server;
use super::upstream::{Address, Upstream};
use super::{DeploymentError, Nginx, Options};

/// More Prometheus servers than can run side by side in one Pod.
const MOST_PROMETHEUS: usize = 8;
/// More targets than anybody looks at in one report.
const MOST_ROUTES: usize = 32;

/// Every route that is a target of its own, the surest first.
///
/// A way to an endpoint or through a regex belongs to the route beside it, as does the plain twin of an encrypted server.
/// With `--server-name` or `--prefix` one route is meant.
pub(super) fn find(
    nginx: &Nginx,
    servers: &[(&Directive, Server)],
    upstreams: &[Upstream],
    options: &Options,
) -> Result<Vec<Route>, DeploymentError> {
    let candidates = surest(candidate::all(nginx, servers, options));
    if candidates.is_empty() {
        return Err(no_route(nginx, upstreams, options));
    }
    let chosen = match options.server_name.is_some() || options.prefix.is_some() {
        true => candidates.iter().take(1).collect(),
        false => targets(&candidates, servers),
    };
    let fronts = Fronts::of(nginx);
    let mut prometheus: Vec<Vec<Address>> = Vec::new();
    let mut routes = Vec::new();
    for candidate in chosen {
        let index = server_of(candidate, &mut prometheus);
        let server = &servers[candidate.server];
        let found = Found {
            candidate,
            server: &server.1,
            access: Access::of(&blocks_around(nginx, server.0, candidate)),
            front: fronts.before(&server.1),
            prometheus: index,
        };
        routes.push(Route::through(found, options)?);
    }
    match (prometheus.len() > MOST_PROMETHEUS, routes.len() > MOST_ROUTES) {
        (false, false) => Ok(routes),
        _ => Err(DeploymentError::TooManyTargets {
            path: nginx.name().into(),
            servers: prometheus.iter().filter_map(|addresses| addresses.first()).map(ToString::to_string).collect(),
            routes: routes.len(),
        }),
    }
}

/// What a path alone tells counts only where nothing surer is known: `/actuator/prometheus` is an application's.
fn surest(mut candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let by_path = |candidate: &Candidate<'_>| matches!(candidate.why, Why::Path(_));
    if !candidates.iter().all(by_path) {
        candidates.retain(|candidate| !by_path(candidate));
    }
    candidates
}

/// The candidates that are a target of their own.
fn targets<'a>(candidates: &'a [Candidate<'a>], servers: &[(&Directive, Server)]) -> Vec<&'a Candidate<'a>> {
    let mut chosen: Vec<&Candidate<'_>> = Vec::new();
    let (whole, parts): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| candidate.is_whole());
    let server = |candidate: &Candidate<'_>| &servers[candidate.server].1;
    for candidate in whole {
        let covered = chosen.iter().any(|known| {
            let is_twin = is_plain_twin(server(candidate), server(known));
            let is_same = known.mapping.prefix == candidate.mapping.prefix;
            is_same && (known.server == candidate.server || is_twin) || is_twin && passes_the_same(candidate, known)
        });
        if !covered && chosen.len() <= MOST_ROUTES {
            chosen.push(candidate);
        }
    }
    for candidate in parts {
        let covered = chosen.iter().any(|known| {
            known.shares_upstream(candidate)
                && (known.server == candidate.server || is_plain_twin(server(candidate), server(known)))
        });
        if !covered && chosen.len() <= MOST_ROUTES {
            chosen.push(candidate);
        }
    }
    chosen
}

/// Whether the location of one candidate, further out, passes the paths of another on as that does.
fn passes_the_same(outer: &Candidate<'_>, inner: &Candidate<'_>) -> bool {
    let rest = inner.mapping.prefix.strip_prefix(outer.mapping.prefix.as_str());
    let passed = rest.map(|rest| format!("{}{rest}/", outer.mapping.upstream_path.trim_end_matches('/')));
    inner.shares_upstream(outer) && passed.is_some_and(|passed| passed == inner.mapping.upstream_path)
}

/// Whether one server is the same site as another, without its encryption.
fn is_plain_twin(server: &Server, known: &Server) -> bool {
    !server.tls() && known.tls() && public_name(server) == public_name(known)
}

/// The Prometheus server that a candidate leads to, by its index among those found so far.
fn server_of(candidate: &Candidate<'_>, prometheus: &mut Vec<Vec<Address>>) -> usize {
    let own = || std::iter::once(&candidate.upstream).chain(&candidate.peers);
    let known = prometheus.iter().position(|addresses| addresses.iter().any(|known| own().any(|own| same(own, known))));
    let index = known.unwrap_or(prometheus.len());
    if known.is_none() {
        prometheus.push(Vec::new());
    }
    prometheus[index].extend(own().cloned());
    index
}

/// The blocks around a `proxy_pass`, from `http` inward.
fn blocks_around<'a>(nginx: &'a Nginx, server: &'a Directive, candidate: &Candidate<'a>) -> Vec<&'a Directive> {
    let mut blocks = Vec::new();
    let http = nginx.directives.iter().filter(|directive| directive.is("http"));
    blocks.extend(http.into_iter().find(|http| http.children().iter().any(|child| std::ptr::eq(child, server))));
    blocks.push(server);
    way_down(server, candidate.proxy_pass, &mut blocks);
    blocks
}

fn way_down<'a>(block: &'a Directive, wanted: &Directive, blocks: &mut Vec<&'a Directive>) -> bool {
    block.children().iter().any(|child| {
        if std::ptr::eq(child, wanted) {
            return true;
        }
        blocks.push(child);
        let found = child.block.is_some() && way_down(child, wanted, blocks);
        if !found {
            blocks.pop();
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;
    use crate::deployment::{Deployment, Options};

    fn load(http: &str) -> Deployment {
        let conf = format!("http {{ {http} }}");
        Files::of(&[("nginx.conf", &conf)]).load_with(&Options::default()).unwrap()
    }

    fn routes(http: &str) -> Vec<(String, String, usize)> {
        let deployment = load(http);
        let routes = deployment.routes.iter();
        routes.map(|route| (route.public_url(), route.upstream.to_string(), route.prometheus)).collect()
    }

    fn expected(routes: &[(&str, &str, usize)]) -> Vec<(String, String, usize)> {
        routes.iter().map(|(url, upstream, index)| ((*url).to_owned(), (*upstream).to_owned(), *index)).collect()
    }

    #[test]
    fn several_servers_and_prefixes_are_targets_of_their_own() {
        let found = routes(
            "server { listen 443 ssl; server_name a.b; location /prometheus/ { proxy_pass http://localhost:9090/; }
               location /prometheus-lt/ { proxy_pass http://127.0.0.1:9091/; location /prometheus-lt/x { } } }
             upstream prometheus-lt { server localhost:9091; }
             server { listen 443 ssl; server_name prom.b; location / { proxy_pass http://127.0.0.1:9090; } }
             server { listen 8443 ssl; server_name lt.b; location / { proxy_pass http://prometheus-lt; } }",
        );
        let wanted = [
            ("https://lt.b:8443/", "localhost:9091", 0),
            ("https://a.b/prometheus/", "localhost:9090", 1),
            ("https://prom.b/", "127.0.0.1:9090", 1),
        ];
        assert_eq!(found, expected(&wanted));
    }

    #[test]
    fn endpoints_and_plain_twins_belong_to_the_route_beside_them() {
        let found = routes(
            "server { listen 80; server_name a.b; location / { proxy_pass http://prometheus:9090; } }
             server { listen 443 ssl; server_name a.b; location / { proxy_pass http://prometheus:9090; }
               location /api/v1/write { proxy_pass http://prometheus:9090; }
               location ~ (/prometheus)?/api { proxy_pass http://prometheus:9090; }
               location = /health { proxy_pass http://prometheus:9090/-/healthy; } }",
        );
        assert_eq!(found, expected(&[("https://a.b/", "prometheus:9090", 0)]));
    }

    #[test]
    fn an_endpoint_alone_is_a_target() {
        let found = routes("server { location /push { proxy_pass http://prometheus:9090/api/v1/write; } }");
        assert_eq!(found, expected(&[("http://localhost/push/", "prometheus:9090", 0)]));
    }

    #[test]
    fn a_path_counts_only_where_nothing_is_surer() {
        let found = routes(
            "server { location /actuator/prometheus { proxy_pass http://app:8080; } location /p/ { proxy_pass http://prom; } }",
        );
        assert_eq!(found, expected(&[("http://localhost/p/", "prom:80", 0)]));
    }

    #[test]
    fn what_is_asked_of_a_client_is_that_of_the_innermost_location() {
        let deployment = load(
            "server { auth_basic a; location / { auth_basic off;
               location /p/ { if ($x) { set $y z; } allow 10.0.0.0/8; deny all; proxy_pass http://prom; } } }",
        );
        let access = &deployment.routes[0].access;
        assert_eq!((access.basic.is_none(), access.rules.len()), (true, 2));
    }

    #[test]
    fn more_servers_than_can_run_are_refused_with_the_cure() {
        let locations = (0..9).map(|n| format!("location /p{n}/ {{ proxy_pass http://prom{n}:9090/; }}"));
        let conf = format!("http {{ server {{ {} }} }}", locations.collect::<String>());
        let message = Files::of(&[("nginx.conf", &conf)]).load().unwrap_err().to_string();
        assert!(message.contains("prom0:9090") && message.contains("--upstream HOST:PORT"), "{message}");
    }
}
