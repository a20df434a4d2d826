//! The commands that show a finding again, as a person would type them.

use std::net::SocketAddr;

use reqwest::{Method, Url};

use super::http::Seen;
use super::raw::Request;

/// How commands name the CA's certificate and the Pod: real ones while the Lab is kept, shell variables otherwise, so
/// that equal input gives equal reports.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    cacert: String,
    pod: Pod,
    /// The public port, and the Pod's port by which clients come to it.
    way: Option<(u16, u16)>,
    /// What curl is told beside where to go: a password, a certificate.
    client: Vec<String>,
}

#[derive(Clone, Debug)]
enum Pod {
    Variable,
    Kept(Vec<(u16, SocketAddr)>),
}

impl Shell {
    /// For a Lab that is gone when somebody reads the report.
    pub(crate) fn of_a_lab_that_goes() -> Self {
        Self { cacert: "\"$CA\"".to_owned(), pod: Pod::Variable, way: None, client: Vec::new() }
    }

    /// For a Lab that is kept: where its CA's certificate is, and where its ports are.
    pub(crate) fn of_a_kept_lab(cacert: &str, ports: Vec<(u16, SocketAddr)>) -> Self {
        Self { cacert: quote(cacert), pod: Pod::Kept(ports), way: None, client: Vec::new() }
    }

    /// For clients that come by this way (public port, port of the Pod) and have these credentials.
    pub(crate) fn by(self, way: (u16, u16), credentials: Option<&(String, String)>, has_certificate: bool) -> Self {
        let password = credentials.map(|(name, password)| format!("-u {}", quote(&format!("{name}:{password}"))));
        let certificate = has_certificate.then(|| match &self.pod {
            Pod::Variable => "--cert \"$CLIENT_CERT\" --key \"$CLIENT_KEY\"".to_owned(),
            Pod::Kept(_) => {
                let directory =
                    self.cacert.trim_end_matches('\'').rsplit_once('/').map_or("", |(directory, _)| directory);
                let quote = if directory.starts_with('\'') { "'" } else { "" };
                format!("--cert {directory}/client.pem{quote} --key {directory}/client.key{quote}")
            }
        });
        Self { way: Some(way), client: password.into_iter().chain(certificate).collect(), ..self }
    }

    /// The Pod's port by which clients come to a public one.
    fn entrance(&self, port: u16) -> u16 {
        self.way.filter(|(public, _)| *public == port).map_or(port, |(_, entrance)| entrance)
    }

    /// The `curl` command that gets this answer again, its headers shown.
    pub(crate) fn curl(&self, seen: &Seen) -> String {
        let form: Vec<(&str, &str)> = seen.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.curl_to(&seen.method, &seen.url, &form)
    }

    /// The `curl` command that sends a request as it is written, its body left to the reader if that is long.
    pub(crate) fn curl_raw(&self, request: &Request) -> String {
        let mut words = vec!["curl -si --path-as-is --globoff".to_owned()];
        let origin = request.url();
        if origin.scheme() == "https" {
            words.push(format!("--cacert {}", self.cacert));
        }
        words.push(self.way_to(&origin));
        if !request.anonymous {
            words.extend(self.client.iter().cloned());
        }
        if request.method != Method::GET {
            words.push(format!("-X {}", request.method));
        }
        for (name, value) in &request.headers {
            words.push(format!("-H {}", quote(&format!("{name}: {}", value.to_str().unwrap_or_default()))));
        }
        if !request.body.is_empty() {
            words.push("--data-binary @BODY".to_owned());
        }
        words.push(quote(&format!("{}{}", origin.origin().ascii_serialization(), request.target)));
        words.join(" ")
    }

    /// The `curl` command that gets a URL.
    pub(crate) fn curl_get(&self, url: &Url) -> String {
        self.curl_to(&Method::GET, url, &[])
    }

    /// The `curl` command that gets a URL and believes every certificate.
    pub(crate) fn curl_insecurely(&self, url: &Url) -> String {
        format!("curl -sik {} {}", self.way_to(url), quote(url.as_str()))
    }

    fn curl_to(&self, method: &Method, url: &Url, form: &[(&str, &str)]) -> String {
        let mut words = vec!["curl -si".to_owned()];
        if url.scheme() == "https" {
            words.push(format!("--cacert {}", self.cacert));
        }
        words.push(self.way_to(url));
        if self.way.is_none_or(|(public, _)| url.port_or_known_default() == Some(public)) {
            words.extend(self.client.iter().cloned());
        }
        if *method != Method::GET && form.is_empty() {
            words.push(format!("-X {method}"));
        }
        for (name, value) in form {
            words.push(format!("--data-urlencode {}", quote(&format!("{name}={value}"))));
        }
        words.push(quote(url.as_str()));
        words.join(" ")
    }

    /// The `openssl` command that shows the handshake and the certificates of a port.
    pub(crate) fn s_client(&self, name: &str, port: u16) -> String {
        let cacert = &self.cacert;
        let address = self.address(port);
        format!(
            "openssl s_client -connect {address} -servername {name} -verify_hostname {name} -CAfile {cacert} </dev/null"
        )
    }

    /// `--resolve` where the port is the Pod's own, `--connect-to` where it is mapped to another.
    fn way_to(&self, url: &Url) -> String {
        let name = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(443);
        match &self.pod {
            Pod::Variable if self.entrance(port) != port => {
                format!("--connect-to \"{name}:{port}:$POD:{}\"", self.entrance(port))
            }
            Pod::Variable => format!("--resolve \"{name}:{port}:$POD\""),
            Pod::Kept(_) => {
                let address = self.kept_address(port);
                match address {
                    Some(address) if address.port() == port => format!("--resolve {name}:{port}:{}", address.ip()),
                    Some(address) => format!("--connect-to {name}:{port}:{address}"),
                    None => String::new(),
                }
            }
        }
    }

    fn address(&self, port: u16) -> String {
        match &self.pod {
            Pod::Variable => format!("\"$POD:{}\"", self.entrance(port)),
            Pod::Kept(_) => self.kept_address(port).map(|address| address.to_string()).unwrap_or_default(),
        }
    }

    fn kept_address(&self, port: u16) -> Option<SocketAddr> {
        match &self.pod {
            Pod::Variable => None,
            Pod::Kept(ports) => ports.iter().find(|(own, _)| *own == self.entrance(port)).map(|(_, address)| *address),
        }
    }
}

/// Quotes a word for a POSIX shell where it needs it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_lab_is_asked_where_it_is() {
        let address = "172.18.0.2:443".parse().expect("an address");
        let shell = Shell::of_a_kept_lab("/tmp/a b/ca.pem", vec![(443, address)]);
        let url = Url::parse("https://example.com/prometheus/api/v1/query?query=up").expect("a URL");
        assert_eq!(
            shell.curl_get(&url),
            "curl -si --cacert '/tmp/a b/ca.pem' --resolve example.com:443:172.18.0.2 \
             'https://example.com/prometheus/api/v1/query?query=up'"
        );
    }

    #[test]
    fn a_mapped_port_is_connected_to() {
        let address = "127.0.0.1:49153".parse().expect("an address");
        let shell = Shell::of_a_kept_lab("ca.pem", vec![(443, address)]);
        let url = Url::parse("https://example.com/").expect("a URL");
        assert!(shell.curl_get(&url).contains("--connect-to example.com:443:127.0.0.1:49153"));
    }
}
