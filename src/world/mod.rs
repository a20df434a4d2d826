//! What is made up around a deployment so that it runs here: certificates, names, Prometheus's files.
//!
//! The deployment's own files go in as they are. Whatever is made up is a [`Substitution`].

mod error;
mod file;
mod modules;
mod names;
mod pki;
pub(crate) mod prometheus;
mod relay;
mod substitution;
mod ways;

use std::net::IpAddr;

use crate::deployment::{Deployment, KeyPair, NamedFile, Route, Server};

pub use error::WorldError;
pub(crate) use file::{PodContent, PodFile};
use pki::Authority;
pub(crate) use relay::Relay;
pub use substitution::{Substitution, SubstitutionKind};
pub(crate) use ways::Way;

/// Everything that a Pod needs beside the programs.
#[derive(Debug)]
pub(crate) struct World {
    /// What goes into nginx's container.
    pub(crate) nginx_files: Vec<PodFile>,
    /// Directives that nginx gets on its command line.
    pub(crate) nginx_globals: Vec<String>,
    /// What goes into Prometheus's container.
    pub(crate) prometheus_files: Vec<PodFile>,
    /// Prometheus's whole command line.
    pub(crate) prometheus_arguments: Vec<String>,
    /// Names that mean an address of the Pod.
    pub(crate) hosts: Vec<(String, IpAddr)>,
    /// Addresses that the deployment speaks of: the Pod's own here.
    pub(crate) addresses: Vec<IpAddr>,
    /// The certificate that clients trust, PEM.
    pub(crate) trust: String,
    /// The name and password that its password files hold.
    pub(crate) credentials: Option<(String, String)>,
    /// A client's certificate and its key, PEM, where the deployment asks for one.
    pub(crate) client_identity: Option<(String, String)>,
    /// How clients come to each route.
    pub(crate) ways: Vec<Way>,
    /// The listeners that some of them need.
    pub(crate) relays: Vec<Relay>,
    /// What was made up.
    pub(crate) substitutions: Vec<Substitution>,
}

impl World {
    /// Makes up what the deployment lacks.
    pub(crate) fn around(deployment: &Deployment) -> Result<Self, WorldError> {
        let authority = Authority::new()?;
        let mut world = Self {
            nginx_files: configuration(deployment),
            nginx_globals: Vec::new(),
            prometheus_files: Vec::new(),
            prometheus_arguments: Vec::new(),
            hosts: Vec::new(),
            addresses: Vec::new(),
            trust: authority.certificate().to_owned(),
            credentials: None,
            client_identity: None,
            ways: Vec::new(),
            relays: Vec::new(),
            substitutions: Vec::new(),
        };
        for server in &deployment.servers {
            world.add_certificates(server, &deployment.route().server_name, &authority)?;
        }
        if let Some(given) = &deployment.cacert {
            world.trust.push_str(given);
        }
        world.add_hosts(deployment);
        world.add_ways(deployment);
        world.add_prometheus(deployment);
        Ok(world)
    }

    /// The name and password that are asked for on a route.
    pub(crate) fn credentials_for(&self, route: &Route) -> Option<&(String, String)> {
        self.credentials.as_ref().filter(|_| route.access.basic.is_some())
    }

    fn add_certificates(&mut self, server: &Server, public: &str, authority: &Authority) -> Result<(), WorldError> {
        for pair in &server.certificates {
            if self.has(&pair.certificate.path) {
                continue;
            }
            match (&pair.certificate.content, &pair.key.content) {
                (Some(certificate), Some(key)) => {
                    self.add_nginx_file(&pair.certificate.path, certificate.clone(), 0o644);
                    self.add_nginx_file(&pair.key.path, key.clone(), 0o600);
                }
                _ => self.make_certificate(server, public, pair, authority)?,
            }
        }
        Ok(())
    }

    fn make_certificate(
        &mut self,
        server: &Server,
        public: &str,
        pair: &KeyPair,
        authority: &Authority,
    ) -> Result<(), WorldError> {
        let names = names::certificate_names(server, public);
        let leaf = authority.issue(&names)?;
        self.add_nginx_file(&pair.certificate.path, leaf.certificate.into_bytes(), 0o644);
        self.add_nginx_file(&pair.key.path, leaf.key.into_bytes(), 0o600);
        let made = format!("made for {}", names.join(", "));
        self.substitute(SubstitutionKind::Certificate, &pair.certificate, &made);
        self.substitute(SubstitutionKind::Key, &pair.key, "made with the certificate");
        Ok(())
    }

    fn substitute(&mut self, kind: SubstitutionKind, file: &NamedFile, by: &str) {
        self.substitutions.push(Substitution {
            kind,
            what: file.path.clone(),
            by: by.to_owned(),
            location: Some(file.location.clone()),
        });
    }

    fn has(&self, path: &str) -> bool {
        self.nginx_files.iter().any(|file| file.path == path)
    }

    fn add_nginx_file(&mut self, path: &str, content: Vec<u8>, mode: u32) {
        self.nginx_files.push(PodFile::file(path, content, mode));
    }
}

fn configuration(deployment: &Deployment) -> Vec<PodFile> {
    let files = deployment.nginx.files.iter();
    files.map(|file| PodFile::file(&file.path_in_pod, file.text.as_bytes(), 0o644)).collect()
}
