//! Prometheus is away for a while: clients are told so, and find it again.

use std::net::IpAddr;
use std::time::Duration;

use super::super::api::duration;
use super::super::obstacle::{PROBE, need_answers};
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use super::away;
use super::changing::{is_turned_away, parameter, round, served_within};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Failure, FailureKind, Observer, Request, Seen};

/// How long clients may have to wait after Prometheus serves again. nginx's own `fail_timeout` is half of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is no pause any more but an outage.
const OUTAGE: Duration = Duration::from_secs(60);
/// More failures are not made, whatever `max_fails` says.
const MOST_FAILURES: usize = 10;

pub(crate) static CHECK: Check = Check {
    id: "upstream-restart",
    level: Level::Warning,
    what: "While Prometheus is stopped clients get an error (502, 503, 504) that tells nothing of the inside; when it runs \
           again they are served within seconds, without a reload of nginx.",
    why: "Prometheus restarts at each update. An answer 200 with a page in its place makes Grafana and probes believe that \
          all is well; an address in the page is for those who look for a way in; a long fail_timeout keeps nginx from \
          asking a Prometheus that has long been back.",
    fix: "error_page 502 503 504 /away.html; without =200, a page that names no $upstream_addr, and no more than \
          fail_timeout=10s at the servers of an upstream block.",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page; \
             https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout",
    turn: Turn::After,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let (control, number) = (observer.control()?, observer.route().prometheus);
    let request = observer.request(PROBE);
    control.stop(number).await?;
    let while_away = ask_until_given_up(observer, &request).await;
    control.start(number, None).await?;
    let back = served_within(observer, &request, PATIENCE).await;
    if back.is_none() {
        // nginx forgets then which servers have failed.
        control.reload().await?;
    }
    let answers = match while_away {
        Ok(answers) => answers,
        Err(failure) if failure.kind == FailureKind::Timeout => {
            return Ok(vec![no_answer(observer, &request)]);
        }
        Err(failure) => return Err(failure.into()),
    };
    if answers.iter().any(away::is_another) {
        return Err(Skip("somebody else answers in the place of a Prometheus that is away".to_owned()));
    }
    let is_limits_own = |seen: &&Seen| is_turned_away(observer, &request, seen.status);
    if let Some(seen) = answers.iter().find(is_limits_own) {
        return Err(Skip(format!("nginx limits how much a client may ask ({}): see page-load", seen.status)));
    }
    let (left_out, hiding): (Vec<&Seen>, Vec<&Seen>) =
        answers.iter().filter(|seen| !away::is_clean(seen)).partition(|seen| is_left_out(observer, seen));
    let mut findings = Vec::new();
    findings.extend(hiding.first().map(|seen| hidden(observer, seen)));
    findings.extend(answers.iter().find_map(|seen| told(observer, seen)));
    findings.extend(back.is_none().then(|| late(observer, &request)));
    match findings.is_empty() && !left_out.is_empty() {
        true => Err(Skip("the page of error_page is in a directory that the deployment does not bring".to_owned())),
        false => Ok(findings),
    }
}

/// Asks as often as it takes nginx to give a server up, and once more: what it says then may be another thing.
async fn ask_until_given_up(observer: &Observer, request: &Request) -> Result<Vec<Seen>, Failure> {
    let servers = observer.facts().upstream_servers(request.url().path());
    let failures = servers.iter().filter_map(|server| parameter(server, "max_fails")?.parse::<usize>().ok());
    let times = failures.max().unwrap_or(1).clamp(1, MOST_FAILURES);
    let mut answers = Vec::new();
    for _ in 0..=times {
        answers.extend(round(observer, request).await);
    }
    answers.into_iter().collect()
}

fn is_left_out(observer: &Observer, seen: &Seen) -> bool {
    let page = away::error_page(observer, seen.url.path());
    seen.status == 404 && page.is_some_and(|page| away::page_is_elsewhere(observer, page))
}

fn hidden(observer: &Observer, seen: &Seen) -> Finding {
    let page = away::error_page(observer, seen.url.path());
    let stale = observer.facts().in_force(seen.url.path(), "proxy_cache_use_stale").into_iter().next();
    let place = page.or(stale).map(|directive| directive.location.clone());
    let finding = CHECK
        .finding(format!("while Prometheus is away clients get {}", seen.status))
        .expected("502, 503 or 504, so that clients try again later and probes see it")
        .actual(seen.summary())
        .at(place);
    let finding = match page {
        Some(page) => finding.fix(Fix::replace(page.location.clone(), with_the_error_s_status(page))),
        None => finding,
    };
    finding.shown_by(observer.shell().curl(seen))
}

/// `error_page 502 =200 /page` as `error_page 502 /page`.
fn with_the_error_s_status(page: &Directive) -> String {
    let kept = page.args.iter().map(|arg| arg.text.as_str()).filter(|text| !text.starts_with('='));
    format!("error_page {};", kept.collect::<Vec<_>>().join(" "))
}

fn told(observer: &Observer, seen: &Seen) -> Option<Finding> {
    let (secret, header) = away::leak(seen, &away::inside(observer))?;
    let teller = away::teller(observer, seen.url.path(), &secret, header);
    // The loopback address of a machine leads nobody anywhere.
    let host = observer.route().upstream.name();
    let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let by = header.map_or_else(|| "the answer".to_owned(), |header| format!("the header {header}"));
    let finding = CHECK
        .finding(format!("while Prometheus is away {by} tells where it is: {secret}"))
        .at_level(if is_loopback { Level::Note } else { Level::Warning })
        .expected("an answer that tells nothing of the inside")
        .actual(seen.summary())
        .at(teller.map(|directive| directive.location.clone()))
        .fix("write neither $upstream_addr nor $proxy_host nor an address into what clients get: they belong into a log_format")
        .shown_by(observer.shell().curl(seen));
    Some(finding)
}

fn late(observer: &Observer, request: &Request) -> Finding {
    let servers = observer.facts().upstream_servers(request.url().path());
    let time = |server: &&Directive| parameter(server, "fail_timeout").and_then(duration::read);
    // Of one server alone nginx never thinks that it is away.
    let slowest = servers.iter().copied().filter(|_| servers.len() > 1).max_by_key(|server| time(server));
    let slowest = slowest.filter(|server| time(server).is_some_and(|time| time > PATIENCE));
    let finding = CHECK.finding("nginx does not find a Prometheus that was away and serves again");
    let expected = format!("Prometheus is served within {} s after its start", PATIENCE.as_secs());
    let Some(server) = slowest else {
        return finding.expected(expected).actual("no answer of Prometheus until nginx is reloaded");
    };
    let written = parameter(server, "fail_timeout").unwrap_or_default();
    let level = if time(&server).is_some_and(|time| time > OUTAGE) { Level::Warning } else { Level::Note };
    let change = |_: usize, text: &str| match text.starts_with("fail_timeout=") {
        true => "fail_timeout=10s".to_owned(),
        false => text.to_owned(),
    };
    finding
        .at_level(level)
        .expected(expected)
        .actual(format!("nginx asks it again after {written}"))
        .at(server.location.clone())
        .fix(Fix::replace(server.location.clone(), server.written_with(change)))
}

fn no_answer(observer: &Observer, request: &Request) -> Finding {
    CHECK
        .finding("while Prometheus is away clients get no answer in time")
        .expected("502, 503 or 504 at once")
        .actual("nothing in 10 s")
        .shown_by(observer.shell().curl_raw(request))
}
