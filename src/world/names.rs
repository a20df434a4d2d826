//! Names and addresses that a deployment speaks of, and what they mean inside the Pod.

use std::net::{IpAddr, Ipv4Addr};

use super::{Substitution, SubstitutionKind, World};
use crate::deployment::{Deployment, HostPort, Server, Upstream};

/// Where Prometheus is for its own names: it listens on every address of the Pod.
const PROMETHEUS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl World {
    /// Lets every host that the configuration names be found in the Pod, and nothing outside of it.
    pub(super) fn add_hosts(&mut self, deployment: &Deployment) {
        let public = &deployment.route().server_name;
        self.hosts.push((public.clone(), PROMETHEUS));
        for upstream in &deployment.upstreams {
            self.add_host(upstream, deployment);
        }
    }

    fn add_host(&mut self, upstream: &Upstream, deployment: &Deployment) {
        let Some(HostPort { host, .. }) = upstream.address.host_port() else { return };
        if host == "localhost" || self.hosts.iter().any(|(known, _)| known == host) {
            return;
        }
        let by = match host.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() || self.addresses.contains(&address) => return,
            Ok(address) => {
                self.addresses.push(address);
                "an address of the Pod itself".to_owned()
            }
            Err(_) => {
                let address = self.address_of(upstream, deployment);
                self.hosts.push((host.clone(), address));
                format!("{address} in the Pod")
            }
        };
        self.substitutions.push(Substitution {
            kind: SubstitutionKind::Host,
            what: host.clone(),
            by,
            location: Some(upstream.location.clone()),
        });
    }

    /// Prometheus's host is where Prometheus listens. Every other host has a loopback address of its own.
    fn address_of(&self, upstream: &Upstream, deployment: &Deployment) -> IpAddr {
        if upstream.address.name() == deployment.route().upstream.name() {
            return PROMETHEUS;
        }
        let [high, low] = u16::try_from(self.hosts.len()).unwrap_or(u16::MAX).to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(127, 1, high, low))
    }
}

/// The names that a server's certificate has to be for: a certificate can hold no regular expression and no `_`.
pub(super) fn certificate_names(server: &Server, public: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let plain = server.names.iter().map(|name| name.text.as_str()).flat_map(as_certificate_names);
    for name in plain.chain(std::iter::once(public.to_owned())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `.example.com` means the name and all below it; `www.example.*` and `~regex` can't be written into a certificate.
fn as_certificate_names(name: &str) -> Vec<String> {
    if let Some(parent) = name.strip_prefix('.') {
        return vec![parent.to_owned(), format!("*.{parent}")];
    }
    let in_certificates = name.strip_prefix("*.").unwrap_or(name);
    let writable = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if in_certificates.is_empty() || !in_certificates.chars().all(writable) {
        return Vec::new();
    }
    vec![name.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_certificate_can_hold_goes_into_it() {
        assert_eq!(as_certificate_names(".example.com"), ["example.com", "*.example.com"]);
        assert_eq!(as_certificate_names("*.example.com"), ["*.example.com"]);
        assert!(as_certificate_names("_").is_empty());
        assert!(as_certificate_names("~^www").is_empty());
        assert!(as_certificate_names("www.example.*").is_empty());
    }
}
