//! Whoever nginx does not know gets nothing of Prometheus, by any spelling; who it knows gets in.

use futures_util::future::join_all;
use reqwest::header::HeaderName;

use super::super::obstacle::{PROBE, is_prometheus};
use super::super::{Answer, Check, Skip, Turn, View};
use super::content::{PRIVATE, answered, is_shown};
use super::realm::{asks_a_stub, asks_writers_alone, turned_off_by_the_client};
use crate::deployment::{Access, Directive};
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{Http, Observer, Request, Seen};

const BASIC: &str = "auth_basic \"Prometheus\"; auth_basic_user_file /etc/nginx/.htpasswd;";
/// What nginx says of a password that it could not look up, or that is not the one in the file.
const ABOUT_PASSWORDS: [&str; 4] = ["password mismatch", "was not found in", "crypt_r() failed", "open() \""];

pub(crate) static CHECK: Check = Check {
    id: "authentication",
    level: Level::Error,
    what: "Nobody gets anything of Prometheus without being asked who he is (password, certificate, address, another \
           server's word), on any path and by any spelling of it; and the right password is let in.",
    why: "Prometheus itself asks nobody: whoever reaches it reads every metric, its configuration and its targets. A password \
          in one location is none for the next: a more specific location, a regex, `satisfy any` or a second way to the same \
          upstream leaves the API open while the page asks. A password file that nginx can't read lets nobody in.",
    fix: "At the server, so that every location has it: auth_basic \"Prometheus\"; auth_basic_user_file \
          /etc/nginx/.htpasswd;",
    source: "https://prometheus.io/docs/guides/basic-auth/; https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

/// A path, what a client that nobody knows got for it, and whether the deployment's own client gets more.
struct Asked {
    request: Request,
    seen: Seen,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A stranger sees what Prometheus has.
    Open,
    /// A stranger does not, and who is known does, or would.
    Asks,
    /// Nobody sees it, or it can't be told.
    Unknown,
}

async fn ask(observer: &Observer) -> Answer {
    let mut asked = Vec::new();
    for client in strangers(observer) {
        asked.extend(ask_all(observer, &client).await);
    }
    let asks = asked.iter().any(|asked| asked.state == State::Asks) || asks_elsewhere(observer);
    let open: Vec<&Asked> = asked.iter().filter(|asked| asked.state == State::Open).collect();
    if asked.iter().all(|asked| asked.state == State::Unknown) {
        return Err(Skip("no answer of Prometheus comes to this client, with or without a password".to_owned()));
    }
    let mut findings = match (open.first(), asks) {
        (Some(first), false) => vec![asks_nobody(observer, first)],
        _ => by_place(observer, &open),
    };
    findings.extend(asks_a_stub(observer));
    // What is left open on purpose says nothing of the other paths.
    if open.iter().all(|asked| asked.request.target.ends_with("/metrics")) {
        findings.extend(other_spellings(observer).await?);
        findings.extend(by_a_forged_address(observer).await?);
        findings.extend(turned_off_by_the_client(observer).await?);
    }
    findings.extend(right_password(observer).await?);
    Ok(findings)
}

/// The clients that should not get in: one without a password, one from an address that is refused.
fn strangers(observer: &Observer) -> Vec<Http> {
    let access = &observer.route().access;
    let refused = observer.refused_and_anonymous_client();
    let asks_more = access.basic.is_some() || access.request.is_some() || access.certificate.is_some();
    let anonymous = (refused.is_none() || (asks_more && !access.any)).then(|| observer.anonymous_client());
    anonymous.into_iter().chain(refused).collect()
}

async fn ask_all(observer: &Observer, client: &Http) -> Vec<Asked> {
    let prefix = &observer.route().prefix;
    let served = observer.route().upstream_path.trim_end_matches('/');
    let mut targets: Vec<String> = PRIVATE.iter().map(|path| format!("{prefix}{path}")).collect();
    for path in PRIVATE {
        let doors = observer.facts().doors_to(&format!("{served}{path}"));
        targets.extend(doors.into_iter().filter(|door| !targets.contains(door)).collect::<Vec<_>>());
    }
    let asking = targets.iter().map(|target| ask_one(observer, client, observer.request_at_root(target)));
    join_all(asking).await.into_iter().flatten().collect()
}

async fn ask_one(observer: &Observer, client: &Http, request: Request) -> Option<Asked> {
    let request = request.anonymous();
    let seen = client.send(&request).await.ok()?;
    let state = if is_shown(&seen) {
        if is_asked_unseen(observer, &request) { State::Asks } else { State::Open }
    } else if seen.status == 401 {
        State::Asks
    } else if matches!(seen.status, 429 | 502..=504) {
        // Turned away for what others ask, not for who it is.
        State::Unknown
    } else {
        let known = observer.get_url(request.url()).await;
        if known.is_ok_and(|known| is_shown(&known)) { State::Asks } else { State::Unknown }
    };
    Some(Asked { request, seen, state })
}

/// Whether something asks that lets in all clients here: a stub says yes to every `auth_request`, and the address of this
/// client may be one that is let in.
fn is_asked_unseen(observer: &Observer, request: &Request) -> bool {
    let path = request.url().path().to_owned();
    let access = observer.facts().access_at(&path);
    let refuses = access.denied_client().is_some();
    let by_address = refuses && (access.any || access.basic.is_none()) && observer.refused_client().is_none();
    access.request.is_some() || by_address || observer.facts().is_guarded_by_variable(&path)
}

/// Whether another route to the same Prometheus asks.
fn asks_elsewhere(observer: &Observer) -> bool {
    let own = observer.route();
    let routes = observer.facts().deployment.routes.iter().filter(|route| route.prometheus == own.prometheus);
    routes.filter(|route| route.proxy_pass != own.proxy_pass).any(|route| asks(&route.access))
}

fn asks(access: &Access) -> bool {
    access.basic.is_some() || access.request.is_some() || access.certificate.is_some() || !access.rules.is_empty()
}

/// Nothing asks anywhere: that is how the guide has it. Where something is written that should ask, it is an error.
fn asks_nobody(observer: &Observer, first: &Asked) -> Finding {
    let route = observer.route();
    let finding = CHECK
        .finding("nobody is asked for a password: whoever reaches nginx reads all of Prometheus")
        .expected("401 without a password")
        .actual(answered(&first.seen))
        .shown_by(observer.shell().curl_raw(&first.request));
    if let Some(limit) = asks_writers_alone(observer, first.request.url().path()) {
        return Finding {
            message: "reading is open to everybody: the password is for other methods alone".to_owned(),
            ..finding
        }
        .at(limit.location.clone())
        .fix(format!("{} outside of limit_except", BASIC));
    }
    match &route.access.basic {
        Some(basic) => finding
            .at(basic.clone())
            .fix(Fix::insert_after(basic.clone(), "auth_basic_user_file /etc/nginx/.htpasswd;")),
        None => finding
            .at_level(Level::Warning)
            .at(route.location.clone())
            .fix(Fix::insert_into(observer.facts().server().location.clone(), BASIC)),
    }
}

/// One finding for each line that leaves something open while others ask.
fn by_place(observer: &Observer, open: &[&Asked]) -> Vec<Finding> {
    let mut places: Vec<(Location, Vec<&Asked>)> = Vec::new();
    for asked in open {
        let place = cause(observer, asked.request.url().path());
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, all)) => all.push(asked),
            None => places.push((place, vec![asked])),
        }
    }
    places.into_iter().map(|(place, all)| open_at(observer, place, &all)).collect()
}

