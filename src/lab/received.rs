//! What the upstreams beside Prometheus received from nginx.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::world::stubs::Stubs;

/// A request that nginx sent to an upstream which is no Prometheus, as the stub in its place received it.
///
/// ```no_run
/// # async fn example(lab: proxyproof::Lab) -> proxyproof::Result<()> {
/// lab.get("/grafana/").await?;
/// let received = lab.received().await?;
/// assert_eq!(received[0].upstream, "http://grafana:3000");
/// assert_eq!(received[0].headers["x-forwarded-proto"], "https");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The upstream, as the deployment speaks of it: `http://grafana:3000`, `fastcgi://unix:/run/php/php-fpm.sock`.
    pub upstream: String,
    /// `HTTP/1.0`, `HTTP/1.1`, `HTTP/2.0`, `fastcgi`, `uwsgi`, `scgi`, `memcached`, `tcp` or `udp`.
    pub protocol: String,
    /// The method; the command for memcached; empty for bare TCP and UDP.
    pub method: String,
    /// The request's target as it arrived; the key for memcached; empty for bare TCP and UDP.
    pub uri: String,
    /// The header fields by their names in small letters: those that proxies set or may lose, such as `host`,
    /// `authorization`, `cookie`, `forwarded`, `x-forwarded-for`, `x-real-ip`; all of them for FastCGI, uwsgi and SCGI.
    pub headers: BTreeMap<String, String>,
    /// For FastCGI, uwsgi and SCGI, the variables that are no header fields, such as `SCRIPT_FILENAME`.
    pub parameters: BTreeMap<String, String>,
    /// The beginning of what came after the head, where that is not HTTP.
    pub body: Option<String>,
    /// The name that nginx asked for in its TLS handshake.
    pub tls_name: Option<String>,
}

/// A line as a stub writes it.
#[derive(Deserialize)]
struct Line {
    stub: i64,
    protocol: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    uri: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default)]
    tls_name: String,
}

impl Received {
    /// Reads what the stubs wrote, in the order in which they did. Other lines of theirs are none.
    pub(super) fn read(log: &str, stubs: &Stubs) -> Vec<Self> {
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        lines.filter_map(|line| Self::of(line, stubs)).collect()
    }

    fn of(line: Line, stubs: &Stubs) -> Option<Self> {
        let upstream = stubs.upstream(usize::try_from(line.stub).ok()?)?.to_owned();
        Some(Self {
            upstream,
            protocol: line.protocol,
            method: line.method,
            uri: line.uri,
            headers: line.headers.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            parameters: line.parameters,
            body: line.body.filter(|body| !body.is_empty()),
            tls_name: Some(line.tls_name).filter(|name| !name.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_stubs_are_read_and_others_are_not() {
        let stubs = Stubs::of_names(&["http://a:1"]);
        let log = "the stubs are ready\n\
            {\"stub\":0,\"protocol\":\"HTTP/1.1\",\"method\":\"GET\",\"uri\":\"/x\",\"tls_name\":\"\",\
            \"headers\":{\"host\":\"a\",\"cookie\":\"\"}}\n\
            {\"stub\":-1,\"protocol\":\"HTTP/1.0\",\"method\":\"GET\",\"uri\":\"/mark-1\"}\n";
        let received = Received::read(log, &stubs);
        assert_eq!(received.len(), 1);
        assert_eq!((received[0].upstream.as_str(), received[0].uri.as_str()), ("http://a:1", "/x"));
        assert_eq!(received[0].headers, BTreeMap::from([("host".to_owned(), "a".to_owned())]));
        assert_eq!(received[0].tls_name, None);
    }
}
