//! The commands that show a finding again, as a person would type them.

use std::net::{IpAddr, SocketAddr};

use reqwest::{Method, Url};

use super::http::Seen;
use super::raw::Request;

/// How commands name the CA's certificate and the Pod: real ones while the Lab is kept, shell variables otherwise, so
/// that equal input gives equal reports.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    cacert: Option<String>,
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
    /// No Pod: what others use, with the addresses that its name does not tell.
    Others {
        host: String,
        resolved: Vec<(u16, IpAddr)>,
    },
}

impl Shell {
    /// For a Lab that is gone when somebody reads the report.
    pub(crate) fn of_a_lab_that_goes() -> Self {
        Self { cacert: Some("\"$CA\"".to_owned()), pod: Pod::Variable, way: None, client: Vec::new() }
    }

    /// For a Lab that is kept: where its CA's certificate is, and where its ports are.
    pub(crate) fn of_a_kept_lab(cacert: &str, ports: Vec<(u16, SocketAddr)>) -> Self {
        Self { cacert: Some(quote(cacert)), pod: Pod::Kept(ports), way: None, client: Vec::new() }
    }

    /// For what others use. Of a name and a password the name is shown: curl asks for the other.
    pub(crate) fn of_others(
        host: &str,
        cacert: Option<&str>,
        resolved: Vec<(u16, IpAddr)>,
        user: Option<&str>,
        identity: Option<(&str, &str)>,
    ) -> Self {
        let user = user.map(|user| format!("-u {}", quote(user)));
        let identity = identity.map(|(certificate, key)| format!("--cert {} --key {}", quote(certificate), quote(key)));
        Self {
            cacert: cacert.map(quote),
            pod: Pod::Others { host: host.to_owned(), resolved },
            way: None,
            client: user.into_iter().chain(identity).collect(),
        }
    }

    /// For clients that come by this way (public port, port of the Pod) and have these credentials.
    pub(crate) fn by(self, way: (u16, u16), credentials: Option<&(String, String)>, has_certificate: bool) -> Self {
        let password = credentials.map(|(name, password)| format!("-u {}", quote(&format!("{name}:{password}"))));
        let certificate = has_certificate.then(|| match &self.pod {
            Pod::Variable => "--cert \"$CLIENT_CERT\" --key \"$CLIENT_KEY\"".to_owned(),
            Pod::Kept(_) | Pod::Others { .. } => {
                let cacert = self.cacert.as_deref().unwrap_or_default();
                let directory = cacert.trim_end_matches('\'').rsplit_once('/').map_or("", |(directory, _)| directory);
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
        words.extend(self.trust(&origin));
        words.extend(self.way_to(&origin));
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
        let words = ["curl -sik".to_owned()].into_iter().chain(self.way_to(url)).chain([quote(url.as_str())]);
        words.collect::<Vec<_>>().join(" ")
    }

    fn curl_to(&self, method: &Method, url: &Url, form: &[(&str, &str)]) -> String {
        let mut words = vec!["curl -si".to_owned()];
        words.extend(self.trust(url));
        words.extend(self.way_to(url));
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
        let address = self.address(name, port);
        let trust = self.cacert.as_ref().map(|cacert| format!("-CAfile {cacert} ")).unwrap_or_default();
        format!("openssl s_client -connect {address} -servername {name} -verify_hostname {name} {trust}</dev/null")
    }

    /// The call of `proxyproof probe` that asks a kept Lab, where it is on its own ports.
    pub(crate) fn probe(&self, url: &Url) -> Option<String> {
        let port = url.port_or_known_default()?;
        let address = self.kept_address(port).filter(|address| address.port() == port)?;
        let mut words = vec![format!("proxyproof probe {}", quote(url.as_str()))];
        words.extend(self.trust(url));
        words.push(resolve(url.host_str()?, port, address.ip()));
        let as_options = [("-u ", "--basic-auth "), ("--cert ", "--client-cert "), (" --key ", " --client-key ")];
        words.extend(
            self.client
                .iter()
                .map(|word| as_options.iter().fold(word.clone(), |word, (own, option)| word.replacen(own, option, 1))),
        );
        Some(words.join(" "))
    }

    fn trust(&self, url: &Url) -> Option<String> {
        let cacert = self.cacert.as_ref().filter(|_| url.scheme() == "https")?;
        Some(format!("--cacert {cacert}"))
    }

    /// `--resolve` where the port is the Pod's own, `--connect-to` where it is mapped to another.
    fn way_to(&self, url: &Url) -> Option<String> {
        let name = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(443);
        match &self.pod {
            Pod::Variable if self.entrance(port) != port => {
                Some(format!("--connect-to \"{name}:{port}:$POD:{}\"", self.entrance(port)))
            }
            Pod::Variable => Some(format!("--resolve \"{name}:{port}:$POD\"")),
            Pod::Kept(_) => {
                let address = self.kept_address(port)?;
                Some(match address.port() == port {
                    true => resolve(name, port, address.ip()),
                    false => format!("--connect-to {name}:{port}:{address}"),
                })
            }
            Pod::Others { host, resolved } => match resolved.iter().find(|(own, _)| *own == port) {
                Some((_, address)) => Some(resolve(name, port, *address)),
                None => (name != host).then(|| format!("--connect-to {name}:{port}:{host}:{port}")),
            },
        }
    }

    fn address(&self, name: &str, port: u16) -> String {
        match &self.pod {
            Pod::Variable => format!("\"$POD:{}\"", self.entrance(port)),
            Pod::Kept(_) => self.kept_address(port).map(|address| address.to_string()).unwrap_or_default(),
            Pod::Others { resolved, .. } => match resolved.iter().find(|(own, _)| *own == port) {
                Some((_, address)) => SocketAddr::new(*address, port).to_string(),
                None => format!("{name}:{port}"),
            },
        }
    }

    fn kept_address(&self, port: u16) -> Option<SocketAddr> {
        match &self.pod {
            Pod::Variable | Pod::Others { .. } => None,
            Pod::Kept(ports) => ports.iter().find(|(own, _)| *own == self.entrance(port)).map(|(_, address)| *address),
        }
    }
}

fn resolve(name: &str, port: u16, address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("--resolve {name}:{port}:{address}"),
        IpAddr::V6(address) => format!("--resolve {}", quote(&format!("{name}:{port}:[{address}]"))),
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

    #[test]
    fn what_others_use_is_asked_as_anybody_does() {
        let url = Url::parse("https://a.b/p/").expect("a URL");
        let plain = Shell::of_others("a.b", None, Vec::new(), None, None);
        assert_eq!(plain.curl_get(&url), "curl -si https://a.b/p/");
        let other = Url::parse("https://x.invalid/").expect("a URL");
        assert_eq!(plain.curl_insecurely(&other), "curl -sik --connect-to x.invalid:443:a.b:443 https://x.invalid/");
        assert!(plain.s_client("a.b", 443).starts_with("openssl s_client -connect a.b:443 "));
        let address = "::1".parse().expect("an address");
        let known = Shell::of_others("a.b", Some("ca.pem"), vec![(443, address)], Some("admin"), None);
        assert_eq!(known.curl_get(&url), "curl -si --cacert ca.pem --resolve 'a.b:443:[::1]' -u admin https://a.b/p/");
    }
}
