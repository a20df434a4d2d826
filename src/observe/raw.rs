//! Requests as they are written: a path that no URL library has tidied up (`//`, `/../`, `%2e`), any header, any body.
//!
//! They go through the same connections, with the same trust and the same credentials, as all that [`Http`] asks.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};
use tokio::time::timeout;

use super::Observer;
use super::failure::{Failure, FailureKind};
use super::http::{Http, MOST, NAME, PATIENCE, Seen};

/// A request, as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// The scheme, name and port that it goes to.
    origin: Url,
    /// The path and the query, as they are sent.
    pub(crate) target: String,
    /// The headers that it has beside those of every request. `Host` takes the place of the public name.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What follows them.
    pub(crate) body: Bytes,
    /// Without the name and the password that this client has.
    pub(crate) anonymous: bool,
}

/// The beginning of an answer whose end may never come.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// The answer; its body is what came in time.
    pub(crate) seen: Seen,
    /// Whether the answer ended.
    pub(crate) ended: bool,
}

impl Request {
    /// A GET of a path and a query, as they are written, at the origin of a URL.
    pub(crate) fn get(origin: &Url, target: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            origin: origin.clone(),
            target: target.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            anonymous: false,
        }
    }

    /// The same by another method.
    pub(crate) fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The same with one more header. A value that no header can have is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
        self
    }

    /// The same with a body.
    pub(crate) fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same without name and password.
    pub(crate) fn anonymous(self) -> Self {
        Self { anonymous: true, ..self }
    }

    /// The URL that it comes to where somebody tidies up the path.
    pub(crate) fn url(&self) -> Url {
        let (path, query) = self.target.split_once('?').map_or((self.target.as_str(), None), |(a, b)| (a, Some(b)));
        let mut url = self.origin.clone();
        url.set_path(path);
        url.set_query(query);
        url
    }

    fn whole(&self, authorization: Option<&HeaderValue>) -> Result<http::Request<Full<Bytes>>, http::Error> {
        let port = self.origin.port().map(|port| format!(":{port}")).unwrap_or_default();
        let uri = http::Uri::builder()
            .scheme(self.origin.scheme())
            .authority(format!("{}{port}", self.origin.host_str().unwrap_or_default()))
            .path_and_query(self.target.as_str())
            .build()?;
        let mut request = http::Request::builder().method(&self.method).uri(uri);
        if self.headers.iter().all(|(name, _)| *name != USER_AGENT) {
            request = request.header(USER_AGENT, NAME);
        }
        if let Some(value) = authorization.filter(|_| !self.anonymous) {
            request = request.header(AUTHORIZATION, value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::from(self.body.clone()))
    }
}

impl Http {
    /// A request as this client makes it.
    pub(super) fn whole(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, http::Error> {
        request.whole(self.authorization_for(&request.origin))
    }

    /// Asks as it is written, and reads the whole answer.
    pub(crate) async fn send(&self, request: &Request) -> Result<Seen, Failure> {
        let begun = self.begin(request, PATIENCE, PATIENCE).await?;
        if begun.ended { Ok(begun.seen) } else { Err(Failure::timeout("the answer did not end in time")) }
    }

    /// Asks as it is written, and waits so long for the answer's head and for its body: one that has no end is left then.
    pub(crate) async fn begin(&self, request: &Request, head: Duration, body: Duration) -> Result<Begun, Failure> {
        let (_seat, _turn) = (self.seat().await, self.pace.turn().await);
        self.pace.meter().requests().of(self.begin_now(request, head, body)).await
    }

    async fn begin_now(&self, request: &Request, head: Duration, body: Duration) -> Result<Begun, Failure> {
        let (head_patience, body_patience) = (head, body);
        let failed = |error: &(dyn std::error::Error + 'static)| Failure::of_chain(error);
        let whole = self.whole(request).map_err(|error| failed(&error))?;
        let head = timeout(head_patience, self.client.request(whole)).await;
        let answer = head.map_err(|_| Failure::timeout("no answer in time"))?.map_err(|error| failed(&error))?;
        let (head, mut body) = answer.into_parts();
        let mut seen = Seen {
            method: request.method.clone(),
            url: request.url(),
            form: Vec::new(),
            status: head.status.as_u16(),
            headers: head.headers,
            body: Vec::new(),
        };
        let reading = async {
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| failed(&error))?;
                seen.body.extend(frame.data_ref().into_iter().flatten());
                if seen.body.len() > MOST {
                    return Err(Failure { kind: FailureKind::Broken, message: "the answer has no end".to_owned() });
                }
            }
            Ok::<_, Failure>(())
        };
        let ended = timeout(body_patience, reading).await;
        let ended = ended.ok().transpose()?.is_some();
        super::turned_away::note(&seen);
        Ok(Begun { seen, ended })
    }
}

impl Observer {
    /// A GET of a path and a query below the prefix, as they are written.
    pub(crate) fn request(&self, below: &str) -> Request {
        Request::get(&self.url_at_root("/"), format!("{}{below}", self.route().prefix))
    }

    /// The same GET over plain HTTP, on its own port.
    pub(crate) fn plain_request(&self, below: &str) -> Request {
        let mut origin = self.url_at_root("/");
        // Both are valid for an https URL; the default port of http is 80.
        let _ = origin.set_scheme("http");
        let _ = origin.set_port(None);
        Request::get(&origin, format!("{}{below}", self.route().prefix))
    }

    /// A GET of a path and a query of the whole server, as they are written.
    pub(crate) fn request_at_root(&self, target: &str) -> Request {
        Request::get(&self.url_at_root("/"), target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(target: &str) -> String {
        let origin = Url::parse("https://a.b:8443/").expect("a URL");
        let request = Request::get(&origin, target).whole(None).expect("a request");
        let (uri, authority) = (request.uri(), request.uri().authority());
        assert_eq!(authority.map(|authority| authority.as_str()), Some("a.b:8443"));
        uri.path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_path_is_sent_as_it_is_written() {
        for target in ["/p//x/../y/%2e%2E/%2f?match[]=a%26b+c", "//p", "/%70", "/p/a%3Fb"] {
            assert_eq!(sent(target), target);
        }
    }

    #[test]
    fn a_header_that_no_server_would_take_is_left_out() {
        let origin = Url::parse("https://a.b/").expect("a URL");
        let request = Request::get(&origin, "/").header(USER_AGENT, "a\nb");
        assert!(request.headers.is_empty());
    }
}
