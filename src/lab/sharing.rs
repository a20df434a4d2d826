//! Whether a deployment's Prometheus may be one that others use too: only where nobody can change it, and where nobody
//! can tell whose it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::deployment::{Deployment, Directive, Prometheus, ScrapeTarget, TargetKind};
use crate::runtime::Shareable;
use crate::world::{PodContent, Started, World};

/// The flags that neither let clients change anything nor limit what all of them get together. With any other flag a
/// Prometheus is one deployment's own.
const HARMLESS: [&str; 15] = [
    "config.file",
    "log.format",
    "log.level",
    "storage.tsdb.no-lockfile",
    "storage.tsdb.path",
    "storage.tsdb.retention",
    "storage.tsdb.retention.size",
    "storage.tsdb.retention.time",
    "web.console.libraries",
    "web.console.templates",
    "web.cors.origin",
    "web.external-url",
    LISTEN,
    "web.page-title",
    "web.route-prefix",
];
const LISTEN: &str = "web.listen-address";

/// What a prometheus.yml says when its Prometheus talks to others, reads files of its deployment, or writes down who asks.
const TELLING: [&str; 8] = ["_file", "_sd_config", "alert", "otlp", "password", "proxy_", "remote_", "tracing"];

/// As many routes as lead to one: each may hold a stream of notifications, and Prometheus has sixteen places for those.
const MOST_ROUTES: usize = 2;

/// Each Prometheus of a deployment, if it may be shared.
pub(super) fn shareable(deployment: &Deployment, world: &World) -> Vec<Option<Shareable>> {
    if deployment.nginx.directives.iter().any(keeps_connections) {
        return Vec::new();
    }
    let each = world.prometheus.iter().zip(&deployment.prometheus).enumerate();
    each.map(|(number, (started, prometheus))| {
        let routes = deployment.routes.iter().filter(|route| route.prometheus == number).count();
        let plan = plan(started, world).filter(|plan| is_like_others(prometheus, plan.at));
        plan.filter(|_| routes <= MOST_ROUTES)
    })
    .collect()
}

/// Whether the check `upstream-keepalive` counts how many connections Prometheus took.
fn keeps_connections(directive: &Directive) -> bool {
    directive.is("keepalive") || directive.children().iter().any(keeps_connections)
}

/// Whether it has no secrets of its own, and talks to nobody but itself.
fn is_like_others(prometheus: &Prometheus, at: SocketAddr) -> bool {
    let is_itself = |target: &ScrapeTarget| {
        let address = &target.address;
        target.kind == TargetKind::Scrape
            && address.port == at.port()
            && ["localhost", "127.0.0.1"].contains(&address.host.as_str())
    };
    let alone = prometheus.targets.iter().all(is_itself) && prometheus.unanswered.is_empty();
    let alone = alone && prometheus.files.is_empty();
    alone && prometheus.web.is_none() && !TELLING.iter().any(|word| prometheus.config.contains(word))
}

fn plan(started: &Started, world: &World) -> Option<Shareable> {
    let flags = flags(&started.arguments)?;
    if !flags.iter().all(|(name, _)| HARMLESS.contains(name)) {
        return None;
    }
    let mut listens = flags.iter().filter(|(name, _)| *name == LISTEN).map(|(_, value)| *value);
    let at = listens.next().and_then(address)?;
    let texts: Vec<String> = started.files.iter().map(|file| text(&file.content)).collect();
    let is_named = |name: &str| texts.iter().any(|text| text.contains(name));
    let hosts = world.hosts.iter().filter(|(name, _)| is_named(name)).cloned().collect();
    listens.next().is_none().then_some(Shareable { at, hosts })
}

/// The flags of a command line, with their values; none if it has anything else.
fn flags(arguments: &[String]) -> Option<Vec<(&str, &str)>> {
    let mut flags: Vec<(&str, &str)> = Vec::new();
    for argument in arguments {
        match (argument.strip_prefix("--"), flags.last_mut()) {
            (Some(flag), _) => flags.push(flag.split_once('=').unwrap_or((flag, ""))),
            (None, Some((_, value))) if value.is_empty() => *value = argument,
            (None, _) => return None,
        }
    }
    Some(flags)
}

/// An address to listen at, if the harness can reach it as it reaches a Pod.
fn address(listen: &str) -> Option<SocketAddr> {
    let (host, port) = listen.rsplit_once(':')?;
    let host: IpAddr = match host {
        "" => Ipv6Addr::UNSPECIFIED.into(),
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        host => host.trim_matches(['[', ']']).parse().ok()?,
    };
    (host.is_ipv4() || host.is_unspecified()).then_some(SocketAddr::new(host, port.parse().ok()?))
}

fn text(content: &PodContent) -> String {
    match content {
        PodContent::File(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(arguments: &[&str]) -> Started {
        Started { arguments: arguments.iter().map(|word| (*word).to_owned()).collect(), ..Started::default() }
    }

    fn place(arguments: &[&str]) -> Option<String> {
        let deployment = Deployment::load("fixtures/guide/nginx.conf").expect("the guide");
        let world = World::around(&deployment).expect("a world");
        plan(&started(arguments), &world).map(|shareable| shareable.at.to_string())
    }

    #[test]
    fn what_clients_can_change_and_what_limits_all_is_not_shared() {
        for own in ["web.enable-lifecycle", "web.enable-admin-api", "query.timeout=1s", "enable-feature=agent"] {
            assert_eq!(place(&["--web.listen-address=:9090", &format!("--{own}")]), None, "{own}");
        }
        assert_eq!(place(&["--web.listen-address=:9090", "--web.listen-address=:9091"]), None);
        assert_eq!(place(&["--web.listen-address=[::1]:9090"]), None);
        assert_eq!(place(&["stray"]), None);
    }

    #[test]
    fn it_listens_where_it_would_itself() {
        assert_eq!(place(&["--web.listen-address=:9090"]).as_deref(), Some("[::]:9090"));
        assert_eq!(place(&["--web.listen-address", "10.0.0.5:9090"]).as_deref(), Some("10.0.0.5:9090"));
        assert_eq!(place(&["--web.listen-address=localhost:1"]).as_deref(), Some("127.0.0.1:1"));
    }

    #[test]
    fn the_guides_is_shared_and_one_whose_connections_are_counted_is_not() {
        let shared = |path: &str| {
            let deployment = Deployment::load(path).expect("a deployment");
            let world = World::around(&deployment).expect("a world");
            shareable(&deployment, &world).iter().flatten().count()
        };
        assert_eq!(shared("fixtures/guide/nginx.conf"), 1);
        assert_eq!(shared("fixtures/checks/upstream-keepalive/fail"), 0);
    }
}
