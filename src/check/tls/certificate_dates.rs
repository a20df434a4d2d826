//! The certificates are valid today, and in a month.

use super::super::{Answer, Check, Turn, View};
use super::served::{at_certificate, chain, now};
use crate::finding::{Finding, Level};
use crate::observe::{Certificate, Observer};

/// Let's Encrypt's certificates are renewed when a third of their 90 days is left.
const SOON: i64 = 30 * 24 * 60 * 60;

pub(crate) static CHECK: Check = Check {
    id: "certificate-dates",
    level: Level::Error,
    what: "Every certificate that is served is valid today, and for 30 days more.",
    why: "Every client refuses an expired certificate from one second to the next. Less than 30 days left means that the \
          renewal did not run, or that nginx was not told to load what it brought.",
    fix: "Renew it (`certbot renew`), put it where ssl_certificate points, and reload nginx after every renewal: \
          `certbot renew --deploy-hook \"nginx -s reload\"`.",
    source: "RFC 5280, section 4.1.2.5; https://eff-certbot.readthedocs.io/en/stable/using.html#renewing-certificates",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let shown = chain(observer)?;
    // A root that is sent is not looked at by clients.
    let used = shown.iter().enumerate().filter(|(index, certificate)| *index == 0 || !certificate.is_trusted);
    Ok(used.filter_map(|(index, certificate)| judged(observer, index, certificate)).collect())
}

fn judged(observer: &Observer, index: usize, certificate: &Certificate) -> Option<Finding> {
    let (from, until) = (&certificate.not_before, &certificate.not_after);
    let which = match index {
        0 => "the certificate".to_owned(),
        _ => format!("the intermediate certificate {}", certificate.subject),
    };
    let (what, level) = match now() {
        now if now < from.0 => ("is not valid yet", Level::Error),
        now if now > until.0 => ("has expired", Level::Error),
        now if now > until.0 - SOON => ("expires within 30 days", Level::Warning),
        _ => return None,
    };
    let finding = CHECK
        .finding(format!("{which} {what}"))
        .at_level(level)
        .expected("a certificate that is valid today and for 30 days more")
        .actual(format!("valid from {} to {}", from.1, until.1))
        .fix(CHECK.fix);
    Some(at_certificate(observer, finding))
}
