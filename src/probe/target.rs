//! The URL of a probe: https, a name, and the path below which Prometheus is.

use std::fmt;

use reqwest::Url;

use super::ProbeError;

/// What is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As it was given.
    pub(super) url: String,
    /// The name or the address.
    pub(super) host: String,
    pub(super) port: u16,
    /// The path without the slash at its end.
    pub(super) prefix: String,
}

/// What is wrong with a URL, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrongUrl {
    /// Nothing that can be read, or nothing before the name.
    NoScheme(String),
    /// No name.
    NoName(String),
    /// Not encrypted.
    Plain(String),
    /// Another scheme than http.
    Other(String),
    /// An IPv6 address in the place of the name.
    Ipv6(u16),
    /// A name and a password.
    Password,
    /// More than a path.
    More(String),
    /// Nothing that can be a URL.
    Unreadable(String),
}

impl fmt::Display for WrongUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScheme(url) => write!(f, "it does not begin with https://. Write {url}"),
            Self::NoName(url) => write!(f, "it has no name. Write {url}"),
            Self::Plain(url) => write!(
                f,
                "it is not encrypted, and a probe is about TLS. Write the URL that people open, such as {url}; what \
                 port 80 does is asked too"
            ),
            Self::Other(scheme) => write!(f, "{scheme} is not https. Write https://NAME/PREFIX/"),
            Self::Ipv6(port) => write!(
                f,
                "certificates are for names. Write https://NAME/PREFIX/ and, beside it, --resolve NAME:{port}:[ADDRESS]"
            ),
            Self::Password => write!(f, "reports show URLs. Give name and password beside it: --basic-auth USER:PASS"),
            Self::More(url) => {
                write!(f, "a `?` or `#` is of one page. Write the URL below which all of Prometheus is, such as {url}")
            }
            Self::Unreadable(cause) => write!(f, "{cause}. Write https://NAME/PREFIX/"),
        }
    }
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, ProbeError> {
        Self::read(text.trim()).map_err(|wrong| ProbeError::Url { url: text.to_owned(), wrong })
    }

    fn read(text: &str) -> Result<Self, WrongUrl> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| no_scheme(text))?;
        match scheme.to_ascii_lowercase().as_str() {
            "https" => {}
            "http" => return Err(WrongUrl::Plain(format!("https://{rest}"))),
            _ => return Err(WrongUrl::Other(scheme.to_owned())),
        }
        if rest.starts_with('/') {
            return Err(WrongUrl::NoName(format!("https://NAME/{}", rest.trim_start_matches('/'))));
        }
        let url = Url::parse(text).map_err(|error| WrongUrl::Unreadable(error.to_string()))?;
        let port = url.port_or_known_default().unwrap_or(443);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WrongUrl::Password);
        }
        if url.query().is_some() || url.fragment().is_some() {
            let mut plain = url;
            plain.set_query(None);
            plain.set_fragment(None);
            return Err(WrongUrl::More(plain.into()));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if host.starts_with('[') {
            return Err(WrongUrl::Ipv6(port));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { url: text.to_owned(), host, port, prefix })
    }
}

fn no_scheme(text: &str) -> WrongUrl {
    let rest = text.trim_start_matches("https:");
    let name = if rest.starts_with('/') { "NAME/" } else { "" };
    WrongUrl::NoScheme(format!("https://{name}{}", rest.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_name_a_port_and_a_prefix() {
        for (text, host, port, prefix) in [
            ("https://example.com/prometheus/", "example.com", 443, "/prometheus"),
            ("https://Example.com:8443", "example.com", 8443, ""),
            ("HTTPS://127.0.0.1/a/b", "127.0.0.1", 443, "/a/b"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.host.as_str(), target.port, target.prefix.as_str()), (host, port, prefix));
        }
    }

    #[test]
    fn what_is_no_such_url_says_what_to_write() {
        for (text, words) in [
            ("example.com/p/", "Write https://example.com/p/"),
            ("http://example.com/p/", "such as https://example.com/p/;"),
            ("ftp://example.com/", "ftp is not https"),
            ("https://", "empty host. Write https://NAME/PREFIX/"),
            ("https://[::1]:8443/", "--resolve NAME:8443:[ADDRESS]"),
            ("https://a:b@example.com/", "--basic-auth"),
            ("https://example.com/p/graph?x=y#z", "such as https://example.com/p/graph"),
            ("/prometheus/", "Write https://NAME/prometheus/"),
            ("https:///prometheus/", "no name. Write https://NAME/prometheus/"),
            ("https:example.com", "Write https://example.com"),
        ] {
            let message = Target::parse(text).unwrap_err().to_string();
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
