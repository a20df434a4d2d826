//! A password that is asked for or not by what the client says: `auth_basic $realm;` with a `map` of one of its headers.

use reqwest::header::{COOKIE, HeaderName};

use super::super::Skip;
use super::super::obstacle::{PROBE, is_prometheus};
use super::authentication::CHECK;
use super::content::answered;
use crate::deployment::Directive;
use crate::finding::{Finding, Fix};
use crate::observe::{Observer, Request};

/// What lets a client in without a password, if it can say so itself.
pub(super) async fn turned_off_by_the_client(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let facts = observer.facts();
    let path = observer.url(PROBE).path().to_owned();
    let realms = facts.in_force(&path, "auth_basic");
    let Some(variable) = realms.first().and_then(|realm| realm.arg(0)).filter(|realm| realm.starts_with('$')) else {
        return Ok(None);
    };
    let https = facts.deployment.nginx.directives.iter().filter(|directive| directive.is("http"));
    let maps = https.flat_map(|http| http.children_named("map")).filter(|map| map.arg(1) == Some(variable));
    for map in maps {
        let source = map.arg(0).unwrap_or_default();
        for entry in map.children().iter().filter(|entry| entry.arg(0) == Some("off")) {
            let Some(said) = said(observer, source, &entry.name) else { continue };
            let client = observer.anonymous_client();
            if let Some(seen) = client.send(&said).await.ok().filter(is_prometheus) {
                let finding = CHECK
                    .finding(format!("whoever says so in {source} is asked for no password"))
                    .expected("401 without a password, whatever the client says of itself")
                    .actual(answered(&seen))
                    .at(entry.location.clone())
                    .fix(Fix::remove(entry.location.clone(), "remove the line, and let that client send a password"))
                    .shown_by(observer.shell().curl_raw(&said));
                return Ok(Some(finding));
            }
        }
    }
    Ok(None)
}

/// A request of a client that says what an entry of a map is for, where the variable is the client's to set.
fn said(observer: &Observer, source: &str, key: &str) -> Option<Request> {
    let value = sample(key)?;
    let source = source.trim_start_matches('$').trim_matches(['{', '}']);
    if let Some(argument) = source.strip_prefix("arg_") {
        return Some(observer.request(&format!("{PROBE}?{argument}={value}")).anonymous());
    }
    let request = observer.request(PROBE).anonymous();
    if let Some(cookie) = source.strip_prefix("cookie_") {
        return Some(request.header(COOKIE, &format!("{cookie}={value}")));
    }
    let header = source.strip_prefix("http_")?.replace('_', "-");
    Some(request.header(HeaderName::try_from(header).ok()?, &value))
}

/// A value that an entry is for: itself, or what a plain regex fits.
pub(in super::super) fn sample(key: &str) -> Option<String> {
    let Some(regex) = key.strip_prefix('~') else {
        return (!matches!(key, "default" | "hostnames" | "volatile" | "include")).then(|| key.to_owned());
    };
    let plain = regex.trim_start_matches('*').trim_start_matches('^').trim_end_matches('$').replace("\\.", ".");
    let plain = plain.replace(".*", "");
    plain.chars().all(|c| c.is_ascii_alphanumeric() || "-_/. ".contains(c)).then_some(plain)
}

/// The `limit_except` that asks for a password by other methods than those it names, if there is one for a path.
pub(super) fn asks_writers_alone<'a>(observer: &'a Observer, path: &str) -> Option<&'a Directive> {
    let limit = observer.facts().method_limit(path).filter(|limit| limit.is("limit_except"))?;
    let asks = ["auth_basic", "auth_request", "allow"];
    limit.children().iter().any(|child| asks.contains(&child.name.as_str())).then_some(limit)
}

/// An `auth_request` whose answer is written in the configuration: it says yes to everybody.
pub(super) fn asks_a_stub(observer: &Observer) -> Option<Finding> {
    let facts = observer.facts();
    let request = facts.in_force(observer.url(PROBE).path(), "auth_request").into_iter().next()?;
    let location = facts.location_for(request.arg(0).filter(|uri| uri.starts_with('/'))?)?;
    let mut lines = location.children().iter();
    let says_yes = lines.find(|line| line.is("return") && line.arg(0).is_some_and(|status| status.starts_with('2')))?;
    let finding = CHECK
        .finding(format!("`{}` asks nobody: its location says yes to everybody", request.written()))
        .expected("a proxy_pass to a server that knows who may come in")
        .actual(says_yes.written())
        .at(says_yes.location.clone())
        .fix(Fix::replace(says_yes.location.clone(), "proxy_pass http://HOST:PORT/PATH;"));
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::sample;

    #[test]
    fn a_value_is_made_for_plain_entries_alone() {
        let samples =
            ["~^Grafana", "~*^Go-http-client/1\\.1$", "curl", "~.*Grafana.*", "default", "~^(a|b)$"].map(sample);
        let expected = [Some("Grafana"), Some("Go-http-client/1.1"), Some("curl"), Some("Grafana"), None, None];
        assert_eq!(samples, expected.map(|value| value.map(str::to_owned)));
    }
}
