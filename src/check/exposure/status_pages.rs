//! nginx's own status, listings of directories and hidden files are not for everybody.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::super::{Answer, Check, Turn, View};
use super::site::{Site, is_password_file};
use crate::deployment::{Access, Directive, FileKind};
use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::{Observer, Seen};

/// Where people put nginx's status.
const USUAL: [&str; 4] = ["/nginx_status", "/stub_status", "/basic_status", "/status"];
/// What lies hidden where a directory was copied to a server as it was.
const HIDDEN: [&str; 6] = [".git/HEAD", ".git/config", ".svn/entries", ".env", ".htpasswd", ".DS_Store"];
const STATUS: [&str; 4] = ["stub_status", "vhost_traffic_status_display", "check_status", "status"];
/// More paths than anybody has; a hostile file can name thousands.
const MOST: usize = 64;
const CLOSED: &str = "allow 127.0.0.1; allow ::1; deny all;";

pub(crate) static CHECK: Check = Check {
    id: "status-pages",
    level: Level::Warning,
    what: "Pages about nginx itself (stub_status and its like), lists of what is in a directory (autoindex) and hidden files \
           (.git, .env, .htpasswd) are not open to everybody.",
    why: "They tell a stranger how busy the server is, which names and upstreams it has, which files there are, and with .git or \
          .env the sources and the passwords.",
    fix: "location = /nginx_status { stub_status; allow 127.0.0.1; allow ::1; deny all; }; `autoindex off;`; and \
          location ~ /\\.(?!well-known) { deny all; }.",
    source: "https://nginx.org/en/docs/http/ngx_http_stub_status_module.html; \
             https://nginx.org/en/docs/http/ngx_http_autoindex_module.html; CWE-548; RFC 8615",
    turn: Turn::Together,
    view: View::Outside,
    ask: |observer| Box::pin(ask(observer)),
};

/// What a page shows that is not for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Status,
    Listing,
    Hidden,
}

async fn ask(observer: &Observer) -> Answer {
    let mut findings: Vec<Finding> = Vec::new();
    for site in Site::all(observer, observer.stranger()) {
        let targets = targets(observer, &site);
        for (target, seen) in targets.iter().zip(join_all(targets.iter().map(|target| site.ask(target))).await) {
            let shown = seen.ok().and_then(|seen| shown(&seen, target));
            let shown = shown.filter(|shown| *shown != Shown::Hidden || site.is_from_disk(observer, target));
            let found =
                shown.filter(|_| is_open(observer, &site, target)).map(|shown| finding(observer, &site, target, shown));
            findings.extend(found.filter(|new| findings.iter().all(|known| known.location != new.location)));
        }
        for listing in unseen_listings(observer, &site) {
            if findings.iter().all(|known| known.location != listing.location) {
                findings.push(listing);
            }
        }
    }
    Ok(findings)
}

/// The paths of nginx's own locations, the usual ones where a status is written, and hidden files of every directory.
fn targets(observer: &Observer, site: &Site) -> BTreeSet<String> {
    let facts = observer.facts();
    let locations = facts.locations_of(site.server);
    let passes = |location: &Directive| location.children().iter().any(|child| child.name.ends_with("_pass"));
    let own = locations.iter().filter(|location| !passes(location)).filter_map(|location| location.location_path());
    let own: Vec<String> = own.filter(|path| path.starts_with('/')).collect();
    let directories = facts.served_directories(site.server).into_iter().map(|(public, _)| public);
    let hidden = directories.flat_map(|public| HIDDEN.map(|name| format!("{public}/{name}")));
    // A location of a directory is often written without the slash that the directory has.
    let with_slash = own.iter().filter(|path| !path.ends_with('/')).map(|path| format!("{path}/"));
    // A regex has no path of its own.
    let has_status =
        locations.iter().any(|location| STATUS.iter().any(|name| location.children_named(name).next().is_some()));
    let usual = USUAL.iter().filter(|_| has_status).map(|path| (*path).to_owned());
    let root = one(&facts.server_blocks(site.server), "autoindex").map(|_| "/".to_owned());
    let all: BTreeSet<String> = own.iter().cloned().chain(with_slash).chain(hidden).chain(usual).chain(root).collect();
    all.into_iter().take(MOST).collect()
}

/// Told by what comes: no other page says so.
fn shown(seen: &Seen, target: &str) -> Option<Shown> {
    if seen.status != 200 {
        return None;
    }
    let text = seen.text();
    let first = text.lines().next().unwrap_or_default();
    let is_status = text.starts_with("Active connections:")
        || text.contains("\"nginxVersion\"")
        || text.contains("nginx vhost traffic status monitor")
        || text.contains("Nginx http upstream check status");
    let is_listing = text.contains("<title>Index of /") || text.contains("<h1>Index of /");
    let name = target.rsplit('/').next().unwrap_or_default();
    let is_hidden = match name {
        "HEAD" => {
            first.starts_with("ref: refs/") || (first.len() == 40 && first.chars().all(|c| c.is_ascii_hexdigit()))
        }
        "config" => text.contains("[core]"),
        "entries" => first.parse::<u32>().is_ok(),
        ".env" => {
            is_a_file(seen) && text.lines().any(|line| line.split_once('=').is_some_and(|(name, _)| is_word(name)))
        }
        ".htpasswd" => is_password_file(&text),
        ".DS_Store" => seen.body.starts_with(&[0, 0, 0, 1, b'B', b'u', b'd', b'1']),
        _ => false,
    };
    match () {
        () if is_status => Some(Shown::Status),
        () if is_listing => Some(Shown::Listing),
        () if is_hidden && target.contains("/.") => Some(Shown::Hidden),
        () => None,
    }
}

