//! What pages of other sites may read is Prometheus's to say.

use reqwest::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName, ORIGIN};

use super::super::exposure::realm::sample;
use super::super::obstacle::{get_past, need_answers};
use super::super::{Answer, Check, Skip, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Request, Seen};

/// A site that nobody has allowed.
const FOREIGN: &str = "https://proxyproof.invalid";

pub(crate) static CHECK: Check = Check {
    id: "api-cors",
    level: Level::Error,
    what: "No page of a foreign site may read answers with the password of who looks at it, and the headers that say so \
           (Access-Control-Allow-…) come once.",
    why: "Prometheus sends Access-Control-Allow-Origin itself. A second one from nginx makes browsers refuse every answer; \
          with Access-Control-Allow-Credentials for any origin, any web page reads the metrics of whoever is logged in.",
    fix: "Remove the add_header Access-Control-…; and say to Prometheus who may read: --web.cors.origin='https://NAME'.",
    source: "https://fetch.spec.whatwg.org/#http-access-control-allow-origin; \
             https://prometheus.io/docs/operating/security/",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    if let Some(finding) = by_a_name_alike(observer).await? {
        return Ok(vec![finding]);
    }
    let request = observer.request("/api/v1/query?query=vector(1)").header(ORIGIN, FOREIGN);
    let seen = observer.http().send(&request).await?;
    get_past(&seen)?;
    let origins: Vec<&str> = values(&seen, &ACCESS_CONTROL_ALLOW_ORIGIN);
    let credentials = values(&seen, &ACCESS_CONTROL_ALLOW_CREDENTIALS).contains(&"true");
    let any = origins.iter().any(|origin| *origin == "*" || *origin == FOREIGN);
    let (wrong, level) = if credentials && origins.contains(&FOREIGN) {
        ("pages of any site may read answers with the user's own password", Level::Error)
    } else if origins.len() > 1 {
        ("Access-Control-Allow-Origin comes more than once: browsers refuse the answer", Level::Error)
    } else if credentials && any {
        ("Access-Control-Allow-Credentials comes with the origin *: browsers refuse the answer", Level::Error)
    } else if any {
        // Without credentials a browser sends no password: what is read is what needs none.
        ("pages of any site may read what needs no password, from within the network of who looks at them", Level::Note)
    } else {
        return Ok(Vec::new());
    };
    Ok(vec![finding(observer, &request, wrong, &origins, credentials).at_level(level)])
}

/// A rule that looks for a part of the origin takes names that only contain it.
async fn by_a_name_alike(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let https = observer.facts().deployment.nginx.directives.iter().filter(|directive| directive.is("http"));
    let maps = https.flat_map(|http| http.children_named("map")).filter(|map| map.arg(0) == Some("$http_origin"));
    let known = maps.flat_map(|map| map.children()).filter_map(|entry| Some((entry, sample(&entry.name)?)));
    let own = observer.route().origin();
    let mut alike = vec![(None, format!("{own}.proxyproof.invalid"))];
    for (entry, name) in known {
        let name = name.trim_start_matches("https://").trim_start_matches("http://").to_owned();
        alike.extend(
            [format!("https://{name}.proxyproof.invalid"), format!("https://proxyproof{name}")]
                .map(|o| (Some(entry), o)),
        );
    }
    for (entry, origin) in alike {
        let request = observer.request("/api/v1/query?query=vector(1)").header(ORIGIN, &origin);
        let seen = observer.http().send(&request).await?;
        let credentials = values(&seen, &ACCESS_CONTROL_ALLOW_CREDENTIALS).contains(&"true");
        let foreign = observer.request("/api/v1/query?query=vector(1)").header(ORIGIN, FOREIGN);
        let is_any = || async {
            Ok::<_, Skip>(
                values(&observer.http().send(&foreign).await?, &ACCESS_CONTROL_ALLOW_ORIGIN).contains(&FOREIGN),
            )
        };
        if credentials && values(&seen, &ACCESS_CONTROL_ALLOW_ORIGIN).contains(&origin.as_str()) && !is_any().await? {
            let finding = CHECK
                .finding(format!(
                    "pages of {origin} may read answers with the user's own password: the rule fits a part of a name"
                ))
                .expected("origins from their beginning to their end: \"~^https://NAME$\"")
                .actual(format!("Access-Control-Allow-Origin: {origin}, with credentials"))
                .at(entry.map(|entry| entry.location.clone()))
                .fix("write the whole origin, or anchor the regex with ^ and $")
                .shown_by(observer.shell().curl_raw(&request));
            return Ok(Some(finding));
        }
    }
    Ok(None)
}

fn values<'a>(seen: &'a Seen, name: &HeaderName) -> Vec<&'a str> {
    let lines = seen.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

fn finding(observer: &Observer, request: &Request, wrong: &str, origins: &[&str], credentials: bool) -> Finding {
    let facts = observer.facts();
    let url = request.url();
    let added = facts
        .added_header(url.path(), ACCESS_CONTROL_ALLOW_ORIGIN.as_str())
        .or_else(|| facts.added_header(url.path(), ACCESS_CONTROL_ALLOW_CREDENTIALS.as_str()));
    let fix = added.map_or_else(
        || Fix::from(CHECK.fix),
        |added| {
            Fix::remove(
                added.location.clone(),
                format!("remove `{}`: Prometheus sends its own", facts.written(&added.location)),
            )
        },
    );
    let with = if credentials { ", with credentials" } else { "" };
    CHECK
        .finding(wrong)
        .expected("Access-Control-Allow-Origin once, and no credentials for a foreign origin")
        .actual(format!("Access-Control-Allow-Origin: {}{with}", origins.join(", ")))
        .at(added.map(|added| &added.location).or_else(|| facts.prometheus().flag_place("web.cors.origin")).cloned())
        .fix(fix)
        .shown_by(observer.shell().curl_raw(request))
}
