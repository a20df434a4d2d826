//! `--web.config.file`: how Prometheus itself speaks TLS and asks for passwords.

use std::sync::Arc;

use super::super::DeploymentError;
use super::super::tree::path_in;
use super::config::{PrometheusFileKind, Reading};
use super::shelf::dir_of;
use super::yaml;
use crate::location::Location;

/// The flag that names it, since Prometheus 2.24.
pub(crate) const FLAG: &str = "web.config.file";

/// The file of `--web.config.file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// Its path in the Pod.
    pub path: String,
    /// Its text; none if it has to be made.
    pub text: Option<Arc<str>>,
    /// Whether Prometheus speaks TLS by it.
    pub tls: bool,
    /// Where the text has its users, if it names any: the place of the first one, in lines and columns of the text.
    pub users: Option<Location>,
    /// What names the file; none if nothing does.
    pub location: Option<Location>,
}

/// Where a web configuration is that the deployment has no path for.
const MADE: &str = "/etc/prometheus/proxyproof-web.yml";

impl WebConfig {
    /// One that only the Pod has, for TLS.
    pub(super) fn made() -> Self {
        Self { path: MADE.to_owned(), text: None, tls: true, users: None, location: None }
    }

    /// The file that a deployment names, with the certificates that it names in turn.
    pub(super) fn read(
        named: &str,
        location: Option<&Location>,
        tls: bool,
        reading: &mut Reading<'_>,
    ) -> Result<Self, DeploymentError> {
        let path = path_in("/etc/prometheus", named);
        let here = location.cloned().unwrap_or_else(|| Location::new("", 1, 1));
        let Some(found) = reading.shelf.find(&path, &here)? else {
            return Ok(Self { path, text: None, tls, users: None, location: location.cloned() });
        };
        let text = found.text().unwrap_or_default();
        let mut config =
            Self { path: path.clone(), text: Some(text.into()), tls: false, users: None, location: location.cloned() };
        let Some(root) = yaml::documents(&found.origin, text).ok().and_then(|documents| documents.into_iter().next())
        else {
            return Ok(config);
        };
        if let Some(server) = root.get("tls_server_config") {
            config.tls = true;
            reading.pair(server, PrometheusFileKind::ServerCertificate, dir_of(&path))?;
            reading.named(server, "client_ca_file", PrometheusFileKind::ClientTrust, dir_of(&path))?;
        }
        let users = root.get("basic_auth_users").and_then(|users| users.entries().first());
        config.users = users.map(|(name, _)| name.location.clone());
        Ok(config)
    }
}
