//! How the deployment starts Prometheus, from the file of `--prometheus-from`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::route::Route;
use super::super::{DeploymentError, read};
use super::flag::{self, PrometheusFlag};
use super::shelf::Mount;
use super::words::Variables;
use super::{LISTEN, PROMETHEUS_PORT, compose, kubernetes, systemd, variables_file, yaml};
use crate::location::Location;

/// More of one file are not looked at.
pub(super) const MAX_STARTS: usize = 50;

/// One Prometheus that a file starts.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// What starts it, for messages: `the service prom`.
    pub(super) what: String,
    /// The host names by which others reach it.
    pub(super) names: Vec<String>,
    pub(super) flags: Vec<PrometheusFlag>,
    /// The files that it gets.
    pub(super) mounts: Vec<Mount>,
    pub(super) ports: Vec<PublishedPort>,
    pub(super) location: Location,
    /// Whether it runs in no container.
    pub(super) is_of_this_host: bool,
}

/// A port of Prometheus's container that is open elsewhere under a number of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    /// The port that others use; zero for one that is chosen when it starts.
    pub port: u16,
    /// The port that Prometheus listens on.
    pub container_port: u16,
    /// The address of the host that it is bound to; none for all of them.
    pub address: Option<String>,
    /// Whether the host itself has it open, and not a network of the containers alone.
    pub on_host: bool,
    /// Whether machines beyond the host or the cluster can come to it.
    pub public: bool,
    /// What opens it.
    pub by: PublishedBy,
    /// Where that is said.
    pub location: Location,
}

/// What opens a port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedBy {
    /// `ports` of docker-compose.
    Compose,
    /// The container has the host's network for its own.
    HostNetwork,
    /// `hostPort` of a Kubernetes container.
    HostPort,
    /// A Kubernetes Service.
    Service,
}

impl PublishedPort {
    /// Of a container that has the host's network for its own: the port is that of the command line.
    pub(super) fn of_host_network(flags: &[PrometheusFlag], location: Location) -> Self {
        let listen = flag::value(flags, LISTEN).and_then(|listen| listen.rsplit_once(':'));
        let address = listen.map(|(address, _)| address.to_owned()).filter(|address| !address.is_empty());
        let port = listen.and_then(|(_, port)| port.parse().ok()).unwrap_or(PROMETHEUS_PORT);
        let public = is_public(address.as_deref());
        Self { port, container_port: port, address, on_host: true, public, by: PublishedBy::HostNetwork, location }
    }
}

/// A file that says how Prometheus is started, as it is read.
pub(super) struct Input<'a> {
    pub(super) path: &'a Path,
    /// As the user named it.
    pub(super) file: Arc<str>,
    pub(super) text: &'a str,
    /// What `--env` gives.
    pub(super) env: &'a Variables,
}

impl Input<'_> {
    /// A file that lies beside it.
    pub(super) fn beside(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir().join(name)
    }

    pub(super) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn origin(&self) -> yaml::Origin {
        yaml::Origin::file(Arc::clone(&self.file))
    }

    pub(super) fn wrong(&self, problem: impl Into<String>, fix: impl Into<String>) -> DeploymentError {
        DeploymentError::PrometheusFrom { path: self.path.to_owned(), problem: problem.into(), fix: fix.into() }
    }
}

/// Every Prometheus that a file starts, and its text.
#[derive(Debug)]
pub(super) struct Starts {
    pub(super) path: PathBuf,
    pub(super) text: Arc<str>,
    starts: Vec<Start>,
}

impl Starts {
    pub(super) fn read(path: &Path, env: &Variables) -> Result<Self, DeploymentError> {
        let text = read::text(path)?;
        let input = Input { path, file: path.display().to_string().into(), text: &text, env };
        let starts = match kind(&input)? {
            Kind::Unit => vec![systemd::start(&input)?],
            Kind::Variables => vec![variables_file::start(&input)?],
            Kind::Compose(root) => compose::starts(&input, &root)?,
            Kind::Kubernetes(documents) => kubernetes::starts(&input, &documents)?,
        };
        Ok(Self { path: path.to_owned(), text: text.into(), starts })
    }

    /// The one that the route's upstream names, else the only one.
    pub(super) fn of(&self, route: &Route) -> Result<&Start, DeploymentError> {
        if let Some(start) = self.named(route) {
            return Ok(start);
        }
        match self.starts.as_slice() {
            [start] => Ok(start),
            starts => Err(self.not_one(starts, route)),
        }
    }

