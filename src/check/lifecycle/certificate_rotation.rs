//! A renewed certificate is what clients are shown.

use super::super::api::duration;
use super::super::obstacle::need_tls;
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use super::changing::{parameter, refused};
use crate::deployment::{Directive, NamedFile, PairUse};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Reloaded};
use crate::world::{Keeper, Renewal};

const CERTIFICATE: &str = "ssl_certificate";
const KEY: &str = "ssl_certificate_key";
const CACHE: &str = "ssl_certificate_cache";
/// So many that hardly a worker of nginx is left out: each reads files by itself.
const CONNECTIONS: usize = 8;

pub(crate) static CHECK: Check = Check {
    id: "certificate-rotation",
    level: Level::Error,
    what: "When certificate and key are renewed as whoever keeps their files does it, and nginx is reloaded, clients are \
           shown the new certificate.",
    why: "certbot writes each certificate into a new file of /etc/letsencrypt/archive and leads the link of that name in \
          /etc/letsencrypt/live to it. nginx that reads the file in archive, or a copy of the key, shows the old \
          certificate until it expires, and then no browser and no Grafana connects any more.",
    fix: "ssl_certificate /etc/letsencrypt/live/NAME/fullchain.pem; ssl_certificate_key /etc/letsencrypt/live/NAME/privkey.pem; \
          and nginx -s reload after each renewal (certbot renew --deploy-hook \"nginx -s reload\").",
    source: "https://eff-certbot.readthedocs.io/en/stable/using.html#where-are-my-certificates; \
             https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate",
    turn: Turn::After,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    need_tls(observer)?;
    let pairs = pairs(observer);
    if pairs.is_empty() {
        return Err(Skip("nginx does not read its certificate from a file of its configuration".to_owned()));
    }
    let renewed = observer.world()?.renew(&pairs, &observer.route().server_name);
    let renewed = renewed.map_err(|error| Skip(format!("no certificate could be made: {error}")))?;
    let control = observer.control()?;
    let answer = show_renewed(observer, &pairs, &renewed).await;
    control.put(&renewed.before).await?;
    if !renewed.before.is_empty() {
        control.reload().await?;
    }
    answer
}

/// Puts the renewed files in place; what clients see then, before and after the reload that files without a variable need.
async fn show_renewed(observer: &Observer, pairs: &[&PairUse], renewed: &Renewal) -> Answer {
    let control = observer.control()?;
    // Every worker has read the files of before then.
    observer.certificates_shown(CONNECTIONS).await?;
    control.put(&renewed.files).await?;
    let by_worker = pairs.iter().all(|pair| pair.by_worker);
    let mut findings = Vec::new();
    if by_worker && !is_shown(observer, renewed).await? {
        findings.extend(kept_in_the_cache(observer));
    }
    match control.reload().await? {
        Reloaded::Refused(log) => findings.push(not_taken(observer, pairs, &log)),
        Reloaded::Done if is_shown(observer, renewed).await? => {}
        Reloaded::Done => findings.push(not_shown(observer, pairs)),
    }
    Ok(findings)
}

async fn is_shown(observer: &Observer, renewed: &Renewal) -> Result<bool, Skip> {
    let shown = observer.certificates_shown(CONNECTIONS).await?;
    Ok(shown.iter().all(|shown| renewed.certificates.contains(shown)))
}

/// The pairs of files that the route's clients are shown the certificates of.
fn pairs(observer: &Observer) -> Vec<&PairUse> {
    let facts = observer.facts();
    let named: Vec<&Directive> = facts.tls_in_force(CERTIFICATE);
    let name = &observer.route().server_name;
    let all = facts.deployment.files.pairs.iter().filter(|pair| {
        let (certificate, key) = (&pair.pair.certificate, &pair.pair.key);
        let is_named = named.iter().any(|directive| names(directive, certificate));
        let is_of_the_name = !pair.by_worker || pair.names.first() == Some(name);
        is_named && is_of_the_name && certificate.is_file() && key.is_file()
    });
    let mut pairs: Vec<&PairUse> = Vec::new();
    for pair in all {
        if pairs.iter().all(|known| known.pair.certificate.path != pair.pair.certificate.path) {
            pairs.push(pair);
        }
    }
    pairs
}

