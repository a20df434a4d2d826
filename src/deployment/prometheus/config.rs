//! A `prometheus.yml` that the deployment brings: the files that it names, and what Prometheus connects to by it.
//!
//! What can't be read here is Prometheus's own to refuse: it says it better.

use super::super::DeploymentError;
use super::super::tree::path_in;
use super::shelf::{Found, Shelf, dir_of};
use super::target::{self, ScrapeTarget, Unanswered};
use super::yaml::{self, Node, Origin};
use crate::location::Location;

const MAX_FILES: usize = 2000;
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How many targets have a stub: each costs an address and a listener, and one more tells nothing new.
const MAX_TARGETS: usize = 500;

/// A file that Prometheus's configuration names.
#[derive(Clone, PartialEq, Eq)]
pub struct PrometheusFile {
    /// Its absolute path in the Pod.
    pub path: String,
    /// What it is for.
    pub kind: PrometheusFileKind,
    /// What the deployment brings; none if it has to be made.
    pub content: Option<Vec<u8>>,
    /// Where it is named.
    pub location: Location,
}

/// What a file is for that Prometheus's configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrometheusFileKind {
    /// Rules, scrape configurations, lists of targets.
    Part,
    /// Certificates that Prometheus trusts.
    Trust,
    /// Certificates of clients that Prometheus, as a server, trusts.
    ClientTrust,
    /// A certificate that Prometheus shows as a client.
    ClientCertificate,
    /// A certificate that Prometheus shows as a server.
    ServerCertificate,
    /// The key of the certificate before it.
    Key,
    /// A password or a token.
    Secret,
}

/// The content may be a secret, so it is not shown.
impl std::fmt::Debug for PrometheusFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let content = self.content.as_ref().map(|content| format!("{} bytes", content.len()));
        f.debug_struct("PrometheusFile")
            .field("path", &self.path)
            .field("kind", &self.kind)
            .field("content", &content)
            .field("location", &self.location)
            .finish()
    }
}

/// Keys whose value is a file. A certificate and its key stand in one mapping.
const SINGLE: [(&str, PrometheusFileKind); 12] = [
    ("ca_file", PrometheusFileKind::Trust),
    ("password_file", PrometheusFileKind::Secret),
    ("username_file", PrometheusFileKind::Secret),
    ("credentials_file", PrometheusFileKind::Secret),
    ("bearer_token_file", PrometheusFileKind::Secret),
    ("client_secret_file", PrometheusFileKind::Secret),
    ("application_credential_secret_file", PrometheusFileKind::Secret),
    ("service_account_file", PrometheusFileKind::Secret),
    ("token_file", PrometheusFileKind::Secret),
    ("api_token_file", PrometheusFileKind::Secret),
    ("api_key_file", PrometheusFileKind::Secret),
    ("kubeconfig_file", PrometheusFileKind::Secret),
];

/// All that a configuration comes to.
pub(super) struct Reading<'a> {
    pub(super) shelf: &'a Shelf<'a>,
    pub(super) files: Vec<PrometheusFile>,
    pub(super) targets: Vec<ScrapeTarget>,
    pub(super) unanswered: Vec<Unanswered>,
    bytes: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn of(shelf: &'a Shelf<'a>) -> Self {
        Self { shelf, files: Vec::new(), targets: Vec::new(), unanswered: Vec::new(), bytes: 0 }
    }

    /// Reads a prometheus.yml whose path in the Pod is `at`.
    pub(super) fn configuration(&mut self, at: &str, origin: &Origin, text: &str) -> Result<(), DeploymentError> {
        let Some(root) = root(origin, text) else { return Ok(()) };
        let dir = dir_of(at);
        for pattern in root.items_of("rule_files") {
            self.parts(pattern, dir)?;
        }
        for pattern in root.items_of("scrape_config_files") {
            for part in self.parts(pattern, dir)? {
                let Some(root) = part.text().and_then(|text| self::root(&part.origin, text)) else { continue };
                self.jobs(&root, dir_of(&part.at))?;
            }
        }
        self.jobs(&root, dir)?;
        target::of_alertmanagers(self, &root, dir)?;
        target::of_remotes(self, &root);
        Ok(())
    }

    fn jobs(&mut self, root: &Node, dir: &str) -> Result<(), DeploymentError> {
        self.named_files(root, dir)?;
        for job in root.items_of("scrape_configs") {
            target::of_job(self, job, dir)?;
        }
        Ok(())
    }

    /// The files that fit a pattern. Prometheus does not miss those that are not there.
    pub(super) fn parts(&mut self, pattern: &Node, dir: &str) -> Result<Vec<Found>, DeploymentError> {
        let Some(named) = pattern.text() else { return Ok(Vec::new()) };
        let found = self.shelf.glob(&path_in(dir, named), &pattern.location)?;
        for part in &found {
            self.add(PrometheusFile {
                path: part.at.clone(),
                kind: PrometheusFileKind::Part,
                content: Some(part.content.clone()),
                location: pattern.location.clone(),
            })?;
        }
        Ok(found)
    }

    /// Every file that is named by a key of its own, wherever that stands.
    fn named_files(&mut self, node: &Node, dir: &str) -> Result<(), DeploymentError> {
        for (key, kind) in SINGLE {
            self.named(node, key, kind, dir)?;
        }
        self.pair(node, PrometheusFileKind::ClientCertificate, dir)?;
        for (_, value) in node.entries() {
            self.named_files(value, dir)?;
        }
        node.items().iter().try_for_each(|item| self.named_files(item, dir))
    }

    /// A certificate and its key, one behind the other.
    pub(super) fn pair(&mut self, node: &Node, kind: PrometheusFileKind, dir: &str) -> Result<(), DeploymentError> {
        self.named(node, "cert_file", kind, dir)?;
        self.named(node, "key_file", PrometheusFileKind::Key, dir)
    }

    pub(super) fn named(
        &mut self,
        node: &Node,
        key: &str,
        kind: PrometheusFileKind,
        dir: &str,
    ) -> Result<(), DeploymentError> {
        let Some(value) = node.get(key) else { return Ok(()) };
        let Some(text) = value.text().filter(|text| !text.is_empty()) else { return Ok(()) };
        let path = path_in(dir, text);
        let content = self.shelf.find(&path, &value.location)?.map(|found| found.content);
        self.add(PrometheusFile { path, kind, content, location: value.location.clone() })
    }

    fn add(&mut self, file: PrometheusFile) -> Result<(), DeploymentError> {
        if self.files.iter().any(|known| known.path == file.path) {
            return Ok(());
        }
        self.bytes += file.content.as_ref().map_or(0, Vec::len);
        if self.files.len() >= MAX_FILES || self.bytes > MAX_BYTES {
            return Err(DeploymentError::TooMuch { location: file.location });
        }
        self.files.push(file);
        Ok(())
    }

    pub(super) fn add_target(&mut self, target: ScrapeTarget) {
        if self.targets.len() < MAX_TARGETS {
            return self.targets.push(target);
        }
        let (key, job) = (format!("targets after the first {MAX_TARGETS}"), target.job);
        if !self.unanswered.iter().any(|known| known.key == key && known.job == job) {
            self.unanswered.push(Unanswered { key, job, location: target.location });
        }
    }
}

fn root(origin: &Origin, text: &str) -> Option<std::rc::Rc<Node>> {
    yaml::documents(origin, text).ok()?.into_iter().next()
}