/// The line that turns it off, else the location that answers.
fn cause(observer: &Observer, path: &str) -> Location {
    let facts = observer.facts();
    let turns_off = |value: &str| value == "off" || value.starts_with('$');
    let off = |name| facts.in_force(path, name).into_iter().find(|found| found.arg(0).is_some_and(turns_off));
    let off: Option<&Directive> = off("auth_basic").or_else(|| off("auth_request"));
    off.map_or_else(|| facts.location_place(path), |off| off.location.clone())
}

fn open_at(observer: &Observer, place: Location, all: &[&Asked]) -> Finding {
    let facts = observer.facts();
    let first = all[0];
    let mut paths: Vec<&str> = all.iter().map(|asked| asked.request.target.as_str()).collect();
    paths.dedup();
    let are_open = match paths.len() {
        1 => " is".to_owned(),
        2 => " and one more path are".to_owned(),
        more => format!(" and {} more paths are", more - 1),
    };
    // Numbers of Prometheus about itself, which people leave open on purpose to whoever scrapes it.
    let is_metrics = |path: &&str| path.ends_with("/metrics");
    let level = if paths.iter().all(is_metrics) { Level::Warning } else { CHECK.level };
    let written = facts.written(&place);
    let fix = match written.ends_with(" off;") {
        true => Fix::remove(place.clone(), format!("remove `{written}`: what asks around it holds here too")),
        false if written.starts_with("auth_basic $") => {
            Fix::from("let a `location` decide who is asked, and not a variable")
        }
        false => Fix::insert_into(place.clone(), what_asks(observer)),
    };
    CHECK
        .finding(format!("{}{are_open} open to everybody, while other paths ask", paths[0]))
        .at_level(level)
        .expected("401 or 403, as on the other paths")
        .actual(answered(&first.seen))
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl_raw(&first.request))
}

