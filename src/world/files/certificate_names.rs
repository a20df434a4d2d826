//! The names that a server's certificate has to be for: a certificate can hold no regular expression and no `_`.

use std::net::IpAddr;

/// More than clients take in one certificate's worth of handshake.
const MOST_NAMES: usize = 200;

/// Adds names, each once, in the form that a certificate holds.
pub(super) fn add<'a>(names: &mut Vec<String>, written: impl IntoIterator<Item = &'a str>) {
    for name in written.into_iter().flat_map(as_certificate_names) {
        if names.len() < MOST_NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
}

/// `.example.com` means the name and all below it; `www.example.*` and `~regex` can't be written into a certificate.
fn as_certificate_names(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    if let Some(parent) = name.strip_prefix('.') {
        let below = as_certificate_names(&format!("*.{parent}"));
        return below.first().map(|below| vec![parent.to_owned(), below.clone()]).unwrap_or_default();
    }
    let address = name.trim_start_matches('[').trim_end_matches(']');
    if address.parse::<IpAddr>().is_ok() {
        return vec![address.to_owned()];
    }
    let label = name.strip_prefix("*.").unwrap_or(&name);
    let writable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !label.starts_with(|c: char| c.is_ascii_alphanumeric()) || !label.chars().all(writable) {
        return Vec::new();
    }
    vec![name]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_certificate_can_hold_goes_into_it() {
        for (name, expected) in [
            (".example.com", vec!["example.com", "*.example.com"]),
            ("*.Example.com", vec!["*.example.com"]),
            ("my_host", vec!["my_host"]),
            ("10.0.0.1", vec!["10.0.0.1"]),
            ("[::1]", vec!["::1"]),
            ("_", vec![]),
            ("", vec![]),
            (".", vec![]),
            ("~^www", vec![]),
            ("www.example.*", vec![]),
            ("$hostname", vec![]),
        ] {
            assert_eq!(as_certificate_names(name), expected, "{name}");
        }
    }
}
