//! Where OCSP answers are to be stapled, one is.

use super::super::obstacle::need_tls;
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{LogLine, Observer};

/// nginx's words for what it does not do.
pub(crate) const IGNORED: &str = "\"ssl_stapling\" ignored";

pub(crate) static CHECK: Check = Check {
    id: "ocsp-stapling",
    level: Level::Warning,
    what: "With `ssl_stapling on` the handshake carries an answer of the certificate's OCSP responder.",
    why: "A certificate without the address of a responder (all of Let's Encrypt's since 2025), a missing issuer or a missing \
          `resolver` let nginx drop the setting with one line in its log: what looks like a safeguard does nothing.",
    fix: "Remove ssl_stapling and ssl_stapling_verify, unless the certificate names a responder.",
    source: "RFC 6066, section 8; https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_stapling",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let facts = observer.facts();
    let stapling = facts.tls_in_force("ssl_stapling");
    let Some(directive) = stapling.last().filter(|stapling| stapling.arg(0) == Some("on")) else {
        return Err(Skip("the deployment does not ask for it".to_owned()));
    };
    if observer.staples().await? {
        return Ok(Vec::new());
    }
    // What is made up here names no responder, and says nothing of the deployment's own certificate.
    let made_up = facts.server().certificates.iter().all(|pair| pair.certificate.content.is_none());
    let file = facts.server_in_force("ssl_stapling_file");
    if made_up && file.is_empty() {
        // certbot's own place: what lies there in the deployment has no responder any more.
        if facts.server().certificates.iter().any(|pair| pair.certificate.path.contains("/letsencrypt/")) {
            let said = "Let's Encrypt's certificates name no OCSP responder since 2025";
            return Ok(vec![finding(directive, said).at_level(Level::Note)]);
        }
        return Err(Skip("the certificate is made up: whether its issuer has a responder is not known".to_owned()));
    }
    let has_responder = observer.certificates().first().is_some_and(|leaf| leaf.has_ocsp_responder);
    let ignored = observer.nginx_log().into_iter().find(|line| line.message.starts_with(IGNORED));
    match ignored {
        Some(line) => Ok(vec![finding(directive, &said(&line))]),
        None if !file.is_empty() => Ok(vec![finding(directive, "no answer is stapled, although a file is given")]),
        None if has_responder || !facts.server_in_force("ssl_stapling_responder").is_empty() => {
            Err(Skip("the certificate's OCSP responder can't be reached from here".to_owned()))
        }
        None => Ok(vec![finding(directive, "no answer is stapled")]),
    }
}

fn said(line: &LogLine) -> String {
    format!("nginx says: {}", line.message)
}

fn finding(directive: &Directive, actual: &str) -> Finding {
    CHECK
        .finding("ssl_stapling is on, and no OCSP answer is stapled")
        .expected("an OCSP answer in the handshake")
        .actual(actual)
        .at(directive.location.clone())
        .fix(Fix::remove(directive.location.clone(), CHECK.fix))
}
