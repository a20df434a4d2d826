//! What names mean in a Pod.

use std::fmt::Write;
use std::fs;
use std::net::IpAddr;

/// The name of the Pod's machine.
pub(super) const HOSTNAME: &str = "pod";

/// What asks a DNS server asks the Pod's own.
pub(super) const RESOLVER: &str = "nameserver 127.0.0.1\n";

/// The text of `/etc/hosts`.
pub(super) fn hosts(hosts: &[(String, IpAddr)]) -> String {
    text(hosts, has_ipv6())
}

fn text(hosts: &[(String, IpAddr)], ipv6: bool) -> String {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for (name, address) in hosts {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{address} {name}");
    }
    if ipv6 {
        text.push_str("::1 localhost\n");
    }
    text
}

/// Whether loopback has an address of IPv6.
fn has_ipv6() -> bool {
    let addresses = fs::read_to_string("/proc/self/net/if_inet6").unwrap_or_default();
    addresses.lines().any(|line| line.starts_with(&format!("{:032x} ", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_comes_first_and_its_second_meaning_last() {
        let hosts = [("prometheus".to_owned(), IpAddr::from([10, 0, 0, 5]))];
        assert_eq!(text(&hosts, true), "127.0.0.1 localhost\n10.0.0.5 prometheus\n::1 localhost\n");
        assert_eq!(text(&[], false), "127.0.0.1 localhost\n");
    }
}
