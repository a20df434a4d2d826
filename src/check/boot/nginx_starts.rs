//! nginx accepts the configuration and starts with it.

use super::super::{Answer, Check, Turn, View};
use super::refusal;
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{LogLevel, LogLine, Observer};

pub(crate) static CHECK: Check = Check {
    id: "nginx-starts",
    level: Level::Error,
    what: "nginx starts with this configuration.",
    why: "An nginx that does not start serves nothing: every site of this configuration is down, and after a failed \
          upgrade or restart stays down.",
    fix: "Mend the line that nginx names. A directive that this build does not know needs its module, or a newer nginx.",
    source: "https://nginx.org/en/docs/switches.html (-t)",
    turn: Turn::Always,
    view: View::Inside("whether nginx would start with its configuration is not seen from outside: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let Some(refusal) = observer.refusal() else {
        return Ok(Vec::new());
    };
    let mut fatal: Vec<LogLine> = observer.nginx_log();
    fatal.retain(|line| line.level >= LogLevel::Emerg);
    // It says it twice, to its terminal and to its error log, where both are one.
    fatal.dedup_by(|line, before| line.message == before.message);
    if fatal.is_empty() {
        return Ok(vec![finding(observer, refusal.trim(), None)]);
    }
    Ok(fatal.iter().map(|line| finding(observer, &line.message, line.place.clone())).collect())
}

/// What nginx said, and what is behind it where that is known.
fn finding(observer: &Observer, said: &str, place: Option<(String, usize)>) -> Finding {
    let located = place.and_then(|(path, line)| observer.locate(&path, line)).or_else(|| names_a_file(observer, said));
    let finding = CHECK
        .finding("nginx refuses to start with this configuration")
        .expected("nginx starts")
        .actual(if said.is_empty() { "it ended and said nothing" } else { said });
    if let Some((place, fix)) = without_a_place(observer, said) {
        return finding.at(located.or(place)).fix(fix);
    }
    match refusal::cause(said, &observer.facts().deployment.modules) {
        Some(cause) => Finding { message: format!("nginx does not start: {}", cause.message), ..finding }
            .at(located.or(cause.location))
            .fix(cause.fix),
        None => finding.at(located).fix(CHECK.fix),
    }
}

/// The directive with the file that nginx speaks of: `SSL_CTX_use_PrivateKey("/etc/ssl/a.key") failed`.
fn names_a_file(observer: &Observer, said: &str) -> Option<Location> {
    let named = said.split('"').skip(1).step_by(2).find(|text| text.starts_with('/'))?;
    observer.facts().directive_with(named).map(|directive| directive.location.clone())
}

/// What nginx refuses without saying where.
fn without_a_place(observer: &Observer, said: &str) -> Option<(Option<Location>, Fix)> {
    let facts = observer.facts();
    if said.contains("server_names_hash") {
        let names = facts.deployment.servers.iter().flat_map(|server| &server.names);
        let longest = names.max_by_key(|name| name.text.len()).map(|name| name.location.clone());
        return Some((longest, Fix::from("server_names_hash_bucket_size 128; in the http block")));
    }
    if said.contains("for ssl_client_verify") || said.contains("for ssl_verify_client") {
        let certificates = facts.deployment.routes.iter().filter_map(|route| route.access.certificate.as_ref());
        let place = certificates.map(|asked| asked.location.clone()).next();
        return Some((place, Fix::from("ssl_client_certificate /etc/nginx/client-ca.pem; beside ssl_verify_client")));
    }
    None
}
