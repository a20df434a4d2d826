//! The DNS servers that nginx asks at run time: <https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver>.

use super::Nginx;
use super::directive::Directive;
use super::host_port::HostPort;
use crate::location::Location;

/// A DNS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Where it is asked: its name or address, and its UDP port.
    pub address: HostPort,
    /// The `resolver` directive that names it first.
    pub location: Location,
}

const DNS: u16 = 53;

/// Every DNS server that the configuration names, once.
pub(super) fn resolvers(nginx: &Nginx) -> Vec<Resolver> {
    let mut found: Vec<Resolver> = Vec::new();
    collect(&nginx.directives, &mut found);
    found
}

fn collect(directives: &[Directive], found: &mut Vec<Resolver>) {
    /// More than any deployment has.
    const MOST: usize = 64;
    for directive in directives {
        if directive.is("resolver") {
            let named = directive.args.iter().filter(|arg| !arg.text.contains('='));
            for address in named.filter_map(|arg| HostPort::with_default_port(&arg.text, DNS)) {
                if found.len() < MOST && found.iter().all(|known| known.address != address) {
                    found.push(Resolver { address, location: directive.location.clone() });
                }
            }
        }
        collect(directive.children(), found);
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    #[test]
    fn every_server_is_found_once_and_parameters_are_none() {
        let conf = "http { resolver 127.0.0.11 [2001:db8::1]:5353 valid=10s ipv6=off;
            server { location / { resolver kube-dns.kube-system.svc.cluster.local 127.0.0.11; } } }";
        let nginx = Files::of(&[("nginx.conf", conf)]).nginx().unwrap();
        let found: Vec<String> = super::resolvers(&nginx).iter().map(|found| found.address.to_string()).collect();
        assert_eq!(found, ["127.0.0.11:53", "[2001:db8::1]:5353", "kube-dns.kube-system.svc.cluster.local:53"]);
    }
}
