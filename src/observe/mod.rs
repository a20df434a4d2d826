//! The only eyes of a check: what clients, logs and facts show of a Lab.

mod certificate;
mod client;
mod command;
mod connect;
mod control;
mod door;
mod failure;
mod flags;
mod http;
mod log;
mod meter;
mod observation;
mod plain;
mod raw;
mod running;
mod scrape;
mod strangers;
mod tls;
mod tls_eyes;
mod tls_probe;
mod traffic;
mod turned_away;
mod verifier;
mod visit;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Method, Url};
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::deployment::{Deployment, Facts, Route};
use crate::location::Location;
use crate::runtime::Reach;
use crate::world::{Way, World};

pub(crate) use certificate::{Certificate, Key, SignedBy};
pub(crate) use client::{Client, certificates};
pub(crate) use command::Shell;
pub(crate) use control::{Control, Doing, Inside, Reloaded, Undone};
pub(crate) use door::{Door, Pace};
pub(crate) use failure::{Failure, FailureKind};
pub(crate) use flags::BUILD;
pub(crate) use http::{Http, NAME as CLIENT_NAME, Seen, authorization};
pub(crate) use log::{BUFFERED, LogLevel, LogLine};
pub(crate) use meter::Meter;
pub use observation::{
    Answer, CertificateSeen, CheckSeen, FindingSeen, MetricsSeen, NginxSeen, Observation, PrometheusSeen, RouteSeen,
    TlsSeen,
};
pub(crate) use observation::{NO_UI_PAGE, Part, Said, Scope, without_temporary_names};
pub(crate) use plain::{PlainAnswer, plain_http};
pub(crate) use raw::Request;
pub(crate) use scrape::Target;
pub(crate) use tls::{Handshake, client_config, handshake};
pub(crate) use tls_eyes::Who;
use tls_eyes::{TlsAnswers, TlsClients};
pub(crate) use tls_probe::{Suite, Version};
pub(crate) use traffic::{Held, Lived, Load};
pub(crate) use turned_away::watched;
pub(crate) use verifier::CurlVerifier;
pub(crate) use visit::{Visit, Visited};

/// How a Lab's programs are reached and read: what a runtime gives to the eyes.
pub(crate) trait Sight: std::fmt::Debug + Send + Sync {
    /// How clients get to a TCP port of the Pod.
    fn reach(&self, port: u16) -> Reach;
    /// What nginx has written so far.
    fn nginx_log(&self) -> String;
    /// What nginx said when it refused to start.
    fn refusal(&self) -> Option<String>;
    /// Whether the configuration, the logs and the programs are this run's own. What is seen from outside alone is
    /// somebody's who uses it.
    fn sees_inside(&self) -> bool;
    /// Whether others use the same Prometheus: then how long it runs says nothing of this deployment.
    fn is_sharing(&self) -> bool {
        false
    }
    /// When whoever asks has to be through, if ever.
    fn end(&self) -> Option<Instant>;
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
    /// Where that is.
    door: Door,
    pace: Pace,
    /// Clients that believe every certificate.
    tls: TlsClients,
    tls_answers: TlsAnswers,
    sight: Arc<dyn Sight>,
    inside: Option<Inside>,
    verified: Result<Handshake, Failure>,
    unverified: Result<Handshake, Failure>,
    http: Http,
    insecure: Http,
    shell: Shell,
    slow: AtomicBool,
    answers: Answers,
    targets: OnceCell<Result<Vec<Target>, Failure>>,
    nginx_version: [u32; 3],
}

impl Observer {
    /// Opens the eyes: shakes hands once with and once without verifying, and asks from then on as a client that
    /// verifies, unless no such client gets in.
    pub(crate) async fn new(
        deployment: Arc<Deployment>,
        index: usize,
        (sight, inside): (Arc<dyn Sight>, Option<Inside>),
        known: Client,
        shell: Shell,
    ) -> Result<Self, Failure> {
        let route = &deployment.routes[index];
        let verifying = client_config(CurlVerifier::trusting(&known.trust)?, known.identity.as_ref())?;
        let tls = TlsClients::of(&known)?;
        let Client { way, pace, credentials, .. } = known;
        let door_at = |port| Door::new(sight.reach(port), &pace);
        let door = door_at(way.port);
        let (verified, unverified) = tokio::join!(
            handshake(&door, &route.server_name, &verifying),
            handshake(&door, &route.server_name, &tls.known),
        );
        let client = |config: &ClientConfig, credentials: Option<&(String, String)>| {
            let client = Http::new(vec![(route.port, door.clone()), (80, door_at(80))], config);
            match credentials {
                Some(credentials) => client.authorized(route.port, credentials),
                None => client,
            }
        };
        // Who can't be told from a stranger is told no password that is used elsewhere.
        let insecure = client(&tls.known, credentials.as_ref().filter(|_| sight.sees_inside()));
        let http = if verified.is_ok() { client(&verifying, credentials.as_ref()) } else { insecure.clone() };
        Ok(Self {
            route: index,
            way,
            door,
            pace,
            tls,
            tls_answers: TlsAnswers::default(),
            sight,
            inside,
            verified,
            unverified,
            http,
            insecure,
            shell,
            slow: AtomicBool::new(false),
            answers: Answers::default(),
            targets: OnceCell::new(),
            nginx_version: [0; 3],
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

    /// Whether that client gives a name and a password.
    pub(crate) fn gives_a_password(&self) -> bool {
        self.http.authorization_for(&self.url("/")).is_some()
    }

    /// A client that believes every certificate.
    pub(crate) fn insecure(&self) -> &Http {
        &self.insecure
    }

    /// Where clients of the route connect to.
    pub(crate) fn address(&self) -> Door {
        self.door.clone()
    }

    fn door_at(&self, port: u16) -> Door {
        Door::new(self.sight.reach(port), &self.pace)
    }

    /// Whether the configuration, the logs and the programs are there to look at.
    pub(crate) fn sees_inside(&self) -> bool {
        self.sight.sees_inside()
    }

    /// When whoever asks has to be through, if ever.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.sight.end()
    }

    /// An address that the deployment refuses, and a client that comes from there.
    pub(crate) fn refused_client(&self) -> Option<(IpAddr, Http)> {
        let (client, port) = self.way.refused?;
        Some((client, Http::new(vec![(self.route().port, self.door_at(port))], &self.tls.known)))
    }

    /// What may be done to the programs of the Lab. What is done has to be undone by the same check.
    ///
    /// # Errors
    ///
    /// Where the programs are somebody's who uses them.
    pub(crate) fn control(&self) -> Result<&dyn Control, Undone> {
        Ok(&*self.inside.as_ref().ok_or_else(Undone::not_ours)?.control)
    }

    /// What was made up around the deployment.
    ///
    /// # Errors
    ///
    /// Where nothing was.
    pub(crate) fn world(&self) -> Result<&World, Undone> {
        Ok(&*self.inside.as_ref().ok_or_else(Undone::not_ours)?.world)
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
        let answer = answer.await.clone();
        if let Ok(seen) = &answer {
            turned_away::note(seen);
        }
        answer
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        Self::from(&error)
    }
}
