//! The intermediates are sent with the certificate.

use super::super::{Answer, Check, Turn, View};
use super::served::{at_certificate, chain};
use crate::finding::{Finding, Level};
use crate::observe::{Certificate, Observer, SignedBy};

pub(crate) static CHECK: Check = Check {
    id: "certificate-chain",
    level: Level::Error,
    what: "The certificate comes with every intermediate up to a root that clients have, in their order, and nothing else.",
    why: "Browsers find a missing intermediate in their caches; Grafana, Prometheus, curl and every script do not, and \
          refuse: `certificate signed by unknown authority`.",
    fix: "ssl_certificate fullchain.pem; (the certificate first, then its intermediates: \
          `cat cert.pem chain.pem > fullchain.pem`)",
    source: "RFC 8446, section 4.4.2; https://nginx.org/en/docs/http/configuring_https_servers.html#chains",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let shown = chain(observer)?;
    if lacks_its_issuer(&shown) {
        return Ok(vec![at_certificate(observer, incomplete(&shown[0]))]);
    }
    Ok(superfluous(&shown).map(|finding| at_certificate(observer, finding)).into_iter().collect())
}

/// Whether who signed the server's certificate is neither trusted nor among what is sent.
pub(super) fn lacks_its_issuer(shown: &[Certificate]) -> bool {
    shown.first().is_some_and(|leaf| !leaf.is_trusted && leaf.signed_by == SignedBy::Unknown)
}

fn incomplete(leaf: &Certificate) -> Finding {
    CHECK
        .finding("the intermediate certificate is not sent")
        .expected(format!("the certificate of {} behind that of the server", leaf.issuer))
        .actual(format!("the certificate of {} without that of who signed it, {}", leaf.subject, leaf.issuer))
        .fix(CHECK.fix)
}

/// What is sent and needed by nobody, or in another order than it is needed in.
fn superfluous(shown: &[Certificate]) -> Option<Finding> {
    let mut needed = vec![0];
    while let Some(SignedBy::Sent(next)) = needed.last().map(|last| shown[*last].signed_by) {
        if needed.contains(&next) {
            break;
        }
        needed.push(next);
    }
    let root = |certificate: &&Certificate| certificate.signed_by == SignedBy::Itself;
    let (message, which): (&str, Vec<&Certificate>) = if let Some(root) = shown.iter().skip(1).find(root) {
        ("the root certificate is sent too: clients have it, or will not believe it", vec![root])
    } else if needed.len() < shown.len() {
        let others = shown.iter().enumerate().filter(|(index, _)| !needed.contains(index));
        ("certificates are sent that have nothing to do with the server's", others.map(|(_, other)| other).collect())
    } else if !needed.is_sorted() {
        ("the certificates are not sent in their order", shown.iter().skip(1).collect())
    } else {
        return None;
    };
    let names: Vec<&str> = which.iter().map(|certificate| certificate.subject.as_str()).collect();
    let finding = CHECK
        .finding(message)
        .at_level(Level::Note)
        .expected("the server's certificate, then each that signed the one before it, without the root")
        .actual(names.join("; "))
        .fix("leave them out of the file of ssl_certificate, or put them into the order in which they sign");
    Some(finding)
}
