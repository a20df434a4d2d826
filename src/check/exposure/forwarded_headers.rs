//! What clients say of themselves in X-Forwarded-… is not believed, and what is behind nginx hears from nginx who asked.
//!
//! What nginx does with such headers itself is asked for. What it passes on can't be seen from outside, as Prometheus
//! repeats none of it: that is read from the directives in force where the route's `proxy_pass` stands.

use reqwest::header::HeaderName;

use super::super::obstacle::{PROBE, is_refused_by_go};
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Turn, View};
use super::believed::{believed, trusted_by_all};
use crate::deployment::{Directive, levels};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Http, Observer, Request, Seen};

/// A name that nobody has: RFC 6761, section 6.4.
const FORGED: &str = "forged-name.invalid";

pub(crate) static CHECK: Check = Check {
    id: "forwarded-headers",
    level: Level::Warning,
    what: "Nobody is believed what he says in X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP or Forwarded: \
           neither by nginx nor by what is behind it; and what is behind it hears from nginx who asked for which name.",
    why: "Any client can write these headers. Where they are passed on as they came, logs and lists of addresses hold what an \
          attacker wrote; where nginx decides by them, plain HTTP passes for TLS, or a redirect leads elsewhere. \
          `set_real_ip_from 0.0.0.0/0` makes everybody a proxy that is trusted.",
    fix: "proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For \
          $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; and set_real_ip_from with the addresses of \
          the proxies in front alone",
    source: "RFC 7239, section 8.1; https://nginx.org/en/docs/http/ngx_http_realip_module.html; \
             https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let set = observer.facts().in_force_at_pass("proxy_set_header");
    let mut findings = Vec::new();
    findings.extend(host_twice(observer, &set).await);
    findings.extend(trusts_everybody(observer));
    findings.extend(believes(observer, &set));
    findings.extend(redirects_as_told(observer).await);
    findings.extend(plain_http_as_told(observer).await);
    findings.extend(says_too_little(observer, &set));
    Ok(findings)
}

/// nginx sends both lines, and Go refuses every request that has two.
async fn host_twice(observer: &Observer, set: &[&Directive]) -> Option<Finding> {
    let mut hosts = set.iter().filter(|line| names(line, "host") && line.arg(1) != Some(""));
    let (_, second) = (hosts.next()?, hosts.next()?);
    let seen = observer.get(PROBE).await.ok()?;
    let is_refused = is_refused_by_go(&seen);
    let finding = CHECK
        .finding("Host is set twice for what is behind nginx, which may refuse every such request")
        .expected("one proxy_set_header Host")
        .actual(if is_refused { seen.summary() } else { format!("{}, by this version of nginx", seen.status) })
        .at(second.location.clone())
        .fix(Fix::remove(second.location.clone(), format!("remove `{}`", second.written())))
        .shown_by(observer.shell().curl(&seen));
    Some(finding)
}

/// `set_real_ip_from` with addresses that anybody may have.
fn trusts_everybody(observer: &Observer) -> Vec<Finding> {
    let facts = observer.facts();
    let header =
        facts.in_force_at_pass("real_ip_header").first().and_then(|header| header.arg(0)).unwrap_or("X-Real-IP");
    if header == "proxy_protocol" && observer.route().listen.proxy_protocol {
        return Vec::new();
    }
    let trusting =
        facts.in_force_at_pass("set_real_ip_from").into_iter().filter(|from| from.arg(0).is_some_and(trusted_by_all));
    let finding = |from: &Directive| {
        CHECK
            .finding(format!("every client is believed the address that it says in {header}"))
            .expected("the addresses of the proxies in front, and no others")
            .actual(from.written())
            .at(from.location.clone())
            .fix("set_real_ip_from with the address of the proxy in front alone; without such a proxy remove it and real_ip_header")
    };
    trusting.map(finding).collect()
}

/// Headers that are set from what the client said. Behind a proxy of one's own that is right: it said so.
fn believes(observer: &Observer, set: &[&Directive]) -> Vec<Finding> {
    if has_proxy_in_front(observer) {
        return Vec::new();
    }
    let variables = observer.facts().made_of();
    let found = set.iter().filter_map(|line| {
        let (name, value) = (line.arg(0)?, line.arg(1)?);
        let own = believed(name, value, &variables)?;
        let finding = CHECK
            .finding(format!("{name} is passed on as the client wrote it"))
            .expected(format!("{name} from what nginx itself sees: {own}"))
            .actual(line.written())
            .at(line.location.clone())
            .fix(Fix::replace(line.location.clone(), format!("proxy_set_header {name} {own};")));
        Some(finding)
    });
    found.collect()
}

/// Whether somebody in front of nginx speaks to the clients: TLS ends there, or nginx takes its word for addresses.
fn has_proxy_in_front(observer: &Observer) -> bool {
    let trusted = observer.facts().in_force_at_pass("set_real_ip_from");
    let is_narrow = !trusted.is_empty() && !trusted.iter().any(|from| from.arg(0).is_some_and(trusted_by_all));
    !observer.route().tls || is_narrow || observer.route().listen.proxy_protocol
}

