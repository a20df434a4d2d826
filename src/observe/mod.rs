//! The only eyes of a check: what clients, logs and facts show of a Lab.

mod certificate;
mod command;
mod connect;
mod control;
mod failure;
mod flags;
mod http;
mod log;
mod observation;
mod plain;
mod raw;
mod scrape;
mod strangers;
mod tls;
mod tls_eyes;
mod tls_probe;
mod traffic;
mod verifier;
mod visit;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Method, Url};
use rustls::ClientConfig;
use tokio::sync::OnceCell;

use crate::deployment::{Deployment, Facts, Route};
use crate::location::Location;
use crate::world::{Way, World};

pub(crate) use certificate::{Certificate, Key, SignedBy};
pub(crate) use command::Shell;
pub(crate) use control::{Control, Doing, Reloaded, Undone};
pub(crate) use failure::{Failure, FailureKind};
pub(crate) use http::{Http, NAME as CLIENT_NAME, Seen, authorization};
pub(crate) use log::{LogLevel, LogLine};
pub use observation::Observation;
pub(crate) use plain::{PlainAnswer, plain_http};
pub(crate) use raw::Request;
pub(crate) use scrape::Target;
pub(crate) use tls::{Handshake, client_config, handshake};
use tls_eyes::TlsClients;
pub(crate) use tls_eyes::Who;
use tls_probe::TlsProbe;
pub(crate) use tls_probe::{Suite, Version};
pub(crate) use traffic::{Held, Lived, Load};
pub(crate) use verifier::CurlVerifier;
pub(crate) use visit::{Visit, Visited};

/// How a Lab's programs are reached and read: what a runtime gives to the eyes.
pub(crate) trait Sight: std::fmt::Debug + Send + Sync {
    /// Where clients reach a TCP port of the Pod.
    fn address(&self, port: u16) -> SocketAddr;
    /// What nginx has written so far.
    fn nginx_log(&self) -> String;
    /// What nginx said when it refused to start.
    fn refusal(&self) -> Option<String>;
}

/// How many answers a browser follows before it gives up is more; no deployment needs as many.
const LONGEST_WAY: usize = 6;

/// The answers that were asked for already, by URL: checks that ask the same share one request.
type Answers = Mutex<HashMap<String, Arc<OnceCell<Result<Arc<Seen>, Failure>>>>>;

/// One look at a Lab.
#[derive(Debug)]
pub(crate) struct Observer {
    deployment: Arc<Deployment>,
    /// The route that is looked at, by its index.
    route: usize,
    /// How clients come to it.
    way: Way,
    /// Clients that believe every certificate.
    tls: TlsClients,
    tls_probe: OnceCell<Result<TlsProbe, Failure>>,
    sight: Arc<dyn Sight>,
    control: Arc<dyn Control>,
    world: Arc<World>,
    verified: Result<Handshake, Failure>,
    unverified: Result<Handshake, Failure>,
    http: Http,
    insecure: Http,
    shell: Shell,
    slow: AtomicBool,
    answers: Answers,
    targets: OnceCell<Result<Vec<Target>, Failure>>,
}

impl Observer {
    /// Opens the eyes: shakes hands once with and once without verifying, and asks from then on as a client that
    /// verifies, unless no such client gets in.
    pub(crate) async fn new(
        deployment: Arc<Deployment>,
        index: usize,
        (sight, control): (Arc<dyn Sight>, Arc<dyn Control>),
        world: Arc<World>,
        shell: Shell,
    ) -> Result<Self, Failure> {
        let route = &deployment.routes[index];
        let way = world.ways[index].clone();
        let (address, plain) = (sight.address(way.port), sight.address(80));
        let verifying = client_config(CurlVerifier::trusting(&world.trust)?, world.client_identity.as_ref())?;
        let tls = TlsClients::of(&world)?;
        let (verified, unverified) = tokio::join!(
            handshake(address, &route.server_name, &verifying),
            handshake(address, &route.server_name, &tls.known),
        );
        let credentials = world.credentials_for(route).cloned();
        let client = |config: &ClientConfig| {
            let client = Http::new(vec![(route.port, address), (80, plain)], config);
            match &credentials {
                Some(credentials) => client.authorized(route.port, credentials),
                None => client,
            }
        };
        let insecure = client(&tls.known);
        let http = if verified.is_ok() { client(&verifying) } else { insecure.clone() };
        Ok(Self {
            route: index,
            way,
            tls,
            tls_probe: OnceCell::new(),
            sight,
            control,
            world,
            verified,
            unverified,
            http,
            insecure,
            shell,
            slow: AtomicBool::new(false),
            answers: Answers::default(),
            targets: OnceCell::new(),
            deployment,
        })
    }

