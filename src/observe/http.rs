//! What an HTTP client sees: verified TLS, the public name, no redirect followed unseen.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};
use rustls::ClientConfig;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::connect::Connector;
use super::door::{Door, Pace};
use super::failure::Failure;

/// How long one answer may take. Prometheus answers what the checks ask within milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// More than any answer that the checks ask for: who sends on has no end.
pub(super) const MOST: usize = 64 << 20;

/// How many connections a client opens, as browsers do. Requests beyond that wait for one that is free, so that all that is
/// asked at once is not a handshake each, and no limit on connections is met that users don't meet.
const CONNECTIONS: usize = 6;

/// How this client calls itself.
pub(crate) const NAME: &str = concat!("proxyproof/", env!("CARGO_PKG_VERSION"));

/// A client of the public name, whatever addresses and ports that is mapped to.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(super) client: Client<Connector, Full<Bytes>>,
    connector: Connector,
    /// The port to which name and password go, and the header that holds them.
    authorization: Option<(u16, HeaderValue)>,
    pub(super) pace: Pace,
    /// The requests that are under way, where connections are kept for the next.
    seats: Arc<Semaphore>,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The method that was used.
    pub(crate) method: Method,
    /// The URL that was asked for.
    pub(crate) url: Url,
    /// The form that was sent, for POST.
    pub(crate) form: Vec<(String, String)>,
    /// The status code.
    pub(crate) status: u16,
    /// The answer's headers.
    pub(crate) headers: HeaderMap,
    /// The answer's body.
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// A client that finds the ports of the public name behind these doors.
    pub(crate) fn new(doors: Vec<(u16, Door)>, tls: &ClientConfig) -> Self {
        let pace = doors.first().map(|(_, door)| door.pace().clone()).unwrap_or_default();
        let connector = Connector::new(doors, tls);
        let client = Client::builder(TokioExecutor::new()).build(connector.clone());
        Self { client, connector, authorization: None, pace, seats: Arc::new(Semaphore::new(CONNECTIONS)) }
    }

    /// The same client with connections of its own.
    pub(crate) fn apart(&self) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        Self { client, seats: Arc::new(Semaphore::new(CONNECTIONS)), ..self.clone() }
    }

    /// The same client with a connection for each request.
    pub(crate) fn keeping_none(&self) -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(self.connector.clone());
        Self { client, seats: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)), ..self.clone() }
    }

    /// Waits until a connection is free for one more request, which has it until this is dropped.
    pub(super) async fn seat(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.seats.acquire().await.ok()
    }

    /// The same client with a name and a password, which go to this port of the public name alone.
    pub(crate) fn authorized(self, port: u16, credentials: &(String, String)) -> Self {
        Self { authorization: authorization(credentials).map(|value| (port, value)), ..self }
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(&self, method: Method, url: Url, form: &[(&str, &str)]) -> Result<Seen, Failure> {
        let request = self.request(&method, &url, form).map_err(|error| Failure::of_chain(&error))?;
        let asking = async {
            let answer = self.client.request(request).await.map_err(|error| Failure::of_chain(&error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, MOST).collect().await.map_err(|error| Failure::of_chain(&*error))?;
            Ok((head, body.to_bytes().to_vec()))
        };
        let (_seat, _turn) = (self.seat().await, self.pace.turn().await);
        let answer = self.pace.meter().requests().of(tokio::time::timeout(PATIENCE, asking)).await;
        let answer: Result<_, Failure> = answer.map_err(|_| Failure::timeout("no answer in time")).flatten();
        let (head, body) = answer?;
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let seen = Seen { method, url, form, status: head.status.as_u16(), headers: head.headers, body };
        super::turned_away::note(&seen);
        Ok(seen)
    }

    /// The header that holds name and password, where they are for a URL's port.
    pub(super) fn authorization_for(&self, url: &Url) -> Option<&HeaderValue> {
        let (port, value) = self.authorization.as_ref()?;
        (url.port_or_known_default() == Some(*port)).then_some(value)
    }

    fn request(
        &self,
        method: &Method,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<http::Request<Full<Bytes>>, http::Error> {
        let mut request = http::Request::builder().method(method).uri(url.as_str()).header(USER_AGENT, NAME);
        if let Some(value) = self.authorization_for(url) {
            request = request.header(AUTHORIZATION, value);
        }
        if form.is_empty() {
            return request.body(Full::default());
        }
        let mut encoded = url.clone();
        encoded.query_pairs_mut().clear().extend_pairs(form);
        let body = encoded.query().unwrap_or_default().to_owned();
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::from(body))
    }
}

/// RFC 7617.
pub(crate) fn authorization((name, password): &(String, String)) -> Option<HeaderValue> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Seen {
    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type without its parameters.
    pub(crate) fn media_type(&self) -> &str {
        let whole = self.header(CONTENT_TYPE).unwrap_or("");
        whole.split(';').next().unwrap_or("").trim()
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Where a redirect leads, made absolute as a browser does.
    pub(crate) fn redirect(&self) -> Option<Url> {
        let location = self.header(reqwest::header::LOCATION)?;
        (300..400).contains(&self.status).then(|| self.url.join(location).ok())?
    }

    /// The answer in a few words: the status, and where it leads or what it says.
    pub(crate) fn summary(&self) -> String {
        let status = self.status;
        match self.header(reqwest::header::LOCATION) {
            Some(location) => format!("{status} to {location}"),
            None => format!("{status}{}", first_words(&self.text())),
        }
    }
}

/// The first line of a body that says something, if it is short.
fn first_words(body: &str) -> String {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    if line.is_empty() || line.starts_with('<') {
        return String::new();
    }
    let short: String = line.chars().take(80).collect();
    format!(" {short:?}")
}
