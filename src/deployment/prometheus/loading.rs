//! How one Prometheus server is started: from what is given, what the deployment brings, and what fits its route.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::route::Route;
use super::super::tree::Tree;
use super::super::tree::path_in;
use super::super::{DeploymentError, Options, read};
use super::config::Reading;
use super::flag::PrometheusFlag;
use super::shelf::{Found, Mount, Shelf, Source, dir_of};
use super::start::{Start, Starts};
use super::yaml::Origin;
use super::{LISTEN, Prometheus, WebConfig, derived, flag, route_prefix, web};
use crate::location::Location;

/// Where the official image has its configuration.
const CONFIG: &str = "/etc/prometheus/prometheus.yml";

/// What a server is loaded from.
pub(super) struct Loading<'a> {
    pub(super) given: &'a Options,
    pub(super) tree: &'a Tree,
    pub(super) route: &'a Route,
    /// Whether it is the one that options without a name mean.
    pub(super) is_first: bool,
    /// The file of `--prometheus-from`.
    pub(super) starts: Option<&'a Starts>,
    /// What of it starts this server.
    pub(super) start: Option<&'a Start>,
}

/// The `prometheus.yml` that was found, and the files that go with it.
struct Config {
    found: Found,
    mounts: Vec<Mount>,
}

impl Loading<'_> {
    pub(super) fn load(&self) -> Result<Prometheus, DeploymentError> {
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
            flags_given: self.flags_given(),
            config_location: origin.as_ref().map(|origin| origin.file.to_string()),
            config_missing: self.missing(&config_path).filter(|_| config.is_none()),
            origin: origin.unwrap_or_else(|| Origin::file("")),
            sources: self.sources(config.as_ref()),
            files: reading.files,
            targets: reading.targets,
            unanswered: reading.unanswered,
            contained: self.start.is_some_and(|start| !start.is_of_this_host),
            ports: self.start.map(|start| start.ports.clone()).unwrap_or_default(),
            config: text,
            config_path,
            web,
            flags,
        };
        self.drop_itself(&mut prometheus);
        Ok(prometheus)
    }

    fn flags_given(&self) -> bool {
        self.start.is_some() || !self.given.prometheus_args.is_empty()
    }

    fn flags(&self) -> Vec<PrometheusFlag> {
        let args = self.given.prometheus_args.iter().cloned().map(PrometheusFlag::derived);
        let args = flag::joined(args);
        match self.start {
            Some(start) => flag::overridden(start.flags.clone(), args),
            None if args.is_empty() => derived::flags(self.route),
            None => args,
        }
    }

    /// What the file of `--prometheus-from` mounts. A unit mounts nothing: what lies beside it is in Prometheus's directory.
    fn mounts(&self) -> Vec<Mount> {
        match (self.start, self.starts) {
            (Some(start), Some(starts)) if start.is_of_this_host => {
                let dir = starts.path.parent().unwrap_or(Path::new("")).to_owned();
                let source = Source::Disk { path: dir.clone(), within: dir };
                vec![Mount { at: dir_of(CONFIG).to_owned(), source }]
            }
            (Some(start), _) => start.mounts.clone(),
            (None, _) => Vec::new(),
        }
    }

    /// The `prometheus.yml` that the deployment brings: the one that is given, the one that is mounted, the one at its
    /// path in the tree, the one beside the file of `--prometheus-from`, the one beside the nginx.conf.
    fn config(&self, at: &str) -> Result<Option<Config>, DeploymentError> {
        if let Some(path) = &self.given.prometheus_config {
            return self.beside(at, path).map(Some);
        }
        let here = self.start.map_or_else(|| self.route.proxy_pass.clone(), |start| start.location.clone());
        if let Some(found) = Shelf::of(&self.mounts(), self.tree).find(at, &here)? {
            return Ok(Some(Config { found, mounts: self.mounts() }));
        }
        if self.missing(at).is_some() || !self.is_first {
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

    /// The web configuration that the command line names, or the one that is needed where nginx speaks TLS. A command line
    /// that the deployment gives is what it runs: if that speaks no TLS, nginx asks it in vain.
    fn web(&self, flags: &[PrometheusFlag], reading: &mut Reading<'_>) -> Result<Option<WebConfig>, DeploymentError> {
        let tls = self.route.scheme == "https";
        let given = flags.iter().find(|flag| flag.name() == web::FLAG);
        match given.and_then(|flag| Some((flag.value()?, flag.location.as_ref()))) {
            Some((named, location)) => WebConfig::read(named, location, tls, reading).map(Some),
            None => Ok((tls && !self.flags_given()).then(WebConfig::made)),
        }
    }

    fn made(&self, flags: &[PrometheusFlag], web: Option<&WebConfig>) -> String {
        let route = self.route;
        let listens = flag::value(flags, LISTEN).and_then(|address| address.rsplit_once(':')?.1.parse().ok());
        let published = self.start.is_some_and(|start| {
            start.ports.iter().any(|port| port.port == route.upstream.port() && listens == Some(port.container_port))
        });
        let port = listens.filter(|_| !published).unwrap_or(route.upstream.port());
        // Where it listens at one address alone, localhost is another.
        let host = flag::value(flags, LISTEN).and_then(|address| Some(address.rsplit_once(':')?.0));
        let is_one =
            |host: &&str| host.parse::<std::net::IpAddr>().is_ok_and(|ip| !ip.is_unspecified() && !ip.is_loopback());
        let at = host.filter(is_one).unwrap_or("localhost");
        derived::config(route, at, port, &route_prefix(flags), web.is_some_and(|web| web.tls))
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
        let upstream = &self.route.upstream;
        let own_port = prometheus.listen_port().unwrap_or(upstream.port());
        let names = self.start.map_or(&[][..], |start| &start.names);
        prometheus.targets.retain(|target| {
            let host = target.address.host.as_str();
            let is_own_host = matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0")
                || host.eq_ignore_ascii_case(upstream.name())
                || names.iter().any(|name| name.eq_ignore_ascii_case(host));
            !(is_own_host && (target.address.port == own_port || target.address.port == upstream.port()))
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
