//! Which cipher suites the server takes.

use super::super::{Answer, Check, Turn, View};
use super::in_force::{Directives, or_listen};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Suite};

/// Mozilla's intermediate list without the suites that need `ssl_dhparam`.
const GOOD: &str = "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
                    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;";

pub(crate) static CHECK: Check = Check {
    id: "tls-ciphers",
    level: Level::Warning,
    what: "The server takes suites with forward secrecy and authenticated encryption, and none that is broken: no NULL, \
           anonymous or export suite, no 3DES, no RC4.",
    why: "A broken suite that is taken can be forced on a client. Without forward secrecy, whoever gets the key later reads \
          what was recorded before.",
    fix: GOOD,
    source: "RFC 9325, section 4; RFC 7465; RFC 8429; https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_ciphers",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    super::served::need_tls_port(observer)?;
    let suites = observer.tls_probe().await?.suites();
    if suites.is_empty() {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    let broken = |suite: &&Suite| suite.weakness().is_some();
    let weak: Vec<&Suite> = suites.iter().filter(broken).collect();
    if !weak.is_empty() {
        let mut kinds: Vec<&str> = weak.iter().filter_map(|suite| suite.weakness()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let message = format!("the server takes broken cipher suites: {}", kinds.join(", "));
        findings.push(finding(observer, &message, &weak));
    }
    let sound: Vec<&Suite> = suites.iter().filter(|suite| !broken(suite)).collect();
    findings.extend(lacking(observer, &sound, "forward secrecy", |suite| suite.has_forward_secrecy()));
    findings.extend(lacking(observer, &sound, "authenticated encryption", |suite| suite.is_aead()));
    Ok(findings)
}

/// A warning where no suite has what is asked for, a note where some have not.
fn lacking(observer: &Observer, sound: &[&Suite], what: &str, has: fn(&Suite) -> bool) -> Option<Finding> {
    let without: Vec<&Suite> = sound.iter().copied().filter(|suite| !has(suite)).collect();
    if without.is_empty() {
        return None;
    }
    // All of TLS 1.3 have both: a client that has TLS 1.2 alone gets what is left.
    let of_tls12 = sound.iter().filter(|suite| !suite.is_of_tls13()).count();
    let (message, level) = match without.len() == of_tls12 {
        true => {
            (format!("no cipher suite that the server takes from a client with TLS 1.2 has {what}"), Level::Warning)
        }
        false => (format!("the server also takes cipher suites without {what}"), Level::Note),
    };
    Some(finding(observer, &message, &without).at_level(level))
}

fn finding(observer: &Observer, message: &str, suites: &[&Suite]) -> Finding {
    let directives = Directives::of(observer, "ssl_ciphers");
    let directive = directives.own();
    let fix = match directive {
        Some(directive) => Fix::replace(directive.location.clone(), GOOD),
        None => Fix::insert_into(observer.facts().tls_server_place().clone(), GOOD),
    };
    let names: Vec<&str> = suites.iter().map(|suite| suite.name).collect();
    let route = observer.route();
    CHECK
        .finding(message)
        .expected("ECDHE with AES-GCM or ChaCha20-Poly1305 alone")
        .actual(names.join(", "))
        .at(or_listen(observer, directive))
        .fix(fix)
        .shown_by(observer.shell().s_client(&route.server_name, route.port))
}
