//! What nginx passes on is what Prometheus serves.

use super::super::obstacle::{Below, PROBE, below_the_prefix, get_past, is_of_go, is_prometheus, need_no_login};
use super::super::{Answer, Check, Turn, View};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Seen};

pub(crate) static CHECK: Check = Check {
    id: "prefix-stripped-once",
    level: Level::Error,
    what: "The prefix is taken off exactly once: by nginx (a path in proxy_pass) or by Prometheus (its route prefix), not \
           by both and not by neither.",
    why: "Stripped by neither, Prometheus answers 404 to everything. Stripped by both, only the doubled prefix works. The \
          one slash at the end of proxy_pass decides.",
    fix: "Either `proxy_pass http://HOST:9090/;` with --web.route-prefix=/, or `proxy_pass http://HOST:9090;` without it.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass; \
             https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (--web.route-prefix)",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let seen = observer.get(PROBE).await?;
    get_past(&seen)?;
    need_no_login(observer, &seen)?;
    let prefix = &observer.route().prefix;
    let mut findings = Vec::new();
    if !is_prometheus(&seen) && below_the_prefix(observer).await? == Below::WithoutApi {
        return Ok(Vec::new());
    }
    if !is_prometheus(&seen) {
        let doubled = observer.get(&format!("{prefix}{PROBE}")).await?;
        let wrong = match is_prometheus(&doubled) {
            true => "the prefix is taken off twice",
            false if observer.facts().fixed_pass(seen.url.path()).is_some() => {
                "every path reaches Prometheus as the one in proxy_pass: with a variable there nginx replaces nothing"
            }
            false if glued(observer) => "what is behind the prefix reaches Prometheus with a second slash before it",
            false if !is_of_go(&seen) => "what answers below the prefix is not Prometheus",
            false if prefix.is_empty() => "Prometheus does not serve at the root",
            false => "the prefix is not taken off as Prometheus expects",
        };
        findings.push(finding(observer, &seen, wrong));
    } else if !prefix.is_empty() {
        let doubled = observer.get(&format!("{prefix}{PROBE}")).await?;
        if is_prometheus(&doubled) {
            findings.push(
                finding(observer, &doubled, "the prefix is taken off as often as it comes").at_level(Level::Warning),
            );
        }
    }
    if findings.is_empty() {
        findings.extend(ignored_path(observer, &seen));
    }
    Ok(findings)
}

/// `location /PREFIX` with a slash in proxy_pass alone: `/PREFIX/x` becomes `//x`.
fn glued(observer: &Observer) -> bool {
    let facts = observer.facts();
    let location = facts.location_for(observer.url(PROBE).path()).and_then(|location| location.args.last());
    let ends = facts.written(&observer.route().proxy_pass).ends_with("/;");
    ends && location.is_some_and(|path| path.text.starts_with('/') && !path.text.ends_with('/'))
}

/// Where `rewrite … break` has changed the path, nginx does not look at the one in proxy_pass.
fn ignored_path(observer: &Observer, seen: &Seen) -> Option<Finding> {
    let pass = observer.facts().ignored_path(seen.url.path())?;
    let plain = observer.facts().pass_without_path();
    let finding = CHECK
        .finding("the path in proxy_pass is ignored: `rewrite … break` before it decides what Prometheus gets")
        .at_level(Level::Warning)
        .expected(format!("proxy_pass {plain};"))
        .actual(observer.facts().written(&pass.location))
        .at(pass.location.clone())
        .fix(Fix::replace(pass.location.clone(), format!("proxy_pass {plain};")));
    Some(finding)
}

fn finding(observer: &Observer, seen: &Seen, wrong: &str) -> Finding {
    let route = observer.route();
    let serves = format!("{}/", observer.facts().prometheus().route_prefix());
    let passes = if route.upstream_path != format!("{}/", route.prefix) {
        format!("nginx replaces {}/ by {}", route.prefix, route.upstream_path)
    } else {
        "nginx passes the path as it is".to_owned()
    };
    let place = match glued(observer) && route.strips_prefix() {
        true => observer.facts().location_place(seen.url.path()),
        false => observer.facts().pass_place(seen.url.path()),
    };
    let fix = fix(observer, seen, &serves);
    CHECK
        .finding(wrong)
        .expected(format!("{} answers with Prometheus's JSON", seen.url.path()))
        .actual(seen.summary())
        .at(place)
        .fix(Fix { text: format!("{}. Now {passes}, and Prometheus serves below {serves}", fix.text), ..fix })
        .shown_by(observer.shell().curl(seen))
}

/// The proxy_pass that fits the route prefix that Prometheus has.
fn fix(observer: &Observer, seen: &Seen, serves: &str) -> Fix {
    let (facts, prefix) = (observer.facts(), &observer.route().prefix);
    if let Some(fixed) = facts.fixed_pass(seen.url.path()) {
        let pass = fixed.written_with(|_, text| without_path(text).to_owned());
        let text = format!("rewrite ^{prefix}/(.*)$ {serves}$1 break;\n{pass}");
        return Fix::replace(fixed.location.clone(), text);
    }
    let keeps = serves.strip_suffix('/') == Some(prefix);
    if glued(observer) && !keeps {
        return Fix::from(format!("location {prefix}/ {{ … }}, with a slash at its end as in proxy_pass"));
    }
    let path = if keeps { "" } else { serves };
    let pass = facts.pass_without_path();
    Fix::from(format!("proxy_pass {pass}{path}; (or start Prometheus with another --web.route-prefix)"))
}

/// `http://$upstream/` without the path.
fn without_path(pass: &str) -> &str {
    let host = pass.find("://").map_or(0, |found| found + "://".len());
    pass[host..].find('/').map_or(pass, |slash| &pass[..host + slash])
}
