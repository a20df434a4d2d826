//! How Prometheus is started: as the deployment says, else so that it fits the route.

mod compose;
mod config;
mod derived;
mod flag;
mod interpolate;
mod kubernetes;
mod loading;
mod operator;
mod shelf;
mod start;
mod systemd;
mod target;
#[cfg(test)]
mod tests;
mod variables_file;
mod web;
mod words;
mod yaml;

use std::sync::Arc;

pub use config::{PrometheusFile, PrometheusFileKind};
pub(crate) use derived::MADE_CA;
pub use flag::PrometheusFlag;
pub use start::{PublishedBy, PublishedPort};
pub use target::{ScrapeTarget, TargetKind, TargetTrust, Unanswered};
pub(crate) use web::FLAG as WEB_CONFIG;
pub use web::WebConfig;

use super::route::Route;
use super::tree::Tree;
use super::upstream::PROMETHEUS_PORT;
use super::{DeploymentError, Options};
use crate::location::Location;
use loading::Loading;
use start::Starts;
use words::Variables;
use yaml::Origin;

/// The command line and configuration of Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// The flags that the deployment starts it with, or those derived from the route.
    pub flags: Vec<PrometheusFlag>,
    /// Whether the flags were given.
    pub flags_given: bool,
    /// The text of its `prometheus.yml`.
    pub config: String,
    /// The file that the text is from, the way the user named it; none if the text was made.
    pub config_location: Option<String>,
    /// The path of its `prometheus.yml` in the Pod.
    pub config_path: String,
    /// The `prometheus.yml` that the deployment names and does not bring, as a path, with its place.
    pub config_missing: Option<(String, Location)>,
    /// The file of `--web.config.file`, given or needed.
    pub web: Option<WebConfig>,
    /// The files that its configuration names, each once.
    pub files: Vec<PrometheusFile>,
    /// Every address that it connects to, but for its own.
    pub targets: Vec<ScrapeTarget>,
    /// Ways to find targets that have no answer in the Pod.
    pub unanswered: Vec<Unanswered>,
    /// The ports under which its container is open elsewhere.
    pub ports: Vec<PublishedPort>,
    /// Whether it runs in a network of its own, and not in the machine's.
    pub contained: bool,
    /// The texts that its facts point into, by the names of their files.
    pub sources: Vec<(Arc<str>, Arc<str>)>,
    origin: Origin,
}

pub(super) const EXTERNAL_URL: &str = "web.external-url";
pub(super) const ROUTE_PREFIX: &str = "web.route-prefix";
const LISTEN: &str = "web.listen-address";

impl Prometheus {
    /// One for each server that the routes lead to. What the options give is the first server's; of the others counts only
    /// what the file of `--prometheus-from` says by their names.
    pub(super) fn load_all(options: &Options, tree: &Tree, routes: &[Route]) -> Result<Vec<Self>, DeploymentError> {
        let env = Variables::of(options.env.iter().cloned());
        let starts = options.prometheus_from.as_deref().map(|path| Starts::read(path, &env)).transpose()?;
        let servers = routes.iter().map(|route| route.prometheus + 1).max().unwrap_or(0);
        let first_of = |server| routes.iter().find(|route| route.prometheus == server);
        let others = Options::default();
        let each = (0..servers).filter_map(|server| Some((server == 0, first_of(server)?)));
        each.map(|(is_first, route)| {
            let start = match &starts {
                Some(starts) if is_first => Some(starts.of(route)?),
                Some(starts) => starts.named(route),
                None => None,
            };
            let given = if is_first { options } else { &others };
            Loading { given, tree, route, is_first, starts: starts.as_ref(), start }.load()
        })
        .collect()
    }

    /// Its whole command line, as a person would type it.
    pub fn command_line(&self) -> String {
        let flags = self.flags.iter().map(|flag| flag.text.as_str());
        std::iter::once("prometheus").chain(flags).collect::<Vec<_>>().join(" ")
    }

    /// The value of a flag, named without its dashes.
    pub fn flag(&self, name: &str) -> Option<&str> {
        flag::value(&self.flags, name)
    }

    /// Where the deployment says a flag, named without its dashes.
    pub fn flag_place(&self, name: &str) -> Option<&Location> {
        self.flags.iter().find(|flag| flag.name() == name)?.location.as_ref()
    }

    /// Whether a flag without a value is on, such as `web.enable-lifecycle`. `--no-FLAG` turns it off.
    pub fn has_flag(&self, name: &str) -> bool {
        let (on, off) = (format!("--{name}"), format!("--no-{name}"));
        self.flags.iter().rfind(|flag| flag.text == on || flag.text == off).is_some_and(|flag| flag.text == on)
    }

    /// The URL that it is told to be reached at.
    pub fn external_url(&self) -> Option<&str> {
        self.flag(EXTERNAL_URL)
    }

    /// The path below which it serves all of its own: `/prometheus`, or empty for the root.
    ///
    /// As Prometheus does it: `--web.route-prefix`, else the path of `--web.external-url`.
    pub fn route_prefix(&self) -> String {
        route_prefix(&self.flags)
    }

    /// Whether it speaks TLS itself.
    pub fn speaks_tls(&self) -> bool {
        self.web.as_ref().is_some_and(|web| web.tls)
    }

    /// Whether it asks for a name and a password itself.
    pub fn asks_for_a_password(&self) -> bool {
        self.web.as_ref().is_some_and(|web| web.users.is_some())
    }

    /// The place of a line and column of its `prometheus.yml`, both from one; none if that was made.
    pub fn config_place(&self, line: usize, column: usize) -> Option<Location> {
        self.config_location.as_ref().map(|_| self.origin.place(line, column))
    }

    /// The port that the command line lets it listen on.
    pub fn listen_port(&self) -> Option<u16> {
        self.flag(LISTEN)?.rsplit_once(':')?.1.parse().ok()
    }

    /// Whether it runs as an agent, which stores nothing.
    pub fn is_agent(&self) -> bool {
        self.has_flag("agent") || self.flags.iter().any(|flag| flag.text == "--enable-feature=agent")
    }

    /// What makes the port of the route lead to another one of Prometheus's container.
    pub fn published_as(&self, port: u16) -> Option<&PublishedPort> {
        let own = self.listen_port().unwrap_or(PROMETHEUS_PORT);
        self.ports.iter().find(|published| published.port == port && published.container_port == own)
    }
}

fn route_prefix(flags: &[PrometheusFlag]) -> String {
    let path = match flag::value(flags, ROUTE_PREFIX).filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => prefix,
        None => flag::value(flags, EXTERNAL_URL).map_or("", url_path),
    };
    super::normal_prefix(path)
}

fn url_path(url: &str) -> &str {
    let after_host = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => url,
    };
    after_host.split(['?', '#']).next().unwrap_or_default()
}