/// Redirects that lead where the client said.
async fn redirects_as_told(observer: &Observer) -> Option<Finding> {
    let forged = [("x-forwarded-host", FORGED), ("x-forwarded-proto", "http"), ("x-forwarded-server", FORGED)];
    for below in ["", "/"] {
        for (header, value) in forged {
            let plain = observer.request(below);
            let request = plain.clone().header(HeaderName::from_static(header), value);
            let (usual, told) = both(observer.http(), &plain, &request).await?;
            let leads = |seen: &Seen| seen.redirect().map(|url| url.origin());
            if leads(&told).is_some() && leads(&told) != leads(&usual) {
                return Some(led(observer, below, header, &told, &request));
            }
        }
    }
    None
}

fn led(observer: &Observer, below: &str, header: &str, told: &Seen, request: &Request) -> Finding {
    let facts = observer.facts();
    let path = observer.url(below).path().to_owned();
    let variable = format!("$http_{}", header.replace('-', "_"));
    let by = facts.condition_on(&path, &[&variable]);
    let target = told.redirect().map(|url| url.to_string()).unwrap_or_default();
    let place = by.or_else(|| facts.redirect_maker(&path, &target)).map(|by| by.location.clone());
    CHECK
        .finding(format!("a redirect leads where the client's own {header} says"))
        .expected("the same redirect as without the header")
        .actual(told.summary())
        .at(place)
        .fix("use $scheme and $host, which nginx knows itself, in place of what the client says")
        .shown_by(observer.shell().curl_raw(request))
}

/// Plain HTTP that passes for TLS if the client says so.
async fn plain_http_as_told(observer: &Observer) -> Option<Finding> {
    let plain = Some(observer.plain_request(PROBE)).filter(|_| observer.route().tls)?;
    let request = plain.clone().header(HeaderName::from_static("x-forwarded-proto"), "https");
    let (usual, told) = both(observer.http(), &plain, &request).await?;
    let is_believed = told.status == 200 && (300..500).contains(&usual.status);
    let place = || {
        let by = observer.facts().condition_on(request.url().path(), &["$http_x_forwarded_proto"]);
        by.map(|by| by.location.clone()).or_else(|| observer.facts().plain_listen_place())
    };
    is_believed.then(|| {
        CHECK
            .finding("plain HTTP is served to whoever says `X-Forwarded-Proto: https`")
            .expected(format!("{}, as without the header", usual.status))
            .actual(told.status.to_string())
            .at(place())
            .fix("a server of its own for port 80: server { listen 80; return 301 https://$host$request_uri; }")
            .shown_by(observer.shell().curl_raw(&request))
    })
}

async fn both(http: &Http, plain: &Request, forged: &Request) -> Option<(Seen, Seen)> {
    let (usual, told) = tokio::join!(http.send(plain), http.send(forged));
    Some((usual.ok()?, told.ok()?))
}

/// Prometheus asks for none of it; logs and whatever comes between them do.
fn says_too_little(observer: &Observer, set: &[&Directive]) -> Option<Finding> {
    const WANTED: [(&str, &str); 3] =
        [("Host", "$host"), ("X-Forwarded-For", "$proxy_add_x_forwarded_for"), ("X-Forwarded-Proto", "$scheme")];
    // What a level further out sets, and this one loses, is the question of header-inheritance.
    let levels = levels(&observer.facts().blocks_at_pass(), "proxy_set_header");
    let missing = WANTED.iter().filter(|(wanted, _)| !levels.iter().flatten().any(|line| names(line, wanted)));
    let missing: Vec<&(&str, &str)> = missing.collect();
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let untold: Vec<String> = names.iter().map(|name| as_it_comes(observer, name)).collect();
    let lines: Vec<String> = missing.iter().map(|(name, own)| format!("proxy_set_header {name} {own};")).collect();
    let pass = &observer.route().proxy_pass;
    // A line in the location would take away those that stand outside of it.
    let last = set.last().map(|line| line.location.clone());
    let in_condition = observer.facts().blocks_at_pass().last().is_some_and(|block| block.is("if"));
    let fix = match last {
        Some(last) => Fix::insert_after(last, lines.join(" ")),
        None if in_condition => Fix::insert_into(observer.route().location.clone(), lines.join(" ")),
        None => Fix::insert_after(pass.clone(), lines.join(" ")),
    };
    let finding = CHECK
        .finding(format!("what is behind nginx is not told {} by nginx", names.join(", ")))
        .at_level(Level::Note)
        .expected("the name that was asked for, the client's address and the scheme, in nginx's own words")
        .actual(untold.join(", "))
        .at(pass.clone())
        .fix(fix);
    (!missing.is_empty()).then_some(finding)
}

/// What nginx passes on of a header that nothing is said about.
fn as_it_comes(observer: &Observer, name: &str) -> String {
    match name {
        "Host" => format!("Host: {}", observer.route().upstream),
        _ => format!("{name} as the client wrote it"),
    }
}

fn names(line: &Directive, name: &str) -> bool {
    line.arg(0).is_some_and(|own| own.eq_ignore_ascii_case(name))
}