/// An application that answers every path does so with a page or with JSON.
fn is_a_file(seen: &Seen) -> bool {
    !seen.media_type().ends_with("html") && !seen.media_type().ends_with("json")
}

fn is_word(text: &str) -> bool {
    let text = text.trim().trim_start_matches("export ");
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.@".contains(c))
}

/// Whether nothing is asked of a client: this one may come from an address that is let in.
fn is_open(observer: &Observer, site: &Site, target: &str) -> bool {
    let facts = observer.facts();
    let path = target.split('?').next().unwrap_or(target);
    let by_variable = site.server == facts.route.server && facts.is_guarded_by_variable(path);
    asks_nothing(&facts.access_of(site.server, path)) && !by_variable
}

fn asks_nothing(access: &Access) -> bool {
    let asks_who = access.basic.is_some() || access.request.is_some();
    let certificate = access.certificate.as_ref().is_some_and(|certificate| certificate.mode == "on");
    !asks_who && !certificate && access.denied_client().is_none()
}

fn finding(observer: &Observer, site: &Site, target: &str, shown: Shown) -> Finding {
    let facts = observer.facts();
    let blocks = facts.blocks_of(site.server, target);
    let location = blocks.last().filter(|block| block.is("location"));
    let innermost = |names: &[&str]| {
        let children = blocks.iter().rev().flat_map(|block| block.children());
        children.into_iter().find(|child| names.contains(&child.name.as_str()))
    };
    let (what, maker) = match shown {
        Shown::Status => ("nginx's own status", innermost(&STATUS)),
        Shown::Listing => ("the list of all files in a directory", innermost(&["autoindex"])),
        Shown::Hidden => ("a hidden file", innermost(&["root", "alias"])),
    };
    let place = maker.or(location.copied()).map(|directive| directive.location.clone());
    let fix = match (shown, &place) {
        (Shown::Status, Some(place)) => Fix::insert_after(place.clone(), CLOSED),
        (Shown::Status, None) => Fix::from(CLOSED),
        (Shown::Listing, Some(place)) => Fix::replace(place.clone(), "autoindex off;"),
        (Shown::Listing, None) => Fix::from("autoindex off;"),
        (Shown::Hidden, _) => Fix::insert_into(
            facts.deployment.servers[site.server].location.clone(),
            "location ~ /\\.(?!well-known) { deny all; }",
        ),
    };
    CHECK
        .finding(format!("{target} shows {what} to everybody"))
        .expected("403 or 404 for a client from outside")
        .actual(format!("200 and {what}"))
        .at(place)
        .fix(fix)
        .shown_by(observer.shell().curl_raw(&site.request(target)))
}

/// Where the deployment does not bring the directory, what is made for it has an index.html, and nginx lists nothing: the
/// line alone tells then.
fn unseen_listings(observer: &Observer, site: &Site) -> Vec<Finding> {
    let facts = observer.facts();
    let is_made = |dir: &str| {
        let mut uses = facts.deployment.files.uses.iter().filter(|named| named.kind == FileKind::Site);
        uses.any(|named| named.file.path.trim_end_matches('/') == dir.trim_end_matches('/'))
    };
    let locations = facts.locations_of(site.server).into_iter();
    let locations = locations.filter_map(|location| Some((location, location.location_path()?)));
    let server = facts.server_blocks(site.server).last().map(|server| (*server, "/".to_owned()));
    let listing = locations.chain(server).filter_map(|(location, path)| {
        let blocks = facts.blocks_of(site.server, &path);
        let own = blocks.last().is_some_and(|last| last.location == location.location);
        let on = one(&blocks, "autoindex").filter(|on| own && on.arg(0) == Some("on"))?;
        let dir = one(&[location], "alias").or_else(|| one(&blocks, "root"))?.arg(0)?;
        let goes_elsewhere =
            ["proxy_pass", "return", "deny"].iter().any(|name| location.children_named(name).next().is_some());
        let is_listed = !goes_elsewhere && is_made(dir);
        is_listed.then(|| listed_unseen(&path, &on.location, is_open(observer, site, &path)))
    });
    listing.collect()
}

/// The first directive of that name in the innermost block that has one.
fn one<'a>(blocks: &[&'a Directive], name: &'a str) -> Option<&'a Directive> {
    blocks.iter().rev().find_map(|block| block.children_named(name).next())
}

fn listed_unseen(path: &str, autoindex: &Location, open: bool) -> Finding {
    let (to_whom, level) = match open {
        true => ("everybody", Level::Warning),
        false => ("everybody who is let in", Level::Note),
    };
    CHECK
        .finding(format!("{path} shows the list of all files in a directory to {to_whom}"))
        .at_level(level)
        .expected("403 or 404 for a client from outside")
        .actual("autoindex is on there; what it lists is not part of the deployment")
        .at(autoindex.clone())
        .fix(Fix::replace(autoindex.clone(), "autoindex off;"))
}
