//! What the user has: an nginx configuration and how Prometheus is started. Loaded once; what is loaded is valid.

mod access;
mod blocks;
mod candidate;
mod causes;
mod certificate;
mod chosen_location;
mod directive;
mod doors;
mod error;
mod files;
mod front;
#[cfg(test)]
mod fuzz;
mod glob;
mod host_port;
mod identity;
mod in_force;
mod includes;
mod input;
mod layer;
mod levels;
mod listen;
mod location_path;
mod lua;
mod made;
pub mod modules;
mod named_file;
mod named_server;
mod nginx;
mod normal_path;
mod normalise;
mod outside;
mod pass;
mod places;
mod prometheus;
mod public_name;
mod read;
mod resolver;
mod route;
mod routes;
mod server;
pub mod settings;
mod socket;
mod source_text;
mod statics;
mod stock;
mod syntax;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod upstream;
mod upstream_block;
mod user_file;
mod word;

use std::path::{Path, PathBuf};

pub use access::{Access, AddressRule, ClientCertificate};
pub use certificate::KeyPair;
pub use directive::{Argument, ConfigFile, Directive};
pub use error::DeploymentError;
pub use files::{FileKind, FileUse, Files, PairUse, ShownBy, User};
pub(crate) use front::stream_listens;
pub use host_port::{HostPort, HostPortError};
pub use identity::ClientIdentity;
pub(crate) use levels::levels;
pub use listen::{Interface, Listen, UnixListen};
pub use made::{Made, MadeKind};
pub use modules::Modules;
pub use named_file::NamedFile;
pub use nginx::Nginx;
pub(crate) use places::Facts;
pub(crate) use prometheus::{MADE_CA, WEB_CONFIG};
pub use prometheus::{
    Prometheus, PrometheusFile, PrometheusFileKind, PrometheusFlag, PublishedBy, PublishedPort, ScrapeTarget,
    TargetKind, TargetTrust, Unanswered, WebConfig,
};
pub use resolver::Resolver;
pub use route::Route;
pub use server::Server;
pub use settings::Settings;
pub(crate) use socket::DefaultServer;
pub(crate) use statics::Escape;
pub use tree::Tree;
pub use upstream::{Address, Upstream};

/// What can be said beside the path. All of it is derived from the file where it is not given.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The name in the public URL.
    pub server_name: Option<String>,
    /// The public path below which Prometheus is.
    pub prefix: Option<String>,
    /// Which upstream is Prometheus.
    pub upstream: Option<HostPort>,
    /// A unit, compose file or manifest that says how Prometheus is started.
    pub prometheus_from: Option<PathBuf>,
    /// The flags that the deployment starts Prometheus with; they win over those of `prometheus_from`.
    pub prometheus_args: Vec<String>,
    /// The deployment's `prometheus.yml`.
    pub prometheus_config: Option<PathBuf>,
    /// The certificates that clients trust, for a certificate that the tree brings.
    pub cacert: Option<PathBuf>,
    /// The certificate that clients show.
    pub client_cert: Option<PathBuf>,
    /// The key of the certificate that clients show.
    pub client_key: Option<PathBuf>,
    /// A user whom the deployment's password files know, and the password.
    pub basic_auth: Option<(String, String)>,
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
    /// The modules of nginx that it needs and not every build has.
    pub modules: Modules,
    /// The DNS servers that nginx asks at run time.
    pub resolvers: Vec<Resolver>,
    /// The routes that lead to Prometheus, at least one, the surest first.
    pub routes: Vec<Route>,
    /// How each Prometheus that they lead to is started.
    pub prometheus: Vec<Prometheus>,
    /// What `proxyproof.toml` says beside what it says of the above.
    pub settings: Settings,
    /// The files and directories that the configuration names.
    pub files: Files,
    /// The certificates in PEM form that clients trust, if they were given.
    pub cacert: Option<String>,
    /// The certificate that clients show, if it was given.
    pub client_identity: Option<ClientIdentity>,
    /// The user and password that clients give, if they were given.
    pub basic_auth: Option<(String, String)>,
}

impl Deployment {
    /// Loads the nginx.conf (or fragment, or directory) at `path`, what it includes, and the `prometheus.yml` beside it.
    ///
    /// ```no_run
    /// # use proxyproof::deployment::Deployment;
    /// let deployment = Deployment::load("deploy/nginx.conf")?;
    /// assert_eq!(deployment.route().public_url(), "https://example.com/prometheus/");
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
        let settings = Settings::beside(path)?;
        let options = &settings.complete(options, |name| std::env::var(name).ok())?;
        let nginx = Nginx::load(path, options)?;
        Self::of(path, nginx, settings, options)
    }

    /// The deployments at `path`: the path itself, or, where it is a directory that is none, those in the directories below
    /// it, in the order of their names. Files that are each a whole configuration, side by side in a directory without an
    /// `nginx.conf`, are one deployment each.
    ///
    /// ```no_run
    /// # use proxyproof::deployment::{Deployment, Options};
    /// for path in Deployment::paths_at("deployments", &Options::default())? {
    ///     println!("{}", Deployment::load(path)?.route().public_url());
    /// }
    /// # Ok::<(), proxyproof::deployment::DeploymentError>(())
    /// ```
    ///
    /// # Errors
    /// If a directory can't be read.
    pub fn paths_at(path: impl AsRef<Path>, options: &Options) -> Result<Vec<PathBuf>, DeploymentError> {
        input::deployments(path.as_ref(), options)
    }

    /// What a configuration that was read says of itself.
    fn of(path: &Path, nginx: Nginx, settings: Settings, options: &Options) -> Result<Self, DeploymentError> {
        let servers = server::servers(&nginx)?;
        let upstreams = upstream::upstreams(&nginx);
        let routes = routes::find(&nginx, &servers, &upstreams, options)?;
        let prometheus = Prometheus::load_all(options, &nginx.tree, &routes)?;
        let files = files::files(&nginx, &servers, options.server_name.as_deref())?;
        Ok(Self {
            path: path.to_owned(),
            files,
            servers: servers.into_iter().map(|(_, server)| server).collect(),
            resolvers: resolver::resolvers(&nginx),
            modules: Modules::of(&nginx),
            nginx,
            upstreams,
            routes,
            prometheus,
            settings,
            cacert: options.cacert.as_deref().map(load_cacert).transpose()?,
            client_identity: ClientIdentity::load(options)?,
            basic_auth: options.basic_auth.clone(),
        })
    }

    /// The surest of the routes: what is meant where one alone can be.
    pub fn route(&self) -> &Route {
        &self.routes[0]
    }
}

fn load_cacert(path: &Path) -> Result<String, DeploymentError> {
    let text = read::text(path)?;
    match text.contains(identity::CERTIFICATE) {
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
