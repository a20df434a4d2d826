//! Which versions of TLS the server takes.

use super::super::{Answer, Check, Turn, View};
use super::in_force::{Directives, or_listen};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Version};

/// What is written where nothing better is known.
const MODERN: &str = "ssl_protocols TLSv1.2 TLSv1.3;";
const OLD: [Version; 3] = [Version::Ssl3, Version::Tls10, Version::Tls11];

pub(crate) static CHECK: Check = Check {
    id: "tls-versions",
    level: Level::Warning,
    what: "The server takes TLS 1.2 and 1.3, and nothing older.",
    why: "TLS 1.0 and 1.1 are deprecated and fail every audit. nginx before 1.27.3 has them in its default, and what counts \
          are the ssl_protocols of the socket's default server, not those beside the name: a strict server behind a lax \
          default one is as lax.",
    fix: MODERN,
    source: "RFC 8996; https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols; nginx 1.27.3 CHANGES",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    super::served::need_tls_port(observer)?;
    let probe = observer.tls_probe().await?;
    let taken: Vec<Version> = probe.versions().collect();
    let mut findings = Vec::new();
    let old: Vec<Version> = OLD.into_iter().filter(|version| taken.contains(version)).collect();
    if !old.is_empty() {
        findings.push(taken_though_old(observer, &old, &taken));
    }
    findings.extend(refused_though_written(observer, &taken));
    if taken.contains(&Version::Tls12) && !taken.contains(&Version::Tls13) {
        findings.extend(without_13(observer));
    }
    Ok(findings)
}

fn taken_though_old(observer: &Observer, old: &[Version], taken: &[Version]) -> Finding {
    let directives = Directives::of(observer, "ssl_protocols");
    let names = listed(old);
    let place = directives.that(|directive| names_any(directive, old));
    let fix = match &place {
        Some(directive) => Fix::replace(directive.location.clone(), MODERN),
        None => Fix::insert_into(directives.server.clone(), MODERN),
    };
    let whose = match &place {
        Some(directive) if directives.is_of_another_server(directive) => {
            ": the ssl_protocols of the socket's default server count"
        }
        _ => "",
    };
    CHECK
        .finding(format!("the server takes {names}{whose}"))
        .expected("TLS 1.2 and TLS 1.3 alone")
        .actual(listed(taken))
        .at(or_listen(observer, place))
        .fix(fix)
        .shown_by(with_version(observer, old[0]))
}

/// What is written, and what the OpenSSL of this build refuses all the same.
fn refused_though_written(observer: &Observer, taken: &[Version]) -> Option<Finding> {
    let directives = Directives::of(observer, "ssl_protocols");
    let directive = directives.that(|directive| names_any(directive, &OLD))?;
    let written = |version: &Version| directive.args.iter().any(|arg| arg.text == version.directive());
    let refused: Vec<Version> =
        OLD.into_iter().filter(|version| written(version) && !taken.contains(version)).collect();
    if refused.is_empty() || taken.iter().any(|version| OLD.contains(version)) {
        return None;
    }
    let names = listed(&refused);
    let finding = CHECK
        .finding(format!("{names} is configured, and the OpenSSL of this nginx refuses it"))
        .at_level(Level::Note)
        .expected("ssl_protocols that say what the server does: an older OpenSSL would take it")
        .actual(if taken.is_empty() { "no version is taken".to_owned() } else { format!("{} alone", listed(taken)) })
        .at(directive.location.clone())
        .fix(Fix::replace(directive.location.clone(), MODERN));
    Some(finding)
}

fn without_13(observer: &Observer) -> Option<Finding> {
    let directives = Directives::of(observer, "ssl_protocols");
    let default = directives.of_default();
    if let Some(limit) = limited_by_openssl(observer) {
        let finding = CHECK
            .finding("the server does not take TLS 1.3")
            .at_level(Level::Note)
            .expected("TLS 1.2 and TLS 1.3")
            .actual(limit.written())
            .at(limit.location.clone())
            .fix(Fix::remove(limit.location.clone(), format!("remove `{}`", limit.written())));
        return Some(finding);
    }
    // Written, and not taken: this build does not have it.
    if default.is_some_and(|directive| names_any(directive, &[Version::Tls13])) {
        return None;
    }
    let fix = match default {
        Some(directive) => Fix::replace(directive.location.clone(), MODERN),
        None => Fix::insert_into(directives.server.clone(), MODERN),
    };
    let finding = CHECK
        .finding("the server does not take TLS 1.3")
        .at_level(Level::Note)
        .expected("TLS 1.2 and TLS 1.3")
        .actual("TLS 1.2 alone")
        .at(or_listen(observer, default))
        .fix(fix);
    Some(finding)
}

/// A setting of OpenSSL's own that is stronger than ssl_protocols.
fn limited_by_openssl(observer: &Observer) -> Option<&Directive> {
    let facts = observer.facts();
    let of_default = facts.default_server().map(|default| facts.server_in_force_of(default.index, "ssl_conf_command"));
    let all = facts.tls_in_force("ssl_conf_command").into_iter().chain(of_default.unwrap_or_default());
    let limits = |line: &&Directive| line.arg(0) == Some("MaxProtocol") && line.arg(1) != Some("TLSv1.3");
    all.into_iter().find(limits)
}

fn names_any(directive: &crate::deployment::Directive, versions: &[Version]) -> bool {
    directive.args.iter().any(|arg| versions.iter().any(|version| version.directive() == arg.text))
}

fn listed(versions: &[Version]) -> String {
    let names: Vec<&str> = versions.iter().map(|version| version.name()).collect();
    names.join(", ")
}

fn with_version(observer: &Observer, version: Version) -> String {
    let route = observer.route();
    let flag = version.name().to_lowercase().replace(' ', "").replace("1.0", "1").replace('.', "_");
    let flag = if version == Version::Ssl3 { "ssl3".to_owned() } else { flag };
    let command = observer.shell().s_client(&route.server_name, route.port);
    command.replace(" </dev/null", &format!(" -{flag} -cipher ALL:@SECLEVEL=0 </dev/null"))
}
