//! What stands between a client and a location: passwords, addresses, certificates, another server's word.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::directive::Directive;
use crate::location::Location;

/// What is asked of a client before nginx passes its request on, as it is in force in one location by inheritance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `auth_basic`: a name and a password.
    pub basic: Option<Location>,
    /// `allow` and `deny`, in their order: the first that fits decides.
    pub rules: Vec<AddressRule>,
    /// `satisfy any`: one of password, address and word of another server is enough.
    pub any: bool,
    /// `auth_request`: another server's word.
    pub request: Option<Location>,
    /// `ssl_verify_client`: a certificate of the client.
    pub certificate: Option<ClientCertificate>,
    /// `set_real_ip_from`: whose word about the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// `real_ip_header`: in which header they say it; `proxy_protocol` for the PROXY protocol.
    pub real_ip_header: Option<String>,
}

/// One `allow` or `deny`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRule {
    /// Whether it lets in.
    pub allows: bool,
    /// Whom it is about; none for `unix:` and what is no address.
    pub networks: Vec<IpNet>,
    /// The directive.
    pub location: Location,
}

/// What is asked of a client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// `on`, `optional` or `optional_no_ca`.
    pub mode: String,
    /// The directive.
    pub location: Location,
}

impl Access {
    /// What is in force in the last of these blocks, each of which stands in the one before it.
    pub(super) fn of(blocks: &[&Directive]) -> Self {
        let inherited = |name: &'static str| blocks.iter().rev().find_map(|block| block.children_named(name).next());
        let on = |name| inherited(name).filter(|directive| directive.arg(0) != Some("off"));
        Self {
            basic: on("auth_basic").map(|directive| directive.location.clone()),
            rules: rules(blocks),
            any: inherited("satisfy").is_some_and(|satisfy| satisfy.arg(0) == Some("any")),
            request: on("auth_request").map(|directive| directive.location.clone()),
            certificate: on("ssl_verify_client").map(|directive| ClientCertificate {
                mode: directive.arg(0).unwrap_or_default().to_owned(),
                location: directive.location.clone(),
            }),
            trusted_proxies: trusted_proxies(blocks),
            real_ip_header: inherited("real_ip_header").and_then(|header| header.arg(0)).map(str::to_owned),
        }
    }

    /// Whether `allow` and `deny` let this address in.
    pub fn lets_in(&self, address: IpAddr) -> bool {
        let fits = |rule: &&AddressRule| rule.networks.iter().any(|network| network.contains(&address));
        self.rules.iter().find(fits).is_none_or(|rule| rule.allows)
    }

    /// An address that they let in, if clients of the one that is usual here would be refused.
    pub fn allowed_client(&self) -> Option<IpAddr> {
        let named = self.rules.iter().filter(|rule| rule.allows).flat_map(|rule| &rule.networks);
        let clients = named.map(a_client_of).filter(|client| !client.is_unspecified() && self.lets_in(*client));
        let mut clients: Vec<IpAddr> = clients.collect();
        clients.sort_by_key(|client| (client.is_ipv6(), client.is_loopback()));
        clients.first().copied()
    }

    /// An address that they refuse.
    pub fn denied_client(&self) -> Option<IpAddr> {
        // Documentation addresses (RFC 5737) first: nobody allows them. Then what a list may forget.
        const STRANGERS: [[u8; 4]; 5] =
            [[203, 0, 113, 77], [198, 51, 100, 77], [192, 0, 2, 77], [172, 40, 3, 77], [10, 99, 3, 77]];
        let named = self.rules.iter().filter(|rule| !rule.allows).flat_map(|rule| &rule.networks).map(a_client_of);
        let strangers = STRANGERS.iter().map(|octets| IpAddr::from(*octets));
        strangers.chain(named).find(|client| !client.is_unspecified() && !self.lets_in(*client))
    }
}

/// A list of a deeper level replaces that of a level above.
fn rules(blocks: &[&Directive]) -> Vec<AddressRule> {
    let is_rule = |directive: &&Directive| matches!(directive.name.as_str(), "allow" | "deny");
    let level = blocks.iter().rev().find(|block| block.children().iter().any(|child| is_rule(&child)));
    let rules = level.into_iter().flat_map(|block| block.children().iter().filter(is_rule));
    rules
        .map(|rule| AddressRule {
            allows: rule.is("allow"),
            networks: rule.arg(0).map(networks).unwrap_or_default(),
            location: rule.location.clone(),
        })
        .collect()
}

fn trusted_proxies(blocks: &[&Directive]) -> Vec<IpNet> {
    let level = blocks.iter().rev().find(|block| block.children_named("set_real_ip_from").next().is_some());
    let named = level.into_iter().flat_map(|block| block.children_named("set_real_ip_from"));
    named.filter_map(|from| from.arg(0)).flat_map(networks).collect()
}

fn networks(written: &str) -> Vec<IpNet> {
    if written == "all" {
        return [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)]
            .into_iter()
            .filter_map(|any| IpNet::new(any, 0).ok())
            .collect();
    }
    let one = written.parse::<IpAddr>().map(IpNet::from).ok();
    one.or_else(|| written.parse().ok()).into_iter().collect()
}

/// An address of a network that a client can have: not the network's own.
fn a_client_of(network: &IpNet) -> IpAddr {
    match network.prefix_len() == 0 {
        true => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        false => network.hosts().nth(9).or_else(|| network.hosts().next()).unwrap_or(network.addr()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    fn access(server: &str) -> Access {
        let directives = directives(&format!("server {{ {server} }}"));
        let server = &directives[0];
        let location = server.children_named("location").next().unwrap();
        Access::of(&[server, location])
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let access = access("location / { deny 10.1.0.0/16; allow 10.0.0.0/8; allow fd00::/8; deny all; }");
        let lets_in = |address: &str| access.lets_in(address.parse().unwrap());
        assert!(lets_in("10.2.3.4") && lets_in("fd00::1"));
        assert!(!lets_in("10.1.2.3") && !lets_in("192.0.2.1") && !lets_in("2001:db8::1"));
        assert_eq!(access.allowed_client().unwrap().to_string(), "10.0.0.10");
        assert_eq!(access.denied_client().unwrap().to_string(), "203.0.113.77");
    }

    #[test]
    fn without_rules_everybody_is_let_in() {
        let access = access("location / { }");
        assert!(access.lets_in("192.0.2.1".parse().unwrap()));
        assert_eq!((access.allowed_client(), access.denied_client()), (None, None));
    }

    #[test]
    fn a_location_s_own_list_replaces_the_server_s() {
        let access = access(
            "allow 10.0.0.1; deny all; auth_basic x; satisfy any; location / { allow 192.168.0.0/16; auth_basic off; }",
        );
        assert!(access.lets_in("8.8.8.8".parse().unwrap()) && access.any);
        assert_eq!(access.basic, None);
        assert_eq!(access.denied_client(), None, "nothing is denied");
    }

    #[test]
    fn whoever_allows_all_but_one_denies_that_one() {
        let access = access("location / { deny 192.0.2.9; allow all; }");
        assert_eq!(access.denied_client().unwrap().to_string(), "192.0.2.9");
    }
}
