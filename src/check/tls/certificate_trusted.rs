//! The certificate is one that a client with the right CA accepts.

use super::super::obstacle::need_tls;
use super::super::{Answer, Check, Turn};
use crate::finding::Level;
use crate::observe::Observer;

pub(crate) static CHECK: Check = Check {
    id: "certificate-trusted",
    level: Level::Error,
    what: "A client that trusts the right CA accepts the certificate: its chain, its name and its dates, as \
           `curl --cacert` verifies them.",
    why: "Browsers show a warning page and every other client (Grafana, federation, remote write, scripts) refuses to \
          connect, until somebody turns verification off for good.",
    fix: "Put a certificate into ssl_certificate that is for the server_name, is valid today, and is followed by its \
          intermediates in the same file.",
    source: "RFC 5280, section 6; RFC 6125; https://nginx.org/en/docs/http/configuring_https_servers.html#chains",
    turn: Turn::Together,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let Err(failure) = observer.verified() else {
        return Ok(Vec::new());
    };
    let route = observer.route();
    let finding = CHECK
        .finding(format!("clients refuse the certificate of {}", route.server_name))
        .expected(format!("a valid certificate for {} from a CA that clients trust", route.server_name))
        .actual(failure.message.clone())
        .at(observer.facts().certificate_place())
        .fix(CHECK.fix)
        .shown_by(observer.shell().s_client(&route.server_name, route.port));
    Ok(vec![finding])
}
