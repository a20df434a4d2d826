//! What the handshake promises of HTTP is kept.

use super::super::obstacle::need_tls;
use super::super::{Answer, Check, Turn, View};
use super::in_force::{Directives, or_listen};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{FailureKind, Observer, Version};

/// What a browser offers for TLS 1.2, in its order.
const OF_A_BROWSER: [&str; 10] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
];

pub(crate) static CHECK: Check = Check {
    id: "alpn",
    level: Level::Error,
    what: "The handshake offers http/1.1, and HTTP/2 only where it is spoken, with a cipher suite that HTTP/2 allows.",
    why: "A client that is promised HTTP/2 by ALPN does not fall back: where what is behind it speaks something else, or \
          where the server prefers a cipher suite that HTTP/2 forbids, browsers show an error page \
          (ERR_HTTP2_INADEQUATE_TRANSPORT_SECURITY). Clients without HTTP/2 need http/1.1.",
    fix: "Put suites with AES-GCM first in ssl_ciphers; or take http2 out of the listen line.",
    source: "RFC 7301; RFC 9113, section 9.2.2 and appendix A; https://nginx.org/en/docs/http/ngx_http_v2_module.html",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let mut findings = Vec::new();
    match observer.protocol(&["http/1.1"]).await {
        // No protocol named is HTTP/1.1 too.
        Ok(chosen) if chosen.as_deref().is_none_or(|chosen| chosen == "http/1.1") => {}
        Ok(chosen) => findings.push(no_http1(observer, &chosen.unwrap_or_default())),
        Err(failure) if failure.kind == FailureKind::Tls => findings.push(no_http1(observer, &failure.to_string())),
        Err(failure) => return Err(failure.into()),
    }
    // Where HTTP/2 is not offered the handshake fails, or nothing is chosen.
    if observer.protocol(&["h2"]).await.ok().flatten().as_deref() == Some("h2") {
        if observer.speaks_http2().await? {
            findings.extend(forbidden_suite(observer).await?);
        } else {
            findings.push(broken(observer));
        }
    } else {
        findings.extend(forgotten(observer));
    }
    Ok(findings)
}

/// HTTP/2 in other servers of the same socket alone: since nginx 1.25.1 each server says for itself.
fn forgotten(observer: &Observer) -> Option<Finding> {
    let facts = observer.facts();
    let says =
        |server: usize| facts.server_in_force_of(server, "http2").first().is_some_and(|line| line.arg(0) == Some("on"));
    let own = facts.server_in_force("http2").is_empty() && facts.tls_front().is_none();
    let other = facts.servers_on_socket().into_iter().find(|other| own && says(other.index))?;
    let place = facts.own_listen()?.location.clone();
    let finding = CHECK
        .finding("HTTP/2 is on for other servers of this port, and not for this one")
        .at_level(Level::Note)
        .expected("h2 among the protocols of the handshake, as for the others")
        .actual(format!("HTTP/1.1 alone, and `http2 on` in the server of line {}", other.server.location.line))
        .at(place.clone())
        .fix(Fix::insert_after(place, "http2 on;"));
    Some(finding)
}

fn no_http1(observer: &Observer, actual: &str) -> Finding {
    CHECK
        .finding("a client that has HTTP/1.1 alone gets no connection")
        .expected("http/1.1 among the protocols of the handshake")
        .actual(actual)
        .at(alpn_or_listen(observer))
        .fix("name http/1.1 too: ssl_alpn h2 http/1.1;")
}

fn broken(observer: &Observer) -> Finding {
    CHECK
        .finding("the handshake promises HTTP/2, and HTTP/2 is not spoken")
        .expected("SETTINGS as the first frame of the server")
        .actual("something else")
        .at(alpn_or_listen(observer))
        .fix("ssl_alpn http/1.1; where TLS ends, or `http2 on;` in the server behind it")
}

/// Where TLS ends in a `stream` server its `ssl_alpn` decides; in `http` the `listen`.
fn alpn_or_listen(observer: &Observer) -> crate::Location {
    let alpn = observer.facts().tls_in_force("ssl_alpn").first().copied();
    alpn.map_or_else(|| observer.route().listen.location.clone(), |alpn| alpn.location.clone())
}

/// The suite that a browser without TLS 1.3 gets, if HTTP/2 forbids it. With TLS 1.3 browsers do not come so far.
async fn forbidden_suite(observer: &Observer) -> Result<Option<Finding>, super::super::Skip> {
    let choice = observer.choice(Version::Tls12, &OF_A_BROWSER, &["h2", "http/1.1"]).await?;
    let Some((suite, _)) =
        choice.filter(|(suite, protocol)| protocol.as_deref() == Some("h2") && !suite.is_good_for_http2())
    else {
        return Ok(None);
    };
    let level = if observer.tls_probe().await?.takes(Version::Tls13) { Level::Note } else { Level::Error };
    let directive = Directives::of(observer, "ssl_ciphers").own();
    let fix = directive.map_or_else(|| Fix::from(CHECK.fix), sorted);
    let finding = CHECK
        .finding("browsers with TLS 1.2 refuse the cipher suite that the server chooses for HTTP/2")
        .at_level(level)
        .expected("a suite with ECDHE and AES-GCM or ChaCha20-Poly1305")
        .actual(suite.name)
        .at(or_listen(observer, directive))
        .fix(fix);
    Ok(Some(finding))
}

/// The same suites, those that HTTP/2 allows first.
fn sorted(directive: &Directive) -> Fix {
    let list = directive.arg(0).unwrap_or_default();
    let is_good = |suite: &&str| suite.contains("ECDHE") && ["GCM", "POLY1305"].iter().any(|mode| suite.contains(mode));
    let (good, rest): (Vec<&str>, Vec<&str>) = list.split(':').partition(is_good);
    match good.is_empty() {
        true => Fix::from(CHECK.fix),
        false => {
            let list: Vec<&str> = good.into_iter().chain(rest).collect();
            Fix::replace(directive.location.clone(), format!("ssl_ciphers {};", list.join(":")))
        }
    }
}
