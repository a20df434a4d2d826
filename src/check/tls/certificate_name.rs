//! The certificate is for every name of the server.

use futures_util::future::join_all;

use super::super::obstacle::need_tls;
use super::super::{Answer, Check, Turn, View};
use crate::deployment::Argument;
use crate::finding::{Finding, Level};
use crate::observe::{Certificate, Observer};

/// More names than these are a list that something wrote.
const MOST_NAMES: usize = 32;

pub(crate) static CHECK: Check = Check {
    id: "certificate-name",
    level: Level::Error,
    what: "The certificate is for every name that the server has in server_name.",
    why: "Clients refuse a certificate that is not for the name that they asked for. A name that was added to server_name \
          and not to the certificate, or a second lineage of certbot with other names, is enough.",
    fix: "Order a certificate for all names of server_name, such as `certbot -d example.com -d www.example.com`, or take \
          the name out of server_name.",
    source: "RFC 6125, section 6; RFC 9525; https://nginx.org/en/docs/http/server_names.html",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let public = observer.route().server_name.as_str();
    let mut findings = Vec::new();
    if let Some(leaf) = observer.certificates().first().filter(|leaf| !leaf.is_for(public)) {
        findings.push(finding(observer, public, leaf));
    }
    let names = others(observer);
    let shown = join_all(names.iter().map(|(_, name)| observer.certificates_for(name))).await;
    for ((written, name), shown) in names.iter().zip(shown) {
        // Each name can have a certificate of its own, by a variable in its path.
        let Some(leaf) = shown.ok().and_then(|shown| shown.into_iter().next()).filter(|leaf| !leaf.is_for(name)) else {
            continue;
        };
        let is_wildcard = written.text != *name;
        let level = if is_wildcard { Level::Note } else { Level::Warning };
        let place = written.location.clone();
        findings.push(finding(observer, name, &leaf).at_level(level).at(place));
    }
    Ok(findings)
}

/// The names that a client from outside can ask for, as they are written and as a client writes them.
fn others(observer: &Observer) -> Vec<(&Argument, String)> {
    let public = &observer.route().server_name;
    let names = observer.facts().server().names.iter();
    let asked = names.filter_map(|name| Some((name, as_asked(&name.text)?))).filter(|(_, name)| name != public);
    asked.take(MOST_NAMES).collect()
}

/// Names without a dot, addresses and patterns are for other things than certificates of public names.
fn as_asked(name: &str) -> Option<String> {
    let written = match name.strip_prefix("*.") {
        Some(parent) => format!("any.{parent}"),
        None => name.trim_start_matches('.').to_owned(),
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let is_name = written.contains('.') && written.chars().all(letters) && !written.ends_with('.');
    (is_name && written.parse::<std::net::IpAddr>().is_err()).then_some(written)
}

fn finding(observer: &Observer, name: &str, leaf: &Certificate) -> Finding {
    CHECK
        .finding(format!("the certificate is not for {name}"))
        .expected(format!("a certificate for {name}"))
        .actual(match leaf.names.is_empty() {
            true => "a certificate for no name".to_owned(),
            false => format!("a certificate for {}", leaf.names.join(", ")),
        })
        .at(observer.facts().certificate_place())
        .fix(format!("order a certificate for {name} too, and put it into ssl_certificate"))
        .shown_by(observer.shell().s_client(name, observer.route().port))
}

#[cfg(test)]
mod tests {
    use super::as_asked;

    #[test]
    fn only_what_a_client_can_ask_for_is_asked_for() {
        for (written, asked) in [
            ("www.example.com", Some("www.example.com")),
            (".example.com", Some("example.com")),
            ("*.example.com", Some("any.example.com")),
            ("www.example.*", None),
            ("~^(?<host>.+)\\.example\\.com$", None),
            ("_", None),
            ("", None),
            ("localhost", None),
            ("10.0.0.1", None),
            ("$hostname", None),
        ] {
            assert_eq!(as_asked(written).as_deref(), asked, "{written}");
        }
    }
}