/// The lines that ask on the route, to be written again elsewhere.
fn what_asks(observer: &Observer) -> String {
    let facts = observer.facts();
    let names = ["satisfy", "auth_basic", "auth_basic_user_file", "auth_request"];
    let routes = facts.deployment.routes.iter().enumerate().filter(|(_, route)| asks(&route.access));
    let asking = routes.map(|(index, _)| facts.deployment.facts(index)).next().unwrap_or(facts);
    let single = names.into_iter().flat_map(|name| asking.in_force_at_pass(name));
    let mut lines: Vec<String> = single.map(|found| asking.written(&found.location)).collect();
    lines.extend(asking.route.access.rules.iter().map(|rule| asking.written(&rule.location)));
    if lines.is_empty() { BASIC.to_owned() } else { lines.join(" ") }
}

/// Other spellings of a path that is closed: rules about `$request_uri` see them, and locations see what they mean.
async fn other_spellings(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let prefix = &observer.route().prefix;
    let spellings = [
        format!("{prefix}/%61pi/v1/status/buildinfo"),
        format!("{prefix}/%41PI/../api/v1/status/buildinfo"),
        format!("/{prefix}/{PROBE}"),
        format!("{}{PROBE}", prefix.to_ascii_uppercase()),
        format!("{prefix}{PROBE}?x=/-/healthy"),
        format!("{prefix}{PROBE}?x=/metrics"),
        format!("{prefix}{PROBE}?x=/static/x.css"),
    ];
    for client in strangers(observer) {
        for spelling in &spellings {
            let request = observer.request_at_root(spelling);
            let Some(asked) = ask_one(observer, &client, request).await else { continue };
            if asked.state == State::Open {
                let place = cause_of_spelling(observer, asked.request.url().path());
                let finding = CHECK
                    .finding(format!("{spelling} is open to everybody: another spelling of a path that asks"))
                    .expected(format!("401 or 403, as for {prefix}{PROBE}"))
                    .actual(answered(&asked.seen))
                    .at(place)
                    .fix("let a `location` decide, which sees the decoded path, and not $request_uri, which is as the client wrote it")
                    .shown_by(observer.shell().curl_raw(&asked.request));
                return Ok(Some(finding));
            }
        }
    }
    Ok(None)
}

/// A realm in a variable is where the spelling counts.
fn cause_of_spelling(observer: &Observer, path: &str) -> Location {
    let realm = observer.facts().in_force(path, "auth_basic").into_iter();
    let mut realm = realm.filter(|found| found.arg(0).is_some_and(|realm| realm.starts_with('$')));
    realm.next().map_or_else(|| observer.facts().location_place(path), |found| found.location.clone())
}

/// Somebody from an address that is refused says that he has one that is let in.
async fn by_a_forged_address(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let access = &observer.route().access;
    let header = access.real_ip_header.as_deref().unwrap_or("X-Real-IP");
    let (Some(client), Ok(header)) = (observer.refused_and_anonymous_client(), HeaderName::try_from(header)) else {
        return Ok(None);
    };
    let allowed = access.allowed_client().map_or_else(|| "127.0.0.1".to_owned(), |address| address.to_string());
    let plain = observer.request(PROBE).anonymous();
    if client.send(&plain).await.is_ok_and(|seen| is_prometheus(&seen)) {
        // It is not the header that opens it.
        return Ok(None);
    }
    let request = plain.header(header, &allowed);
    let Some(seen) = client.send(&request).await.ok().filter(is_prometheus) else {
        return Ok(None);
    };
    let trusting = observer.facts().in_force(request.url().path(), "set_real_ip_from");
    let place = trusting.first().map(|found| found.location.clone());
    let finding = CHECK
        .finding(format!("whoever says that he comes from {allowed} is believed, and let in"))
        .expected("401 or 403: the list is about the address of the connection")
        .actual(answered(&seen))
        .at(place)
        .fix("set_real_ip_from with the address of the proxy in front alone; without such a proxy remove it and real_ip_header")
        .shown_by(observer.shell().curl_raw(&request));
    Ok(Some(finding))
}

/// A file that nginx can't read refuses everybody, and looks like protection.
async fn right_password(observer: &Observer) -> Result<Option<Finding>, Skip> {
    let seen = observer.get(PROBE).await?;
    if observer.route().access.basic.is_none() || !matches!(seen.status, 401 | 403 | 500) {
        return Ok(None);
    }
    let path = seen.url.path();
    let users = observer.facts().in_force(path, "auth_basic_user_file");
    let Some(users) = users.first() else { return Ok(None) };
    let says = observer.nginx_says(|line| ABOUT_PASSWORDS.iter().any(|about| line.message.contains(about))).await;
    let actual = match says {
        Some(line) => format!("{}: {}", seen.status, line.message),
        None if seen.status == 401 && observer.gives_a_password() => "401".to_owned(),
        None => return Ok(None),
    };
    let finding = CHECK
        .finding("the right password is not let in")
        .expected("200 for the user and the password of the file")
        .actual(actual)
        .at(users.location.clone())
        .fix("name the file by its whole path, let nginx's user read it, and write it with `htpasswd -B` or `openssl passwd -apr1`")
        .shown_by(observer.shell().curl(&seen));
    Ok(Some(finding))
}