    /// Allows the checks to wait for what takes Prometheus seconds.
    pub(crate) fn allow_waiting(&self) {
        self.slow.store(true, Ordering::Relaxed);
    }

    /// Whether the checks may wait for what takes Prometheus seconds.
    pub(crate) fn may_wait(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// The facts of the configuration about the route that is looked at.
    pub(crate) fn facts(&self) -> Facts<'_> {
        self.deployment.facts(self.route)
    }

    /// The route that is looked at.
    pub(crate) fn route(&self) -> &Route {
        &self.deployment.routes[self.route]
    }

    /// The handshake of a client that verifies.
    pub(crate) fn verified(&self) -> &Result<Handshake, Failure> {
        &self.verified
    }

    /// The handshake of a client that believes everything.
    pub(crate) fn unverified(&self) -> &Result<Handshake, Failure> {
        &self.unverified
    }

    /// The client that the checks ask with.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// A client that believes every certificate.
    pub(crate) fn insecure(&self) -> &Http {
        &self.insecure
    }

    /// Where clients of the route connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.sight.address(self.way.port)
    }

    /// An address that the deployment refuses, and a client that comes from there.
    pub(crate) fn refused_client(&self) -> Option<(IpAddr, Http)> {
        let (client, port) = self.way.refused?;
        Some((client, Http::new(vec![(self.route().port, self.sight.address(port))], &self.tls.known)))
    }

    /// What may be done to the programs of the Lab. What is done has to be undone by the same check.
    pub(crate) fn control(&self) -> &dyn Control {
        &*self.control
    }

    /// What was made up around the deployment.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The commands that show a finding again.
    pub(crate) fn shell(&self) -> &Shell {
        &self.shell
    }

    /// What nginx said when it refused to start.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.sight.refusal()
    }

    /// A place that nginx names in its own paths, as the user's file and line.
    pub(crate) fn locate(&self, path_in_pod: &str, line: usize) -> Option<Location> {
        self.facts().locate(path_in_pod, line)
    }

    /// The public URL of a path below the prefix: `""` is the bare prefix, `"/"` its root.
    pub(crate) fn url(&self, path: &str) -> Url {
        let route = self.route();
        self.url_at_root(&format!("{}{path}", route.prefix))
    }

    /// The public URL of a path of the whole server.
    pub(crate) fn url_at_root(&self, path: &str) -> Url {
        self.route().url_of(path)
    }

    /// Asks for a path below the prefix, once for all who ask.
    pub(crate) async fn get(&self, path: &str) -> Result<Arc<Seen>, Failure> {
        self.get_url(self.url(path)).await
    }

    /// Follows redirects from a URL as a browser does, once around a circle: every answer on the way, the last at the end.
    pub(crate) async fn follow(&self, url: Url) -> Result<Vec<Arc<Seen>>, Failure> {
        let mut way = vec![self.get_url(url).await?];
        while way.len() < LONGEST_WAY {
            let next = way.last().and_then(|seen| seen.redirect());
            let is_new = |next: &Url| way.iter().all(|seen| seen.url != *next);
            match next.filter(|next| self.is_ours(next) && is_new(next)) {
                Some(next) => way.push(self.get_url(next).await?),
                None => break,
            }
        }
        Ok(way)
    }

    /// Whether a URL is on the public name and the port that clients use.
    pub(crate) fn is_ours(&self, url: &Url) -> bool {
        self.route().url_of("/").origin() == url.origin()
    }

    /// Whether a URL is below the prefix, on the public name.
    pub(crate) fn is_inside(&self, url: &Url) -> bool {
        let prefix = &self.route().prefix;
        let path = url.path();
        let below = path.strip_prefix(prefix.as_str());
        self.is_ours(url) && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Asks for a URL, once for all who ask.
    pub(crate) async fn get_url(&self, url: Url) -> Result<Arc<Seen>, Failure> {
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(url.to_string()).or_default())
        };
        let answer = cell.get_or_init(|| async { self.http.ask(Method::GET, url, &[]).await.map(Arc::new) });
        answer.await.clone()
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        Self::from(&error)
    }
}
