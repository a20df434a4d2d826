//! A client gets no file but those that a location is for.
//!
//! nginx is asked: the directory of an `alias` is in the Pod, brought or made. A `proxy_pass` with a path whose location lacks
//! the slash lets `..` out too, but Prometheus answers it with a redirect to the path without it, which goes through nginx
//! again: seen with 2.24, 2.53 and 3.5.

use futures_util::future::join_all;

use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use super::site::{Site, is_password_file};
use crate::deployment::{Directive, Escape, FileKind, NamedFile};
use crate::finding::{Finding, Level};
use crate::observe::{Observer, Seen};

/// Nobody has a file of this name.
const NOWHERE: &str = "proxyproof-nowhere";

pub(crate) static CHECK: Check = Check {
    id: "path-traversal",
    level: Level::Error,
    what: "No location hands out files from outside of its directory, and none hands out the passwords and keys that nginx \
           itself uses.",
    why: "nginx puts what follows the location's path behind the `alias`, letter by letter. With `location /static` and \
          `alias /var/www/static/;` the request /static../secret is the file /var/www/static/../secret: whatever lies \
          beside the directory can be downloaded.",
    fix: "End both with a slash: location /static/ { alias /var/www/static/; }. Keep password files and keys outside of every \
          `root`.",
    source: "https://nginx.org/en/docs/http/ngx_http_core_module.html#alias; CWE-22; \
             https://github.com/yandex/gixy/blob/master/docs/en/plugins/aliastraversal.md",
    turn: Turn::Together,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let facts = observer.facts();
    let (mut findings, mut unseen) = (Vec::new(), None);
    for site in Site::all(observer, observer.http().clone()) {
        for escape in facts.escapes_of(site.server) {
            match way_out(observer, &site, &escape).await {
                Some(Out::Open(target, status)) => findings.push(leads_out(observer, &site, &escape, &target, status)),
                Some(Out::Closed) => {}
                None => unseen = unseen.or(Some(escape.alias.location.clone())),
            }
        }
        findings.extend(secrets(observer, &site).await);
    }
    match unseen.filter(|_| findings.is_empty()) {
        Some(place) => {
            Err(Skip(format!("what the alias at {place} leads to is not here, so that nothing of it can be asked for")))
        }
        None => Ok(findings),
    }
}

/// What a location answers to a path that leads out of its directory.
enum Out {
    /// It goes out: the path that does, and the status that comes.
    Open(String, u16),
    Closed,
}

/// Goes out of the directory and into it again, which is there for sure, and compares with what is not there. None where
/// nothing of the directory can be seen.
async fn way_out(observer: &Observer, site: &Site, escape: &Escape<'_>) -> Option<Out> {
    let name = escape.dir.trim_end_matches('/').rsplit('/').next()?;
    let (head, file) = (&escape.head, observer.facts().file_below(&escape.dir));
    let targets = [
        format!("{head}../{name}/{file}"),
        format!("{head}../{name}/"),
        format!("{head}../{NOWHERE}/{file}"),
        format!("{head}/{file}"),
        format!("{head}/"),
    ];
    let [of_file, of_directory, nowhere, inside, directory] =
        join_all(targets.iter().map(|target| site.ask(target))).await.try_into().ok()?;
    let (of_file, of_directory, nowhere) = (of_file.ok()?, of_directory.ok()?, nowhere.ok()?);
    let [to_file, to_directory, ..] = targets;
    // A location that answers everything with one page tells all alike.
    if of_file.status == 200 && (nowhere.status != 200 || nowhere.body != of_file.body) {
        return Some(Out::Open(to_file, of_file.status));
    }
    if nowhere.status == 404 && matches!(of_directory.status, 200 | 301 | 403) {
        return Some(Out::Open(to_directory, of_directory.status));
    }
    let is_there = [inside, directory].into_iter().any(|seen| seen.is_ok_and(|seen| seen.status != 404));
    is_there.then_some(Out::Closed)
}

fn leads_out(observer: &Observer, site: &Site, escape: &Escape<'_>, target: &str, status: u16) -> Finding {
    let (location, alias) = (escape.location, escape.alias);
    let above = escape.dir.trim_end_matches('/').rsplit_once('/').map_or("/", |(above, _)| above);
    let fix = match location.is_prefix_location() {
        true => with_slash(location, alias),
        false => format!("let the regex have the slash: ^{}/(.*)$", escape.head),
    };
    CHECK
        .finding(format!("{}../ leads out of {}: whatever lies in {above}/ can be downloaded", escape.head, escape.dir))
        .expected("404, as for what is not there")
        .actual(format!("{status} to {target}"))
        .at(if location.is_prefix_location() { location.location.clone() } else { alias.location.clone() })
        .fix(fix)
        .shown_by(observer.shell().curl_raw(&site.request(target)))
}

/// `location ^~ /static/ { alias /var/www/static/; }`.
fn with_slash(location: &Directive, alias: &Directive) -> String {
    let last = location.args.len().saturating_sub(1);
    let changed = location.written_with(|index, text| if index == last { format!("{text}/") } else { text.to_owned() });
    format!("{} {{ {} }}", changed.trim_end_matches(';'), alias.written_with(|_, text| text.to_owned()))
}

/// Files that nginx alone should read, and that lie below a directory which it hands out.
async fn secrets(observer: &Observer, site: &Site) -> Vec<Finding> {
    let deployment = observer.facts().deployment;
    let named = deployment.files.uses.iter().filter(|named| is_secret(named.kind)).map(|named| &named.file);
    let keys = deployment.files.pairs.iter().map(|used| &used.pair.key);
    let mut findings = Vec::new();
    for file in named.chain(keys) {
        let targets = urls_of(observer, site, &file.path).into_iter();
        for target in targets.filter(|target| site.is_from_disk(observer, target)) {
            let Ok(seen) = site.ask(&target).await else { continue };
            if is_it(&seen) {
                findings.push(is_handed_out(observer, site, file, &target));
                break;
            }
        }
    }
    findings
}

fn is_secret(kind: FileKind) -> bool {
    matches!(kind, FileKind::Passwords | FileKind::KeyPasswords | FileKind::TicketKey)
}

fn urls_of(observer: &Observer, site: &Site, path: &str) -> Vec<String> {
    let directories = observer.facts().served_directories(site.server).into_iter();
    let below = directories
        .filter_map(|(public, dir)| Some(format!("{public}/{}", path.strip_prefix(dir)?.strip_prefix('/')?)));
    below.collect()
}

/// Not a page of nginx, and not what another program has at that path.
fn is_it(seen: &Seen) -> bool {
    let text = seen.text();
    seen.status == 200 && (is_password_file(&text) || text.contains("PRIVATE KEY"))
}

fn is_handed_out(observer: &Observer, site: &Site, file: &NamedFile, target: &str) -> Finding {
    CHECK
        .finding(format!("{} can be downloaded: it lies below a directory that nginx hands out", file.path))
        .expected("403 or 404")
        .actual(format!("200 and its content at {target}"))
        .at(file.location.clone())
        .fix("keep it outside of every root and alias, as in /etc/nginx/, and name it by that path here")
        .shown_by(observer.shell().curl_raw(&site.request(target)))
}