    /// The one that the route's upstream names.
    pub(super) fn named(&self, route: &Route) -> Option<&Start> {
        let mut named = self.starts.iter().filter(|start| start.is_called(route.upstream.name()));
        let published = || {
            let mut open = self.starts.iter().filter(|start| start.is_open_at(route.upstream.port()));
            open.next().filter(|_| open.next().is_none())
        };
        named.next().or_else(|| published().filter(|_| is_this_host(route.upstream.name())))
    }

    fn not_one(&self, starts: &[Start], route: &Route) -> DeploymentError {
        let listed: Vec<_> = starts.iter().map(|start| format!("{} ({})", start.what, start.location)).collect();
        DeploymentError::PrometheusFrom {
            path: self.path.clone(),
            problem: format!(
                "it starts several: {}. None of them is called `{}` as the upstream of the route is ({})",
                listed.join(", "),
                route.upstream.name(),
                route.proxy_pass
            ),
            fix: "Pass a file with the one that is behind nginx, or name its upstream: `--upstream HOST:PORT`"
                .to_owned(),
        }
    }
}

impl Start {
    fn is_called(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.names.iter().map(|name| name.to_ascii_lowercase()).any(|name| {
            let rest = host.strip_prefix(&name);
            rest.is_some_and(|rest| rest.is_empty() || is_in_a_cluster(rest))
        })
    }

    fn is_open_at(&self, port: u16) -> bool {
        self.ports.iter().any(|published| published.on_host && published.port == port)
    }
}

/// `.monitoring`, `.monitoring.svc`, `.monitoring.svc.cluster.local`: what a cluster lets follow the name of a Service.
fn is_in_a_cluster(rest: &str) -> bool {
    let mut labels = rest.split('.');
    let dotted = labels.next() == Some("") && labels.next().is_some_and(|namespace| !namespace.is_empty());
    dotted && labels.next().is_none_or(|svc| svc == "svc")
}

/// Whether an address that a port is bound to is one that other machines can come to; no address means all of them.
pub(super) fn is_public(address: Option<&str>) -> bool {
    let host = address.unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host != "localhost" && !host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn is_this_host(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "host.docker.internal" | "172.17.0.1")
}

enum Kind {
    Unit,
    Variables,
    Compose(std::rc::Rc<yaml::Node>),
    Kubernetes(Vec<std::rc::Rc<yaml::Node>>),
}

fn kind(input: &Input<'_>) -> Result<Kind, DeploymentError> {
    if systemd::is_unit(input.text) {
        return Ok(Kind::Unit);
    }
    if variables_file::is_one(input.text) {
        return Ok(Kind::Variables);
    }
    let is_yaml =
        input.path.extension().is_some_and(|extension| ["yml", "yaml", "json"].iter().any(|known| extension == *known));
    let documents = match yaml::documents(&input.origin(), input.text) {
        Err(error) if is_yaml => return Err(error),
        read => read.unwrap_or_default(),
    };
    if documents.iter().any(|document| kubernetes::is_manifest(document)) {
        return Ok(Kind::Kubernetes(documents));
    }
    match documents.into_iter().find(|document| compose::is_compose(document)) {
        Some(root) => Ok(Kind::Compose(root)),
        None => Err(unknown(input)),
    }
}

fn unknown(input: &Input<'_>) -> DeploymentError {
    input.wrong(
        "it is of no kind that says how Prometheus is started",
        "Pass a systemd unit (or its environment file, such as /etc/default/prometheus), a docker-compose.yml or a \
         Kubernetes manifest; a prometheus.yml goes with --prometheus-config",
    )
}

/// Whether a name or an image's reference means Prometheus itself, and not what goes around with it.
pub(super) fn says_prometheus(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.split([':', '@']).next().unwrap_or_default().to_ascii_lowercase();
    let others = [
        "exporter",
        "adapter",
        "operator",
        "alertmanager",
        "alert-manager",
        "pushgateway",
        "reload",
        "proxy",
        "nginx",
        "am-",
    ];
    name.contains("prometheus") && !others.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_with_prometheus_is_not_it() {
        for name in ["prom/prometheus:v3.5.0", "quay.io/prometheus/prometheus@sha256:x", "my-prometheus", "Prometheus"]
        {
            assert!(says_prometheus(name), "{name}");
        }
        for name in ["prom/node-exporter", "quay.io/prometheus/alertmanager", "nginx-prometheus-exporter:1", "prom-x"] {
            assert!(!says_prometheus(name), "{name}");
        }
    }

    #[test]
    fn names_of_services_go_on_as_a_cluster_says() {
        for (rest, is_one) in [(".mon", true), (".mon.svc.cluster.local", true), (".example.com", false), ("x", false)]
        {
            assert_eq!(is_in_a_cluster(rest), is_one, "{rest}");
        }
    }
}
