//! What Prometheus connects to: scrape targets, Alertmanagers, remote storages.

use std::rc::Rc;

use reqwest::Url;

use super::super::DeploymentError;
use super::super::host_port::HostPort;
use super::config::Reading;
use super::yaml::{self, Node};
use crate::location::Location;

/// An address that Prometheus connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrapeTarget {
    /// Where it is.
    pub address: HostPort,
    /// Whether TLS is spoken there.
    pub tls: bool,
    /// The path that Prometheus asks for.
    pub path: String,
    /// The job that it belongs to; of the others what they are.
    pub job: String,
    /// What Prometheus wants of it.
    pub kind: TargetKind,
    /// Where it is named.
    pub location: Location,
    /// The name that its certificate has to be for, if not that of the address.
    pub server_name: Option<String>,
    /// How its certificate is verified.
    pub trust: TargetTrust,
}

/// How Prometheus verifies the certificate of what it connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetTrust {
    /// By the CA of a `ca_file` or in the configuration itself.
    Given,
    /// By the certificates of the machine.
    System,
    /// Not at all.
    Nothing,
}

/// What Prometheus wants of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Metrics.
    Scrape,
    /// To send it alerts.
    Alertmanager,
    /// To write samples to it.
    RemoteWrite,
    /// To read samples from it.
    RemoteRead,
}

/// A way to find targets that has no answer in the Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Its key: `kubernetes_sd_configs`.
    pub key: String,
    /// The job that it belongs to.
    pub job: String,
    /// Where it is named.
    pub location: Location,
}

/// How the targets of one job are reached.
struct Way<'a> {
    job: String,
    kind: TargetKind,
    scheme: &'a str,
    path: String,
    /// What `relabel_configs` put in the place of every target's address.
    instead: Option<&'a Rc<Node>>,
    server_name: Option<String>,
    trust: TargetTrust,
}

impl<'a> Way<'a> {
    fn of(node: &'a Node, kind: TargetKind, job: String, path: String) -> Self {
        let rules = node.items_of("relabel_configs").iter();
        let replaced = rules.filter(|rule| rule.text_of("target_label") == Some("__address__"));
        Self {
            job,
            kind,
            scheme: node.text_of("scheme").unwrap_or("http"),
            path,
            instead: replaced.filter_map(|rule| rule.get("replacement")).rfind(|node| is_literal(node)),
            server_name: node.at(&["tls_config", "server_name"]).and_then(|name| name.text()).map(str::to_owned),
            trust: trust(node),
        }
    }

    fn target(&self, text: &str, group: Option<&Node>, location: &Location) -> Option<ScrapeTarget> {
        let label = |name| group.and_then(|group| group.at(&["labels", name])?.text());
        let tls = label("__scheme__").unwrap_or(self.scheme).eq_ignore_ascii_case("https");
        Some(ScrapeTarget {
            address: HostPort::with_default_port(text, if tls { 443 } else { 80 })?,
            tls,
            path: label("__metrics_path__").unwrap_or(&self.path).to_owned(),
            job: self.job.clone(),
            kind: self.kind,
            location: location.clone(),
            server_name: self.server_name.clone(),
            trust: self.trust,
        })
    }
}

fn is_literal(node: &Rc<Node>) -> bool {
    node.text().is_some_and(|text| !text.contains('$'))
}

fn trust(node: &Node) -> TargetTrust {
    let Some(tls) = node.get("tls_config") else { return TargetTrust::System };
    if tls.is_on("insecure_skip_verify") {
        TargetTrust::Nothing
    } else if tls.text_of("ca_file").or(tls.text_of("ca")).is_some() {
        TargetTrust::Given
    } else {
        TargetTrust::System
    }
}

/// The targets of a job of `scrape_configs`.
pub(super) fn of_job(reading: &mut Reading<'_>, job: &Node, dir: &str) -> Result<(), DeploymentError> {
    let name = job.text_of("job_name").unwrap_or_default().to_owned();
    let path = job.text_of("metrics_path").unwrap_or("/metrics").to_owned();
    found(reading, job, &Way::of(job, TargetKind::Scrape, name, path), dir)
}

/// The Alertmanagers of `alerting`.
pub(super) fn of_alertmanagers(reading: &mut Reading<'_>, root: &Node, dir: &str) -> Result<(), DeploymentError> {
    let Some(managers) = root.at(&["alerting", "alertmanagers"]) else { return Ok(()) };
    for manager in managers.items() {
        let prefix = manager.text_of("path_prefix").unwrap_or_default().trim_end_matches('/');
        let path = format!("{prefix}/api/v2/alerts");
        found(reading, manager, &Way::of(manager, TargetKind::Alertmanager, "alertmanager".to_owned(), path), dir)?;
    }
    Ok(())
}

/// The URLs of `remote_write` and `remote_read`.
pub(super) fn of_remotes(reading: &mut Reading<'_>, root: &Node) {
    for (key, kind) in [("remote_write", TargetKind::RemoteWrite), ("remote_read", TargetKind::RemoteRead)] {
        for remote in root.items_of(key) {
            let Some(node) = remote.get("url") else { continue };
            let Some(url) = node.text().and_then(|text| Url::parse(text).ok()) else { continue };
            let way = Way { scheme: url.scheme(), ..Way::of(remote, kind, key.to_owned(), url.path().to_owned()) };
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let target = way.target(&format!("{}{port}", url.host_str().unwrap_or_default()), None, &node.location);
            target.into_iter().for_each(|target| reading.add_target(target));
        }
    }
}

/// The targets that a job or an Alertmanager lists, in itself or in files; what finds others is noted.
fn found(reading: &mut Reading<'_>, node: &Node, way: &Way<'_>, dir: &str) -> Result<(), DeploymentError> {
    for group in node.items_of("static_configs") {
        add_group(reading, group, way);
    }
    for pattern in node.items_of("file_sd_configs").iter().flat_map(|files| files.items_of("files")) {
        for part in reading.parts(pattern, dir)? {
            let Some(text) = part.text() else { continue };
            let groups = yaml::documents(&part.origin, text).unwrap_or_default();
            groups.iter().flat_map(|groups| groups.items()).for_each(|group| add_group(reading, group, way));
        }
    }
    for (key, value) in node.entries() {
        let Some(key) = key.text().filter(|key| key.ends_with("_sd_configs") && *key != "file_sd_configs") else {
            continue;
        };
        let (key, job) = (key.to_owned(), way.job.clone());
        reading.unanswered.push(Unanswered { key, job, location: value.location.clone() });
    }
    Ok(())
}

fn add_group(reading: &mut Reading<'_>, group: &Node, way: &Way<'_>) {
    for item in group.items_of("targets") {
        let named = way.instead.unwrap_or(item);
        let target = named.text().and_then(|text| way.target(text, Some(group), &named.location));
        if let Some(target) = target.filter(|target| !is_known(reading, target)) {
            reading.add_target(target);
        }
    }
}

/// A prober stands for hundreds of targets.
fn is_known(reading: &Reading<'_>, target: &ScrapeTarget) -> bool {
    let same = |known: &ScrapeTarget| known.location == target.location && known.address == target.address;
    reading.targets.last().is_some_and(same)
}
