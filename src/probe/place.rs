//! Where the public name is: by `--resolve`, else as the system says.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::ProbeError;
use super::target::Target;

/// How long one address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// As many addresses as are tried.
const MOST: usize = 8;

/// Where a name is, instead of what the system says: `HOST:PORT:ADDRESS`, as curl takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The name in the URL; `*` is every one.
    pub host: String,
    /// The port in the URL.
    pub port: u16,
    /// The address to connect to, at the same port.
    pub address: IpAddr,
}

impl FromStr for Resolve {
    type Err = ProbeError;

    fn from_str(text: &str) -> Result<Self, ProbeError> {
        let parsed = || {
            let (host, rest) = text.split_once(':')?;
            let (port, address) = rest.split_once(':')?;
            let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
            let resolve = Self { host: host.to_owned(), port: port.parse().ok()?, address: bare.parse().ok()? };
            (!host.is_empty() && resolve.port != 0).then_some(resolve)
        };
        parsed().ok_or_else(|| ProbeError::Resolve { text: text.to_owned() })
    }
}

/// Where clients connect to for each port of the name.
#[derive(Debug)]
pub(super) struct Place {
    /// What was said for a port.
    pub(super) resolved: Vec<(u16, IpAddr)>,
    /// What is answered at.
    address: IpAddr,
}

impl Place {
    /// Looks for the first address that takes a connection.
    pub(super) async fn of(target: &Target, resolve: &[Resolve]) -> Result<Self, ProbeError> {
        let ours = resolve.iter().filter(|own| own.host == "*" || own.host.eq_ignore_ascii_case(&target.host));
        let resolved: Vec<(u16, IpAddr)> = ours.map(|own| (own.port, own.address)).collect();
        let said = resolved.iter().filter(|(port, _)| *port == target.port).map(|(_, address)| *address);
        let mut addresses: Vec<IpAddr> = said.collect();
        if addresses.is_empty() {
            addresses = looked_up(target).await?;
        }
        let mut tried = Vec::new();
        for address in addresses.into_iter().take(MOST) {
            let place = SocketAddr::new(address, target.port);
            match timeout(PATIENCE, TcpStream::connect(place)).await {
                Ok(Ok(_)) => return Ok(Self { resolved, address }),
                Ok(Err(error)) => tried.push(format!("{place} ({error})")),
                Err(_) => tried.push(format!("{place} (no answer in {} s)", PATIENCE.as_secs())),
            }
        }
        Err(ProbeError::NoAnswer { host: target.host.clone(), tried: tried.join(", ") })
    }

    /// Where a port of the name is.
    pub(super) fn at(&self, port: u16) -> SocketAddr {
        let said = self.resolved.iter().find(|(own, _)| *own == port).map(|(_, address)| *address);
        SocketAddr::new(said.unwrap_or(self.address), port)
    }
}

async fn looked_up(target: &Target) -> Result<Vec<IpAddr>, ProbeError> {
    let (host, port) = (target.host.clone(), target.port);
    let nowhere = |cause: String| ProbeError::NoAddress { host: target.host.clone(), port, cause };
    let found = match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(found) => found.map_err(|error| nowhere(error.to_string()))?,
        Err(_) => return Err(nowhere(format!("no name server answered in {} s", PATIENCE.as_secs()))),
    };
    let addresses: Vec<IpAddr> = found.map(|place| place.ip()).collect();
    if addresses.is_empty() { Err(nowhere("the system knows none".to_owned())) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_curl_has_it() {
        for (text, address) in [
            ("example.com:443:192.0.2.1", "192.0.2.1"),
            ("example.com:443:[::1]", "::1"),
            ("example.com:443:2001:db8::1", "2001:db8::1"),
            ("*:8443:127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(text.parse::<Resolve>().unwrap().address, address.parse::<IpAddr>().unwrap());
        }
        for text in
            ["", "example.com", "example.com:443", "example.com:443:", "example.com:x:::1", ":443:::1", "a:0:::1"]
        {
            assert!(text.parse::<Resolve>().is_err(), "{text}");
        }
    }

    #[test]
    fn another_port_of_the_name_is_at_the_same_address_unless_it_is_said_where() {
        let [a, b]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let place = Place { resolved: vec![(443, a), (80, b)], address: a };
        assert_eq!((place.at(80).ip(), place.at(443).ip(), place.at(8443).ip()), (b, a, a));
    }
}
