//! What an HTTP client sees: verified TLS, the public name, no redirect followed unseen.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method, Url, redirect};
use rustls::ClientConfig;

use super::failure::Failure;

/// How long one answer may take. Prometheus answers what the checks ask within milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of the public name, whatever address and port it is mapped to.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    secure: Client,
    plain: Client,
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
    /// A client that finds `name` at these addresses.
    pub(crate) fn new(
        name: &str,
        secure_address: SocketAddr,
        plain_address: SocketAddr,
        tls: &ClientConfig,
    ) -> Result<Self, Failure> {
        let client = |address| builder(tls).resolve(name, address).build().map_err(|error| Failure::of_request(&error));
        Ok(Self { secure: client(secure_address)?, plain: client(plain_address)? })
    }

    /// The client itself, for what the checks don't ask.
    pub(crate) fn client(&self) -> &Client {
        &self.secure
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(&self, method: Method, url: Url, form: &[(&str, &str)]) -> Result<Seen, Failure> {
        let client = if url.scheme() == "https" { &self.secure } else { &self.plain };
        let mut request = client.request(method.clone(), url.clone());
        if !form.is_empty() {
            request = request.form(form);
        }
        let answer = request.send().await.map_err(|error| Failure::of_request(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| Failure::of_request(&error))?.to_vec();
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Seen { method, url, form, status, headers, body })
    }
}

impl Seen {
    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type without its parameters.
    pub(crate) fn media_type(&self) -> &str {
        let whole = self.header(reqwest::header::CONTENT_TYPE).unwrap_or("");
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

fn builder(tls: &ClientConfig) -> reqwest::ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent(concat!("proxyproof/", env!("CARGO_PKG_VERSION")))
}
