//! Whether a value is what the client said, and whether an address is one that anybody may have.

use ipnet::IpNet;

/// The headers in which clients and proxies say who they are, each with what nginx itself knows of it.
const OWN: [(&str, &str); 8] = [
    ("x-forwarded-for", "$proxy_add_x_forwarded_for"),
    ("x-forwarded-proto", "$scheme"),
    ("x-forwarded-scheme", "$scheme"),
    ("x-forwarded-host", "$host"),
    ("x-forwarded-server", "$host"),
    ("x-forwarded-port", "$server_port"),
    ("x-real-ip", "$remote_addr"),
    ("forwarded", "\"for=$remote_addr;proto=$scheme\""),
];

/// Networks that nobody has on the public net: RFC 1918, 4193, 6598 and the like.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];
/// No provider has a network as wide as these.
const WIDEST: (u8, u8) = (8, 16);

/// What to write for a header instead of its value, if that is what the client said. `variables` are those that the
/// configuration makes, each with what it is made of.
pub(in super::super) fn believed(name: &str, value: &str, variables: &[(&str, Vec<&str>)]) -> Option<&'static str> {
    let (_, own) = OWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let is_told = |text: &str| OWN.iter().any(|(header, _)| uses(text, &format!("http_{}", header.replace('-', "_"))));
    let is_made_of_it = || {
        let mut used = variables.iter().filter(|(variable, _)| uses(value, variable.trim_start_matches('$')));
        used.any(|(_, made_of)| made_of.iter().any(|text| is_told(text)))
    };
    (is_told(value) || is_made_of_it()).then_some(*own)
}

/// Whether a text has a variable in it, as `$name` or `${name}`.
fn uses(text: &str, variable: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let plain = format!("${variable}");
    let mut places = text.match_indices(&plain);
    places.any(|(at, _)| !goes_on(&text[at + plain.len()..])) || text.contains(&format!("${{{variable}}}"))
}

/// Whether a network is so wide that anybody may have an address of it.
pub(in super::super) fn trusted_by_all(network: &str) -> bool {
    let Ok(network) = network.parse::<IpNet>() else { return false };
    let is_private =
        PRIVATE.iter().filter_map(|private| private.parse::<IpNet>().ok()).any(|private| match (private, network) {
            (IpNet::V4(private), IpNet::V4(network)) => private.contains(&network),
            (IpNet::V6(private), IpNet::V6(network)) => private.contains(&network),
            _ => false,
        });
    let widest = if network.addr().is_ipv4() { WIDEST.0 } else { WIDEST.1 };
    !is_private && network.prefix_len() <= widest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_said_is_told_from_what_nginx_knows() {
        let maps = [("$proto", vec!["$http_x_forwarded_proto", "$scheme"]), ("$ok", vec!["$scheme"])];
        let is_believed = |name, value| believed(name, value, &maps).is_some();
        assert_eq!(believed("X-Forwarded-Proto", "$http_x_forwarded_proto", &maps), Some("$scheme"));
        assert!(is_believed("X-Forwarded-For", "${http_x_forwarded_for}, $remote_addr"));
        assert!(is_believed("x-forwarded-proto", "$proto"));
        assert!(!is_believed("X-Forwarded-Proto", "$scheme") && !is_believed("X-Forwarded-Proto", "$ok"));
        assert!(!is_believed("X-Forwarded-For", "$proxy_add_x_forwarded_for"));
        assert!(!is_believed("X-Forwarded-Proto", "$protocol") && !is_believed("Host", "$http_host"));
        assert!(!is_believed("X-Custom", "$http_x_forwarded_for"));
    }

    #[test]
    fn a_provider_s_network_is_not_everybody() {
        for wide in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "52.0.0.0/8", "2000::/3"] {
            assert!(trusted_by_all(wide), "{wide}");
        }
        for narrow in ["10.0.0.0/8", "172.64.0.0/13", "fd00::/8", "192.0.2.7", "2a06:98c0::/29", "unix:", "lb.example"]
        {
            assert!(!trusted_by_all(narrow), "{narrow}");
        }
    }
}
