//! Who has no certificate of a client that the deployment knows gets nothing.

use futures_util::future::join_all;

use super::super::obstacle::{get_in, need_tls};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::deployment::ClientCertificate;
use crate::deployment::settings;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Visit, Visited, Who};

/// What Prometheus answers with 200, on the paths that matter. Health is left out: it may be open to whoever probes it.
const PATHS: [&str; 4] = ["/api/v1/status/buildinfo", "/api/v1/query?query=1", "/metrics", "/federate?match[]=up"];

pub(crate) static CHECK: Check = Check {
    id: "client-certificate",
    level: Level::Error,
    what: "Where clients have to show a certificate, who shows none or a stranger's gets nothing, nor does who comes with \
           the TLS session of another server.",
    why: "`ssl_verify_client optional` asks for a certificate and lets everybody in: without a test of $ssl_client_verify it \
          protects nothing. A session of another server on the same socket could skip the question (CVE-2025-23419).",
    fix: "ssl_verify_client on; or, with optional: `if ($ssl_client_verify != SUCCESS) { return 403; }`",
    source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client; CVE-2025-23419",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let required = observer.facts().deployment.settings.expect.client_certificate;
    let required = required == Some(settings::ClientCertificate::Required);
    let Some(asked) = &observer.route().access.certificate else {
        return if required { without(observer).await } else { Err(not_asked(observer).await) };
    };
    need_tls(observer)?;
    for (who, what) in [(Who::Anonymous, "no certificate"), (Who::Stranger, "a stranger's certificate")] {
        if let Some((path, seen)) = got_in(observer, who).await {
            return Ok(vec![open(observer, asked, what, path, &seen)]);
        }
    }
    Ok(with_another_session(observer, asked).await.into_iter().collect())
}

/// Why it is not asked: clients need none, unless this one is told that it does.
async fn not_asked(observer: &Observer) -> Skip {
    let seen = observer.get(PATHS[0]).await.ok().filter(|seen| seen.status == 400);
    let told = seen.and_then(|seen| get_in(&seen).err());
    told.unwrap_or_else(|| Skip("clients need no certificate".to_owned()))
}

/// The first path that such a client gets something of. An answer that asks for a password instead is a refusal.
async fn got_in(observer: &Observer, who: Who) -> Option<(&'static str, Visited)> {
    let host = host(observer);
    let asking = PATHS.map(|path| {
        let host = &host;
        async move {
            let url = observer.url(path);
            let whole = whole_path(&url);
            observer.visit(who, Visit { sni: observer.sni(), host, path: &whole }).await
        }
    });
    let answers = PATHS.into_iter().zip(join_all(asking).await);
    answers.filter_map(|(path, answer)| Some((path, answer.ok()?))).find(|(_, answer)| is_open(answer))
}

fn is_open(answer: &Visited) -> bool {
    answer.status.is_some_and(|status| (200..300).contains(&status))
}

fn open(observer: &Observer, asked: &ClientCertificate, what: &str, path: &str, seen: &Visited) -> Finding {
    let location = observer.facts().location_place(observer.url(path).path());
    CHECK
        .finding(format!("a client with {what} gets {}", observer.url(path).path()))
        .expected(format!("400 or 403 for a client with {what}"))
        .actual(seen.first_line())
        .at(asked.location.clone())
        .fix(Fix::insert_into(location, "if ($ssl_client_verify != SUCCESS) { return 403; }"))
        .shown_by(observer.shell().curl_insecurely(&observer.url(path)))
}

/// Shakes hands with another server of the socket, and goes on with that session here.
async fn with_another_session(observer: &Observer, asked: &ClientCertificate) -> Option<Finding> {
    let own = observer.facts().server();
    let servers = observer.facts().servers_on_socket();
    let others = servers.iter().filter(|other| other.server.location != own.location);
    let is_name = |name: &&str| name.contains('.') && !name.contains(['*', '~', '$']) && !name.starts_with('.');
    let name = others.flat_map(|other| &other.server.names).map(|name| name.text.as_str()).find(is_name)?;
    let (url, host) = (observer.url(PATHS[0]), host(observer));
    let first = Visit { sni: Some(name), host: name, path: "/" };
    let second = Visit { sni: observer.sni(), host: &host, path: url.path() };
    let seen = observer.visit_again(first, second).await.ok().filter(is_open)?;
    let finding = CHECK
        .finding(format!("who has a TLS session of {name} needs no certificate"))
        .expected("400 or 421 for a session that began without a certificate")
        .actual(seen.first_line())
        .at(asked.location.clone())
        .fix("run nginx 1.26.3, 1.27.4 or later; until then: ssl_session_tickets off; ssl_session_cache off;");
    Some(finding)
}

/// proxyproof.toml says that a certificate is required, and the configuration asks for none.
async fn without(observer: &Observer) -> Answer {
    let Some((path, seen)) = got_in(observer, Who::Anonymous).await else {
        return Ok(Vec::new());
    };
    let server = observer.facts().server().location.clone();
    let finding = CHECK
        .finding("clients need no certificate, and proxyproof.toml says that they do")
        .expected("400 or 403 for a client without a certificate")
        .actual(seen.first_line())
        .at(server.clone())
        .fix(Fix::insert_into(server, "ssl_client_certificate /etc/nginx/clients-ca.pem; ssl_verify_client on;"))
        .shown_by(observer.shell().curl_insecurely(&observer.url(path)));
    Ok(vec![finding])
}

/// As `Host` writes it: with the port unless it is the scheme's own.
fn host(observer: &Observer) -> String {
    let url = observer.url("/");
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn whole_path(url: &reqwest::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}
