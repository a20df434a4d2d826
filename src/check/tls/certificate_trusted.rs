//! The certificate is signed by an authority that clients have.

use super::super::{Answer, Check, Skip, Turn, View};
use super::certificate_chain::lacks_its_issuer;
use super::served::{at_certificate, chain};
use crate::finding::Level;
use crate::observe::{Certificate, Observer, SignedBy};

pub(crate) static CHECK: Check = Check {
    id: "certificate-trusted",
    level: Level::Error,
    what: "Who signed the certificate is an authority that clients trust, directly or by the intermediates that are sent, \
           as `curl --cacert` verifies it.",
    why: "Browsers show a warning page and every other client (Grafana, federation, remote write, scripts) refuses to \
          connect, until somebody turns verification off for good.",
    fix: "Put a certificate into ssl_certificate that an authority of your clients has signed; if it is signed by itself or \
          by an authority of your own, give clients that certificate, and `--cacert` here.",
    source: "RFC 5280, section 6; https://nginx.org/en/docs/http/configuring_https_servers.html#chains",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let shown = chain(observer)?;
    if lacks_its_issuer(&shown) {
        return Err(Skip("who signed the certificate is not sent: see certificate-chain".to_owned()));
    }
    let Some(last) = untrusted(&shown) else {
        return Ok(Vec::new());
    };
    let who = match last.signed_by {
        SignedBy::Itself if *last == shown[0] => "it is signed by itself".to_owned(),
        SignedBy::Itself => format!("it is signed by {}", last.subject),
        _ => format!("it is signed by {}, which is not sent either", last.issuer),
    };
    let finding = CHECK
        .finding(format!("clients do not trust who signed the certificate of {}", observer.route().server_name))
        .expected("a certificate that leads to an authority that clients trust")
        .actual(who)
        .fix(CHECK.fix);
    Ok(vec![at_certificate(observer, finding)])
}

/// The last certificate on the way from the server's own, if the way does not end with what clients trust.
fn untrusted(shown: &[Certificate]) -> Option<&Certificate> {
    let mut at = 0;
    for _ in shown {
        let certificate = shown.get(at)?;
        match certificate.signed_by {
            _ if certificate.is_trusted => return None,
            SignedBy::Trusted => return None,
            SignedBy::Sent(next) => at = next,
            SignedBy::Itself | SignedBy::Unknown => return Some(certificate),
        }
    }
    shown.get(at)
}
