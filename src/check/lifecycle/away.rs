//! What clients are told while Prometheus is away, and which line tells them so.

use std::net::IpAddr;

use super::super::obstacle::is_prometheus;
use crate::deployment::{Address, Directive, FileKind, HostPort};
use crate::observe::{Observer, Seen};

/// What nginx itself answers when nobody listens where Prometheus was.
const AWAY: &str = "502";
/// The variables that hold where an upstream is.
const INSIDE: [&str; 4] = ["$upstream_addr", "$proxy_host", "$proxy_port", "$upstream_last_addr"];

/// Whether an answer says that a server behind this one is at fault, so that clients try again later.
pub(in crate::check) fn is_clean(seen: &Seen) -> bool {
    seen.status >= 500
}

/// Whether somebody else answers as Prometheus would.
pub(in crate::check) fn is_another(seen: &Seen) -> bool {
    is_prometheus(seen)
}

/// What an answer tells of the inside, and the header that does, or none for the body.
pub(in crate::check) fn leak<'a>(seen: &'a Seen, inside: &[String]) -> Option<(String, Option<&'a str>)> {
    let within = |text: &str| inside.iter().find(|secret| text.contains(secret.as_str())).cloned();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers = seen.headers.iter();
    let header = headers.find_map(|(name, value)| Some((within(&text(value))?, Some(name.as_str()))));
    header.or_else(|| Some((within(&seen.text())?, None)))
}

/// How the inside of the deployment is written.
pub(in crate::check) fn inside(observer: &Observer) -> Vec<String> {
    let route = observer.route();
    let all = std::iter::once(&route.upstream).chain(&route.peers);
    let mut inside: Vec<String> = all.flat_map(|address| written(observer, address)).collect();
    inside.retain(|text| *text != route.server_name);
    inside.sort_by_key(|text| std::cmp::Reverse(text.len()));
    inside.dedup();
    inside
}

fn written(observer: &Observer, address: &Address) -> Vec<String> {
    let HostPort { host, port } = match address {
        Address::Tcp(address) => address,
        Address::Unix(path) => return vec![path.clone()],
    };
    let bracketed = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let own: Option<IpAddr> = host.parse().ok();
    let mut found = vec![format!("{}:{port}", own.map_or_else(|| host.clone(), bracketed))];
    match own.or_else(|| observer.world().ok()?.host(host)) {
        Some(address) => found.push(format!("{}:{port}", bracketed(address))),
        None => found.extend([format!("127.0.0.1:{port}"), format!("[::1]:{port}")]),
    }
    // A name of one word, or an address that every machine has, may stand in a page for another reason.
    let tells = match own {
        Some(address) => !address.is_loopback() && !address.is_unspecified(),
        None => host.contains('.'),
    };
    found.extend(tells.then(|| host.clone()));
    found
}

/// The `error_page` that makes another answer of nginx's own.
pub(in crate::check) fn error_page<'a>(observer: &'a Observer, path: &str) -> Option<&'a Directive> {
    let mut pages = observer.facts().in_force(path, "error_page").into_iter();
    pages.find(|page| page.args.iter().any(|arg| arg.text == AWAY))
}

/// Whether the page that such an `error_page` leads to is a file that the deployment does not bring, so that the Lab lacks it:
/// images of nginx have a `50x.html` of their own.
pub(in crate::check) fn page_is_elsewhere(observer: &Observer, page: &Directive) -> bool {
    let facts = observer.facts();
    let Some(target) = page.args.last().map(|arg| arg.text.as_str()).filter(|target| target.starts_with('/')) else {
        return false;
    };
    let alias = facts.location_for(target).and_then(|location| location.children_named("alias").next());
    let root = alias.or_else(|| facts.in_force(target, "root").into_iter().next());
    let Some(root) = root.and_then(|root| root.arg(0)) else { return true };
    let mut brought = facts.deployment.files.uses.iter().filter(|file| file.kind == FileKind::SiteFile);
    !brought.any(|file| file.file.path.starts_with(root.trim_end_matches('/')))
}

/// The line that writes where the upstream is into an answer.
pub(in crate::check) fn teller<'a>(
    observer: &'a Observer,
    path: &str,
    secret: &str,
    header: Option<&str>,
) -> Option<&'a Directive> {
    if let Some(header) = header {
        return observer.facts().added_header(path, header);
    }
    let server = observer.facts().server_blocks(observer.route().server).pop()?;
    let tells = |directive: &Directive| {
        let says = |text: &str| text.contains(secret) || INSIDE.iter().any(|variable| text.contains(variable));
        directive.is("return") && directive.args.iter().any(|arg| says(&arg.text))
    };
    find(server, &tells).or_else(|| error_page(observer, path))
}

fn find<'a>(block: &'a Directive, fits: &dyn Fn(&Directive) -> bool) -> Option<&'a Directive> {
    block.children().iter().find_map(|child| if fits(child) { Some(child) } else { find(child, fits) })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};
    use reqwest::{Method, Url};

    use super::*;

    fn seen(status: u16, header: &'static str, body: &str) -> Seen {
        let headers = HeaderMap::from_iter([(reqwest::header::VIA, HeaderValue::from_static(header))]);
        let url = Url::parse("https://a.b/").expect("a URL");
        Seen { method: Method::GET, url, form: Vec::new(), status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn an_address_is_found_in_a_header_or_the_body() {
        let inside = ["10.0.0.5:9090".to_owned(), "10.0.0.5".to_owned()];
        let secret = |answer: &Seen| leak(answer, &inside).map(|(secret, header)| (secret, header.map(str::to_owned)));
        assert_eq!(secret(&seen(502, "nginx", "502 Bad Gateway")), None);
        assert_eq!(secret(&seen(502, "nginx", "no 10.0.0.5:9090")), Some(("10.0.0.5:9090".to_owned(), None)));
        assert_eq!(secret(&seen(502, "10.0.0.5", "")), Some(("10.0.0.5".to_owned(), Some("via".to_owned()))));
    }

    #[test]
    fn an_answer_that_hides_the_outage_is_not_clean() {
        assert!([502, 503, 504].iter().all(|status| is_clean(&seen(*status, "", ""))));
        assert!([200, 302, 404].iter().all(|status| !is_clean(&seen(*status, "", ""))));
    }
}