fn names(directive: &Directive, file: &NamedFile) -> bool {
    directive.args.first().is_some_and(|arg| arg.location == file.location)
}

/// The first of these files that certbot does not put in place, though it renews the certificate: with what stands there.
fn not_kept<'a>(observer: &'a Observer, pairs: &[&'a PairUse]) -> Option<(&'a Directive, String)> {
    let facts = observer.facts();
    pairs.iter().find_map(|pair| {
        let files = [(CERTIFICATE, &pair.pair.certificate, "fullchain.pem"), (KEY, &pair.pair.key, "privkey.pem")];
        let keepers = files.map(|(_, file, _)| Keeper::of(&file.path));
        let name = keepers.iter().find_map(|keeper| match keeper {
            Keeper::Certbot(name) | Keeper::CertbotsPast(name) => Some(name.clone()),
            Keeper::Anybody => None,
        })?;
        let past = files.iter().zip(&keepers).find(|(_, keeper)| !matches!(keeper, Keeper::Certbot(_)));
        let ((directive, file, newest), _) = past?;
        let directive = facts.tls_in_force(directive).into_iter().find(|directive| names(directive, file))?;
        Some((directive, format!("{} /etc/letsencrypt/live/{name}/{newest};", directive.name)))
    })
}

fn not_shown(observer: &Observer, pairs: &[&PairUse]) -> Finding {
    let finding = CHECK
        .finding("clients are shown the old certificate after certbot has renewed it and nginx was reloaded")
        .expected("the renewed certificate")
        .actual("the certificate of before, until it expires");
    match not_kept(observer, pairs) {
        Some((directive, fix)) => {
            finding.at(directive.location.clone()).fix(Fix::replace(directive.location.clone(), fix))
        }
        None => CHECK
            .finding("clients are shown the old certificate after its files were replaced and nginx was reloaded")
            .expected("the renewed certificate")
            .actual("the certificate of before")
            .at(observer.facts().certificate_place()),
    }
}

fn not_taken(observer: &Observer, pairs: &[&PairUse], log: &str) -> Finding {
    let finding = CHECK
        .finding("nginx refuses the renewed certificate, and goes on with the old one until it expires")
        .expected("the renewed certificate is taken with its key: certbot makes a new key each time");
    let finding = refused(observer, finding, log);
    match not_kept(observer, pairs) {
        Some((directive, fix)) => {
            finding.at(directive.location.clone()).fix(Fix::replace(directive.location.clone(), fix))
        }
        None => finding.fix("mend the line that nginx names"),
    }
}

/// nginx keeps what it has read by a path with a variable for as long as the configuration says.
fn kept_in_the_cache(observer: &Observer) -> Option<Finding> {
    let cache = observer.facts().tls_in_force(CACHE).into_iter().next()?;
    let written = parameter(cache, "valid").unwrap_or("60s");
    let hour = duration::read("1h");
    duration::read(written).filter(|time| Some(*time) > hour)?;
    let finding = CHECK
        .finding(format!("a renewed certificate is not shown for {written}, unless nginx is reloaded"))
        .at_level(Level::Warning)
        .expected("the renewed certificate at once or after minutes: a path with a variable is read at each handshake")
        .actual(format!("the certificate of before: {}", observer.facts().written(&cache.location)))
        .at(cache.location.clone())
        .fix(Fix::replace(
            cache.location.clone(),
            cache.written_with(|_, text| match text.starts_with("valid=") {
                true => "valid=1m".to_owned(),
                false => text.to_owned(),
            }),
        ));
    Some(finding)
}
