//! What the user has: an nginx configuration and how Prometheus is started. Loaded once; what is loaded is valid.

mod blocks;
mod candidate;
mod certificate;
mod chosen_location;
mod directive;
mod error;
#[cfg(test)]
mod fuzz;
mod glob;
mod host_port;
mod includes;
mod input;
mod layer;
mod listen;
mod location_path;
mod lua;
mod made;
mod named_file;
mod nginx;
mod normalise;
mod pass;
mod places;
mod prometheus;
mod public_name;
mod read;
mod route;
mod server;
mod source_text;
mod stock;
mod syntax;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod upstream;
mod user_file;
mod word;

use std::path::{Path, PathBuf};

pub use certificate::KeyPair;
pub use directive::{Argument, ConfigFile, Directive};
pub use error::DeploymentError;
pub use host_port::{HostPort, HostPortError};
pub use listen::{Listen, UnixListen};
pub use made::{Made, MadeKind};
pub use named_file::NamedFile;
pub use nginx::Nginx;
pub use prometheus::Prometheus;
pub use route::Route;
pub use server::Server;
pub use tree::Tree;
pub use upstream::Upstream;

/// What can be said beside the path. All of it is derived from the file where it is not given.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The name in the public URL.
    pub server_name: Option<String>,
    /// The public path below which Prometheus is.
    pub prefix: Option<String>,
    /// Which upstream is Prometheus.
    pub upstream: Option<HostPort>,
    /// The flags that the deployment starts Prometheus with.
    pub prometheus_args: Vec<String>,
    /// The deployment's `prometheus.yml`.
    pub prometheus_config: Option<PathBuf>,
    /// The certificates that clients trust, for a certificate that the tree brings.
    pub cacert: Option<PathBuf>,
    /// A directory that mirrors `/`: absolute paths are looked up there first.
    pub root: Option<PathBuf>,
    /// The values of placeholders in a template, as `NAME`, `VALUE`.
    pub env: Vec<(String, String)>,
    /// Further files of the same deployment, such as the one that holds the upstreams.
    pub with: Vec<PathBuf>,
}

/// An nginx configuration in front of Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The nginx.conf, fragment or directory, as the user named it.
    pub path: PathBuf,
    /// The configuration of nginx.
    pub nginx: Nginx,
    /// The `server` blocks of `http`.
    pub servers: Vec<Server>,
    /// Every address that a `…_pass` or an `upstream` block names, once.
    pub upstreams: Vec<Upstream>,
    /// The route that leads to Prometheus.
    pub route: Route,
    /// How Prometheus is started.
    pub prometheus: Prometheus,
    /// The certificates in PEM form that clients trust, if they were given.
    pub cacert: Option<String>,
}

impl Deployment {
    /// Loads the nginx.conf (or fragment, or directory) at `path`, what it includes, and the `prometheus.yml` beside it.
    ///
    /// ```no_run
    /// # use proxyproof::deployment::Deployment;
    /// let deployment = Deployment::load("deploy/nginx.conf")?;
    /// assert_eq!(deployment.route.public_url(), "https://example.com/prometheus/");
    /// # Ok::<(), proxyproof::deployment::DeploymentError>(())
    /// ```
    ///
    /// # Errors
    /// If a file can't be read or understood, or nothing in it leads to Prometheus. The message names the cure.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DeploymentError> {
        Self::load_with(path, &Options::default())
    }

    /// Loads the nginx.conf at `path`, and takes from `options` what is given there.
    ///
    /// # Errors
    /// As [`Deployment::load`], and if a file that the options name can't be read.
    pub fn load_with(path: impl AsRef<Path>, options: &Options) -> Result<Self, DeploymentError> {
        let path = path.as_ref();
        let nginx = Nginx::load(path, options)?;
        let servers = server::servers(&nginx)?;
        let upstreams = upstream::upstreams(&nginx);
        let route = Route::find(&nginx, &servers, &upstreams, options)?;
        let prometheus = Prometheus::load(options, &nginx.tree, &route)?;
        Ok(Self {
            path: path.to_owned(),
            servers: servers.into_iter().map(|(_, server)| server).collect(),
            nginx,
            upstreams,
            route,
            prometheus,
            cacert: options.cacert.as_deref().map(load_cacert).transpose()?,
        })
    }

    /// The `server` block that the route goes through.
    pub fn server(&self) -> &Server {
        &self.servers[self.route.server]
    }
}

fn load_cacert(path: &Path) -> Result<String, DeploymentError> {
    let text = read::text(path)?;
    match text.contains("-----BEGIN CERTIFICATE-----") {
        true => Ok(text),
        false => Err(DeploymentError::NotACertificate { path: path.to_owned() }),
    }
}

/// A prefix the way it is kept: with a slash before it and none behind it, or empty.
fn normal_prefix(prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}
