//! How Prometheus is started: as the deployment says, else so that it fits the route.

mod compose;
mod config;
mod derived;
mod flag;
mod interpolate;
mod kubernetes;
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

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use config::{PrometheusFile, PrometheusFileKind};
pub(crate) use derived::MADE_CA;
pub use flag::PrometheusFlag;
pub use start::PublishedPort;
pub use target::{ScrapeTarget, TargetKind, TargetTrust, Unanswered};
pub use web::WebConfig;

use super::route::Route;
use super::tree::Tree;
use super::{DeploymentError, Options, read};
use crate::location::Location;
use config::Reading;
use shelf::{Found, Mount, Shelf, Source, dir_of, path_in};
use start::{Start, Starts};
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
    /// The texts that its facts point into, by the names of their files.
    pub sources: Vec<(Arc<str>, Arc<str>)>,
    origin: Origin,
}

pub(super) const EXTERNAL_URL: &str = "web.external-url";
pub(super) const ROUTE_PREFIX: &str = "web.route-prefix";
const LISTEN: &str = "web.listen-address";
/// Where the official image has its configuration.
const CONFIG: &str = "/etc/prometheus/prometheus.yml";
/// The port that Prometheus listens on if nobody says otherwise.
const PORT: u16 = 9090;

/// One Prometheus server among those behind nginx.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind<'a> {
    pub(super) route: &'a Route,
    /// Whether nginx speaks TLS to it.
    pub(super) tls: bool,
    /// Whether it is the one that options without a name mean.
    pub(super) first: bool,
}

impl Prometheus {
    /// How the server behind a route is started. What the options give is the first server's; of the others only what a
    /// file of `--prometheus-from` says of their names.
    pub(super) fn load(options: &Options, tree: &Tree, behind: Behind<'_>) -> Result<Self, DeploymentError> {
        let env = Variables::default();
        let starts = options.prometheus_from.as_deref().map(|path| Starts::read(path, &env)).transpose()?;
        let start = match &starts {
            Some(starts) if behind.first => Some(starts.of(behind.route)?),
            Some(starts) => starts.named(behind.route),
            None => None,
        };
        let given = if behind.first { options } else { &Options::default() };
        let loading = Loading { given, tree, behind, starts: starts.as_ref(), start };
        loading.load()
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

    /// The place of a line and column of its `prometheus.yml`, both from one; none if that was made.
    pub fn config_place(&self, line: usize, column: usize) -> Option<Location> {
        self.config_location.as_ref().map(|_| self.origin.place(line, column))
    }

    /// The port that the command line lets it listen on.
    pub fn listen_port(&self) -> Option<u16> {
        self.flag(LISTEN)?.rsplit_once(':')?.1.parse().ok()
    }

    /// What makes the port of the route lead to another one of Prometheus's container.
    pub fn published_as(&self, port: u16) -> Option<&PublishedPort> {
        let own = self.listen_port().unwrap_or(PORT);
        self.ports.iter().find(|published| published.port == port && published.container_port == own)
    }
}

/// What a server is loaded from.
struct Loading<'a> {
    given: &'a Options,
    tree: &'a Tree,
    behind: Behind<'a>,
    starts: Option<&'a Starts>,
    start: Option<&'a Start>,
}

/// The `prometheus.yml` that was found, and the files that go with it.
struct Config {
    found: Found,
    mounts: Vec<Mount>,
}

