//! What is made up around a deployment so that it runs here: certificates, names, Prometheus's files.
//!
//! The deployment's own files go in as they are. Whatever is made up is a [`Substitution`].

mod error;
mod file;
mod files;
mod names;
mod pki;
pub(crate) mod prometheus;
mod substitution;

use std::net::IpAddr;

use crate::deployment::Deployment;

pub use error::WorldError;
pub(crate) use file::{PodContent, PodFile};
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
    /// The certificate that clients show, where they are asked for one, and its key, PEM.
    pub(crate) client_identity: Option<(String, String)>,
    /// The user and password that clients give, where they are asked for them.
    pub(crate) credentials: Option<(String, String)>,
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
            trust: authority.certificate(),
            client_identity: None,
            credentials: None,
            substitutions: Vec::new(),
        };
        files::place(deployment, &authority, &mut world)?;
        if let Some(given) = &deployment.cacert {
            world.trust.push_str(given);
        }
        world.add_hosts(deployment);
        world.add_prometheus(deployment);
        Ok(world)
    }
}

fn configuration(deployment: &Deployment) -> Vec<PodFile> {
    let files = deployment.nginx.files.iter();
    files.map(|file| PodFile::file(&file.path_in_pod, file.text.as_bytes(), 0o644)).collect()
}
