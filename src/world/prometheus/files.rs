//! The files of Prometheus's container: those that the deployment brings, and those that its configuration needs.

use super::super::pki::Authority;
use super::super::{PodFile, Substitution, SubstitutionKind, WorldError};
use super::web;
use crate::deployment::{MADE_CA, Prometheus, PrometheusFile, PrometheusFileKind, Route, ScrapeTarget, TargetTrust};
use crate::location::Location;

/// Where Go looks for the certificates that the machine trusts.
const SYSTEM_TRUST: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Certificates, keys and all else of this container are for everybody there: in the official image Prometheus is
/// `nobody`, and nobody else is there.
pub(super) const MODE: u32 = 0o644;

/// The files of one Prometheus, with what was made of them.
pub(super) struct Files<'a> {
    pub(super) prometheus: &'a Prometheus,
    /// A route that leads to it.
    pub(super) route: &'a Route,
    pub(super) authority: &'a Authority,
    /// The names by which it is reached.
    pub(super) names: Vec<String>,
    /// The user and the password that the harness gives.
    pub(super) credentials: Option<&'a (String, String)>,
    pub(super) files: Vec<PodFile>,
    pub(super) substitutions: Vec<Substitution>,
}

impl Files<'_> {
    /// Puts everything in place.
    pub(super) fn add_all(&mut self) -> Result<(), WorldError> {
        let prometheus = self.prometheus;
        self.add(&prometheus.config_path, web::with_password(self));
        let mut files = prometheus.files.iter().peekable();
        while let Some(file) = files.next() {
            let key = files.next_if(|next| next.kind == PrometheusFileKind::Key && is_certificate(file.kind));
            self.add_named(file, key)?;
        }
        self.add_trust();
        web::add(self)
    }

    pub(super) fn add(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        if !self.files.iter().any(|file| file.path == path) {
            self.files.push(PodFile::file(path, content, MODE));
        }
    }

    pub(super) fn say(
        &mut self,
        kind: SubstitutionKind,
        what: &str,
        by: impl Into<String>,
        location: Option<&Location>,
    ) {
        let location = location.cloned();
        self.substitutions.push(Substitution { kind, what: what.to_owned(), by: by.into(), location });
    }

    fn add_named(&mut self, file: &PrometheusFile, key: Option<&PrometheusFile>) -> Result<(), WorldError> {
        match (file.kind, &file.content, key) {
            (PrometheusFileKind::Trust, content, _) => self.add_ca(file, content.as_deref()),
            (_, Some(content), None) => self.add(&file.path, content.clone()),
            (kind, Some(content), Some(key)) => match &key.content {
                Some(own) => {
                    self.add(&file.path, content.clone());
                    self.add(&key.path, own.clone());
                }
                None => self.make_pair(kind, file, Some(key))?,
            },
            (PrometheusFileKind::ClientTrust, None, _) => {
                self.add(&file.path, self.authority.certificate());
                self.say(SubstitutionKind::Ca, &file.path, "the CA of this run", Some(&file.location));
            }
            (PrometheusFileKind::Secret | PrometheusFileKind::Part, None, _) => {
                self.add(&file.path, "proxyproof");
                self.say(SubstitutionKind::File, &file.path, "a secret made up for this run", Some(&file.location));
            }
            (kind, None, _) => self.make_pair(kind, file, key)?,
        }
        Ok(())
    }

    /// What Prometheus trusts. The stubs' certificates are of the CA of this run, so that it has to be there too.
    fn add_ca(&mut self, file: &PrometheusFile, brought: Option<&[u8]>) {
        let own = self.authority.certificate();
        let connects = self.prometheus.targets.iter().any(|target| target.trust == TargetTrust::Given && target.tls);
        match brought {
            None => {
                self.add(&file.path, own);
                self.say(SubstitutionKind::Ca, &file.path, "the CA of this run", Some(&file.location));
            }
            Some(content) if connects => {
                self.add(&file.path, [content, b"\n", own.as_bytes()].concat());
                let by = "itself and the CA of this run, which issues the certificates of the targets";
                self.say(SubstitutionKind::Ca, &file.path, by, Some(&file.location));
            }
            Some(content) => self.add(&file.path, content),
        }
    }

    fn make_pair(
        &mut self,
        kind: PrometheusFileKind,
        file: &PrometheusFile,
        key: Option<&PrometheusFile>,
    ) -> Result<(), WorldError> {
        let names = match kind {
            PrometheusFileKind::ServerCertificate => self.names.clone(),
            _ => vec!["prometheus".to_owned()],
        };
        let leaf = self.authority.issue(&names)?;
        if kind == PrometheusFileKind::Key {
            self.add(&file.path, leaf.key);
            self.say(SubstitutionKind::Key, &file.path, "made for this run", Some(&file.location));
            return Ok(());
        }
        let lacking = if file.content.is_some() { "; the one that is there has no key beside it" } else { "" };
        let by = format!("made for {}{lacking}", names.join(", "));
        self.add(&file.path, leaf.certificate);
        self.say(SubstitutionKind::Certificate, &file.path, by, Some(&file.location));
        if let Some(key) = key {
            self.add(&key.path, leaf.key);
            self.say(SubstitutionKind::Key, &key.path, "made with the certificate", Some(&key.location));
        }
        Ok(())
    }

    /// What no `ca_file` is about: the made configuration's own scrape, and targets that are verified by what the machine
    /// trusts.
    fn add_trust(&mut self) {
        if self.prometheus.config_location.is_none() && self.prometheus.speaks_tls() {
            self.add(MADE_CA, self.authority.certificate());
        }
        let by_the_system = |target: &&ScrapeTarget| target.tls && target.trust == TargetTrust::System;
        if let Some(target) = self.prometheus.targets.iter().find(by_the_system) {
            self.add(SYSTEM_TRUST, self.authority.certificate());
            let by = "the CA of this run, which issues the certificates of the targets";
            self.say(SubstitutionKind::Ca, SYSTEM_TRUST, by, Some(&target.location));
        }
    }
}

fn is_certificate(kind: PrometheusFileKind) -> bool {
    matches!(kind, PrometheusFileKind::ClientCertificate | PrometheusFileKind::ServerCertificate)
}
