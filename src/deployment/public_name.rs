//! The name of a server in its public URL.

use reqwest::Url;

use super::server::Server;

/// The first name that a client can ask for.
pub(super) fn public_name(server: &Server) -> String {
    let names = || server.names.iter().map(|name| name.text.as_str());
    let plain = names().find(|name| is_host_name(name)).map(str::to_owned);
    plain.or_else(|| names().find_map(name_of_wildcard)).unwrap_or_else(|| "localhost".to_owned())
}

/// Whether a name can stand in a URL; `999.1.1.1` can't, although its letters could.
pub(super) fn is_host_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(letters)
        && Url::parse(&format!("https://{name}/")).is_ok()
}

fn name_of_wildcard(name: &str) -> Option<String> {
    let made = match (name.strip_prefix("*."), name.strip_suffix(".*")) {
        (Some(domain), _) => format!("prometheus.{domain}"),
        (_, Some(head)) => format!("{head}.example"),
        _ => name.strip_prefix('.')?.to_owned(),
    };
    is_host_name(&made).then_some(made)
}