impl Loading<'_> {
    fn load(&self) -> Result<Prometheus, DeploymentError> {
        let flags_given = self.start.is_some() || !self.given.prometheus_args.is_empty();
        let flags = self.flags();
        let config_path = config_path(&flags);
        let config = self.config(&config_path)?;
        let mounts = config.as_ref().map_or_else(|| self.mounts(), |config| config.mounts.clone());
        let shelf = Shelf::of(&mounts, self.tree);
        let mut reading = Reading::of(&shelf);
        let web = self.web(&flags, &mut reading)?;
        let (text, origin) = match &config {
            Some(Config { found, .. }) => (text_of(found)?, Some(found.origin.clone())),
            None => (self.made(&flags, web.as_ref()), None),
        };
        if let Some(origin) = &origin {
            reading.configuration(&config_path, origin, &text)?;
        }
        let mut prometheus = Prometheus {
            flags_given,
            config_location: origin.as_ref().map(|origin| origin.file.to_string()),
            config_missing: self.missing(&config_path).filter(|_| config.is_none()),
            origin: origin.unwrap_or_else(|| Origin::file("")),
            sources: self.sources(config.as_ref()),
            files: reading.files,
            targets: reading.targets,
            unanswered: reading.unanswered,
            ports: self.start.map(|start| start.ports.clone()).unwrap_or_default(),
            config: text,
            config_path,
            web,
            flags,
        };
        self.drop_itself(&mut prometheus);
        Ok(prometheus)
    }

    fn flags(&self) -> Vec<PrometheusFlag> {
        let args = self.given.prometheus_args.iter().cloned().map(PrometheusFlag::derived);
        let args = flag::joined(args);
        match self.start {
            Some(start) => flag::overridden(start.flags.clone(), args),
            None if args.is_empty() => derived::flags(self.behind.route),
            None => args,
        }
    }

    fn mounts(&self) -> Vec<Mount> {
        self.start.map(|start| start.mounts.clone()).unwrap_or_default()
    }

    /// The `prometheus.yml` that the deployment brings: the one that is given, the one that is mounted, the one at its
    /// path in the tree, the one beside the file of `--prometheus-from`, the one beside the nginx.conf.
    fn config(&self, at: &str) -> Result<Option<Config>, DeploymentError> {
        if let Some(path) = &self.given.prometheus_config {
            return self.beside(at, path).map(Some);
        }
        let here = self.start.map_or_else(|| self.behind.route.proxy_pass.clone(), |start| start.location.clone());
        if let Some(found) = Shelf::of(&self.mounts(), self.tree).find(at, &here)? {
            return Ok(Some(Config { found, mounts: self.mounts() }));
        }
        if self.missing(at).is_some() || !self.behind.first {
            return Ok(None);
        }
        let dirs = self.starts.and_then(|starts| starts.path.parent()).into_iter().chain([self.tree.dir()]);
        let path = dirs.map(|dir| dir.join("prometheus.yml")).find(|path| path.is_file());
        path.map(|path| self.beside(at, &path)).transpose()
    }

    /// A file of this machine, with its directory.
    fn beside(&self, at: &str, path: &Path) -> Result<Config, DeploymentError> {
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        let disk =
            |at: &str, path: PathBuf| Mount { at: at.to_owned(), source: Source::Disk { path, within: dir.clone() } };
        let mut mounts = self.mounts();
        mounts.retain(|mount| mount.at != at);
        mounts.push(disk(dir_of(at), dir.clone()));
        let found = Found {
            at: at.to_owned(),
            content: read::text(path)?.into_bytes(),
            origin: Origin::file(path.display().to_string()),
        };
        Ok(Config { found, mounts })
    }

    /// The file that is mounted as `prometheus.yml` and is not there.
    fn missing(&self, at: &str) -> Option<(String, Location)> {
        let start = self.start?;
        let mount = start.mounts.iter().find(|mount| mount.at == at)?;
        let path = match &mount.source {
            Source::Disk { path, .. } => path.display().to_string(),
            Source::Absolute(named) => named.text.clone(),
            Source::Text { .. } => return None,
        };
        Some((path, start.location.clone()))
    }

    /// The web configuration that the command line names, or the one that is needed where nginx speaks TLS.
    fn web(&self, flags: &[PrometheusFlag], reading: &mut Reading<'_>) -> Result<Option<WebConfig>, DeploymentError> {
        let given = flags.iter().find(|flag| flag.name() == web::FLAG);
        match given.and_then(|flag| Some((flag.value()?, flag.location.as_ref()))) {
            Some((named, location)) => WebConfig::read(named, location, self.behind.tls, reading).map(Some),
            None => Ok(self.behind.tls.then(WebConfig::made)),
        }
    }

    fn made(&self, flags: &[PrometheusFlag], web: Option<&WebConfig>) -> String {
        let route = self.behind.route;
        let listens = flag::value(flags, LISTEN).and_then(|address| address.rsplit_once(':')?.1.parse().ok());
        let published = self.start.is_some_and(|start| {
            start.ports.iter().any(|port| port.port == route.upstream.port && listens == Some(port.container_port))
        });
        let port = listens.filter(|_| !published).unwrap_or(route.upstream.port);
        derived::config(route, port, &route_prefix(flags), web.is_some_and(|web| web.tls))
    }

    /// The texts of the files that facts point into.
    fn sources(&self, config: Option<&Config>) -> Vec<(Arc<str>, Arc<str>)> {
        let mut sources = Vec::new();
        if let Some(starts) = self.starts {
            sources.push((starts.path.display().to_string().into(), Arc::clone(&starts.text)));
        }
        if let Some(Config { found, .. }) = config
            && !sources.iter().any(|(file, _)| *file == found.origin.file)
        {
            sources.push((Arc::clone(&found.origin.file), found.text().unwrap_or_default().into()));
        }
        sources
    }

    /// Prometheus answers itself.
    fn drop_itself(&self, prometheus: &mut Prometheus) {
        let upstream = &self.behind.route.upstream;
        let own_port = prometheus.listen_port().unwrap_or(upstream.port);
        let names = self.start.map_or(&[][..], |start| &start.names);
        prometheus.targets.retain(|target| {
            let host = target.address.host.as_str();
            let is_own_host = matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0")
                || host.eq_ignore_ascii_case(&upstream.host)
                || names.iter().any(|name| name.eq_ignore_ascii_case(host));
            !(is_own_host && (target.address.port == own_port || target.address.port == upstream.port))
        });
    }
}

/// Where the command line has the configuration; the official image's place where it does not say an absolute path.
fn config_path(flags: &[PrometheusFlag]) -> String {
    let named = flag::value(flags, "config.file").map(|named| path_in("/etc/prometheus", named));
    let of_the_kernel = |path: &String| ["/proc/", "/sys/", "/dev/"].iter().any(|dir| path.starts_with(dir));
    named.filter(|path| !of_the_kernel(path) && path != "/").unwrap_or_else(|| CONFIG.to_owned())
}

fn text_of(found: &Found) -> Result<String, DeploymentError> {
    match found.text() {
        Some(text) => Ok(text.to_owned()),
        // The same words as for any other file that is no text.
        None => read::text(Path::new(&*found.origin.file)),
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
