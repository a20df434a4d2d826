//! A reload loses no request, and a broken configuration does not take the old one's place.

use std::time::Duration;

use super::super::api::duration;
use super::super::obstacle::{PROBE, is_prometheus, need_answers};
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use super::changing::{is_limited, is_turned_away, refused};
use crate::deployment::Directive;
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Held, Lived, Load, Observer, Reloaded, Request, Visit};
use crate::world::{PodContent, PodFile};

/// A few hundred requests in the time of a reload.
const LOAD: Load = Load { clients: 4, gap: Duration::from_millis(5) };
/// Less than deployments limit one client to, most often.
const LITTLE: Load = Load { clients: 1, gap: Duration::from_millis(200) };
/// A request that takes longer than this after the reload is taken for a long one: many panels of a dashboard do.
const LONG: Duration = Duration::from_secs(2);
/// How much longer than a limit the long request waits for it.
const MARGIN: Duration = Duration::from_millis(500);
const SHUTDOWN: &str = "worker_shutdown_timeout";
const MAIN: &str = "/etc/nginx/nginx.conf";
const BROKEN: &[u8] = b"\nproxyproof_breaks_this_line;\n";

pub(crate) static CHECK: Check = Check {
    id: "reload-keeps-serving",
    level: Level::Error,
    what: "While nginx reads its configuration again (nginx -s reload), no request is dropped, and a configuration with a \
           mistake in it leaves the old one at work.",
    why: "Certificates are renewed and lines are changed while people and Grafana ask. With a short worker_shutdown_timeout \
          every reload cuts off the queries that are under way: panels show \"unexpected end of JSON\", alerts miss data.",
    fix: "Take worker_shutdown_timeout away, or give it more than --query.timeout: worker_shutdown_timeout 125s;",
    source: "https://nginx.org/en/docs/control.html#reconfiguration; \
             https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout; RFC 9112, section 9.3.1",
    turn: Turn::After,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_answers(observer).await?;
    let request = observer.request(PROBE);
    let limit = Limit::of(observer);
    let (reloaded, lived, held) = reload(observer, &request, limit).await?;
    if let Reloaded::Refused(log) = reloaded {
        return Ok(vec![own_configuration_refused(observer, &log)]);
    }
    let mut findings: Vec<Finding> = match (held, limit) {
        (Some(Held::Cut(_)), Some(limit)) => vec![cut(limit)],
        (_, Some(limit)) => short(observer, limit).into_iter().collect(),
        _ => Vec::new(),
    };
    findings.extend(dropped(observer, &request, &lived));
    findings.extend(after_a_mistake(observer, &request).await?);
    Ok(findings)
}

/// `worker_shutdown_timeout`, and what it says.
#[derive(Clone, Copy)]
struct Limit<'a> {
    directive: &'a Directive,
    time: Duration,
}

impl<'a> Limit<'a> {
    fn of(observer: &'a Observer) -> Option<Self> {
        let directive = observer.facts().deployment.nginx.directives.iter().find(|directive| directive.is(SHUTDOWN))?;
        Some(Self { directive, time: duration::read(directive.arg(0)?)? }).filter(|limit| !limit.time.is_zero())
    }

    fn written(&self) -> &'a str {
        self.directive.arg(0).unwrap_or_default()
    }
}

/// Reloads under load. A long request is under way too where something would end it while this check waits.
async fn reload(
    observer: &Observer,
    request: &Request,
    limit: Option<Limit<'_>>,
) -> Result<(Reloaded, Lived, Option<Held>), Skip> {
    let load = if is_limited(observer, request) { LITTLE } else { LOAD };
    let under_load = observer.under_load(request, load, observer.control()?.reload());
    let may_be_cut = limit.filter(|limit| limit.time <= LONG && waits_for_heads(observer));
    let ((reloaded, lived), held) = match may_be_cut {
        Some(limit) if observer.unverified().is_ok() => {
            let what = Visit { sni: observer.sni(), host: &observer.route().server_name, path: &request.target };
            let (done, held) = observer.held(what, limit.time + MARGIN, under_load).await?;
            (done, Some(held))
        }
        _ => (under_load.await, None),
    };
    Ok((reloaded?, lived, held))
}

