//! What is made up around a deployment so that it runs here: certificates, names, Prometheus's files.
//!
//! The deployment's own files go in as they are. Whatever is made up is a [`Substitution`].

mod error;
mod file;
mod names;
mod pki;
pub(crate) mod prometheus;
mod substitution;

use std::net::IpAddr;

use crate::deployment::{Deployment, KeyPair, NamedFile, Server};

pub use error::WorldError;
pub(crate) use file::PodFile;
use pki::Authority;
pub use substitution::{Substitution, SubstitutionKind};

/// Everything that a Pod needs beside the programs.
#[derive(Debug)]
pub(crate) struct World {
    /// What goes into nginx's container.
    pub(crate) nginx_files: Vec<PodFile>,
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
    /// What was made up.
    pub(crate) substitutions: Vec<Substitution>,
}

impl World {
    /// Makes up what the deployment lacks.
    pub(crate) fn around(deployment: &Deployment) -> Result<Self, WorldError> {
        let authority = Authority::new()?;
        let mut world = Self {
            nginx_files: configuration(deployment),
            prometheus_files: Vec::new(),
            prometheus_arguments: Vec::new(),
            hosts: Vec::new(),
            addresses: Vec::new(),
            trust: authority.certificate().to_owned(),
            substitutions: deployment.nginx.made.iter().map(Substitution::from).collect(),
        };
        for server in &deployment.servers {
            world.add_certificates(server, &deployment.route.server_name, &authority)?;
        }
        if let Some(given) = &deployment.cacert {
            world.trust.push_str(given);
        }
        world.add_hosts(deployment);
        world.add_prometheus(deployment);
        world.point_to_the_users_own(deployment);
        Ok(world)
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

    /// What was made stands in no file of the user's: it is the `include` of it that can be looked at, or nothing.
    fn point_to_the_users_own(&mut self, deployment: &Deployment) {
        for substitution in &mut self.substitutions {
            let place = substitution.location.take();
            substitution.location = place.and_then(|place| deployment.nginx.users_place(&place));
        }
    }

    fn has(&self, path: &str) -> bool {
        self.nginx_files.iter().any(|file| file.path == path)
    }

    fn add_nginx_file(&mut self, path: &str, content: Vec<u8>, mode: u32) {
        self.nginx_files.push(PodFile { path: path.to_owned(), content, mode });
    }
}

fn configuration(deployment: &Deployment) -> Vec<PodFile> {
    let files = deployment.nginx.files.iter();
    files
        .map(|file| PodFile {
            path: file.path_in_pod.clone(),
            content: file.text_in_pod().as_bytes().to_vec(),
            mode: 0o644,
        })
        .collect()
}