/// A client that is slow with its request is cut off for that by a short `client_header_timeout`.
fn waits_for_heads(observer: &Observer) -> bool {
    let facts = observer.facts();
    let default = facts.default_server().map(|server| facts.server_in_force_of(server.index, "client_header_timeout"));
    let all = facts.server_in_force("client_header_timeout").into_iter().chain(default.into_iter().flatten());
    let times = all.filter_map(|directive| duration::read(directive.arg(0)?));
    times.min().is_none_or(|least| least > LONG + MARGIN * 2)
}

fn cut(limit: Limit<'_>) -> Finding {
    CHECK
        .finding("a reload cuts off requests that are under way")
        .expected("the workers of before finish what they have begun")
        .actual(format!("the connection was closed {} after the reload", limit.written()))
        .at(limit.directive.location.clone())
        .fix(Fix::remove(
            limit.directive.location.clone(),
            format!("take {SHUTDOWN} {}; away: the workers of before then end when they are done", limit.written()),
        ))
}

/// Longer than this check waits, and shorter than Prometheus may work on a query.
fn short(observer: &Observer, limit: Limit<'_>) -> Option<Finding> {
    let works = observer.facts().prometheus().flag("query.timeout").unwrap_or("2m").to_owned();
    let time = duration::read(&works).filter(|works| limit.time < *works)?;
    let finding = CHECK
        .finding(format!("a reload cuts off queries that take longer than {}", limit.written()))
        .at_level(Level::Note)
        .expected(format!("{SHUTDOWN} of more than {works}: Prometheus works as long on a query"))
        .actual(limit.written())
        .at(limit.directive.location.clone())
        .fix(Fix::replace(limit.directive.location.clone(), format!("{SHUTDOWN} {}s;", time.as_secs() + 5)));
    Some(finding)
}

fn dropped(observer: &Observer, request: &Request, lived: &Lived) -> Option<Finding> {
    let expected = |status: u16| status == 200 || is_turned_away(observer, request, status);
    let otherwise = lived.answers.iter().find(|(status, _)| !expected(**status));
    let actual = match (lived.dropped.first(), otherwise) {
        (Some(failure), _) => failure.to_string(),
        (None, Some((status, _))) => format!("{status}, where it was 200 before"),
        (None, None) => return None,
    };
    let finding = CHECK
        .finding("a request that came in during a reload was not answered as before")
        .expected("every request is answered by the workers of before or by the new ones")
        .actual(actual)
        .shown_by(format!("nginx -s reload & {}", observer.shell().curl_raw(request)));
    Some(finding)
}

fn own_configuration_refused(observer: &Observer, log: &str) -> Finding {
    let finding = CHECK
        .finding("nginx started with this configuration, and refuses to read it again")
        .expected("a reload takes it as the start did");
    refused(observer, finding, log).fix("mend the line that nginx names; until then every change needs a restart")
}

/// Puts a mistake into the configuration, reloads, and takes it out again.
async fn after_a_mistake(observer: &Observer, request: &Request) -> Result<Option<Finding>, Skip> {
    let Some(main) = observer.world()?.nginx_file(MAIN) else { return Ok(None) };
    let PodContent::File(text) = &main.content else { return Ok(None) };
    let broken = PodFile::file(MAIN, [text.as_slice(), BROKEN].concat(), main.mode);
    let control = observer.control()?;
    let lived = async {
        control.put(&[broken]).await?;
        control.reload().await?;
        Ok::<_, Skip>(observer.http().keeping_none().send(request).await)
    };
    let lived = lived.await;
    control.put(std::slice::from_ref(main)).await?;
    control.reload().await?;
    let actual = match lived? {
        Ok(seen) if is_prometheus(&seen) || is_turned_away(observer, request, seen.status) => return Ok(None),
        Ok(seen) => seen.summary(),
        Err(failure) => failure.to_string(),
    };
    let finding = CHECK
        .finding("after a reload with a mistake in the configuration nginx does not serve as before")
        .expected("the configuration of before stays at work")
        .actual(actual);
    Ok(Some(finding))
}
