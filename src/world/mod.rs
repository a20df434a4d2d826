//! What is made up around a deployment so that it runs here: certificates, names, Prometheus's files.
//!
//! The deployment's own files go in as they are. Whatever is made up is a [`Substitution`].

mod error;
mod file;
mod files;
mod modules;
mod names;
pub(crate) mod pki;
mod placement;
pub(crate) mod prometheus;
mod relay;
mod renewal;
mod sockets;
pub(crate) mod stubs;
mod substitution;
mod ways;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::deployment::{Deployment, Route};

pub use error::WorldError;
pub(crate) use file::{PodContent, PodFile};
pub(crate) use modules::AddedModules;
use pki::Authority;
pub(crate) use prometheus::Started;
pub(crate) use relay::Relay;
pub(crate) use renewal::{Keeper, Renewal};
use sockets::Sockets;
use stubs::Stubs;
pub use substitution::{Substitution, SubstitutionKind};
pub(crate) use ways::Way;

/// Everything that a Pod needs beside the programs.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// What goes into nginx's container, but for what its modules need.
    pub(crate) nginx_files: Vec<PodFile>,
    /// How nginx gets the modules that it needs, once it is known which nginx that is.
    pub(crate) modules: AddedModules,
    /// What each Prometheus is started with.
    pub(crate) prometheus: Vec<Started>,
    /// Names that mean an address of the Pod.
    pub(crate) hosts: Vec<(String, IpAddr)>,
    /// Where connections go instead that are to a port which nginx itself has here.
    pub(crate) redirects: Vec<(SocketAddr, SocketAddr)>,
    /// Addresses that the deployment speaks of: the Pod's own here.
    pub(crate) addresses: Vec<IpAddr>,
    /// Who issues the certificates that are made.
    authority: Arc<Authority>,
    /// The certificate that clients trust, PEM.
    pub(crate) trust: String,
    /// The name and password that its password files hold.
    pub(crate) credentials: Option<(String, String)>,
    /// A client's certificate and its key, PEM, where the deployment asks for one.
    pub(crate) client_identity: Option<(String, String)>,
    /// A client's certificate and its key of an authority that nobody knows, where the deployment asks for one.
    pub(crate) stranger_identity: Option<(String, String)>,
    /// How clients come to each route.
    pub(crate) ways: Vec<Way>,
    /// The listeners that some of them need.
    pub(crate) relays: Vec<Relay>,
    /// What stands for the other upstreams.
    pub(crate) stubs: Stubs,
    /// What was made up, but for the modules of nginx.
    substitutions: Vec<Substitution>,
}

impl World {
    /// Makes up what the deployment lacks.
    pub(crate) fn around(deployment: &Deployment) -> Result<Self, WorldError> {
        let authority = Arc::new(Authority::new()?);
        let mut world = Self {
            nginx_files: configuration(deployment),
            modules: AddedModules::default(),
            prometheus: Vec::new(),
            hosts: Vec::new(),
            redirects: Vec::new(),
            addresses: Vec::new(),
            trust: authority.certificate(),
            authority: Arc::clone(&authority),
            client_identity: None,
            stranger_identity: None,
            credentials: None,
            ways: Vec::new(),
            relays: Vec::new(),
            stubs: Stubs::default(),
            substitutions: deployment.nginx.made.iter().map(Substitution::from).collect(),
        };
        files::place(deployment, &authority, &mut world)?;
        if deployment.routes.iter().any(|route| route.access.certificate.is_some()) {
            world.stranger_identity = Some(stranger()?);
        }
        match &deployment.cacert {
            Some(given) => world.trust.push_str(given),
            // It may be a public authority's, which its clients have.
            None if brings_a_certificate(deployment) => world.trust.push_str(&pki::system_trust()),
            None => {}
        }
        let sockets = Sockets::of(deployment);
        world.add_hosts(deployment, &sockets);
        world.add_ways(deployment);
        let places = world.place_prometheus(deployment, &sockets)?;
        world.add_prometheus(deployment, &places, &authority)?;
        world.add_stubs(deployment, &sockets, &places, &authority)?;
        world.point_to_the_users_own(deployment);
        Ok(world)
    }

    /// All that was made up.
    pub(crate) fn substitutions(&self) -> Vec<Substitution> {
        [&*self.substitutions, &*self.modules.substitutions].concat()
    }

    /// All that goes into nginx's container.
    pub(crate) fn files_of_nginx(&self) -> Vec<PodFile> {
        [&*self.nginx_files, &*self.modules.files].concat()
    }

    /// A file of nginx as it was put in place.
    pub(crate) fn nginx_file(&self, path: &str) -> Option<&PodFile> {
        self.nginx_files.iter().find(|file| file.path == path)
    }

    /// What a name means in the Pod.
    pub(crate) fn host(&self, name: &str) -> Option<IpAddr> {
        self.hosts.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, address)| *address)
    }

    /// The name and password that are asked for on a route.
    pub(crate) fn credentials_for(&self, route: &Route) -> Option<&(String, String)> {
        let prometheus = self.prometheus.get(route.prometheus);
        let asks = route.access.basic.is_some() || prometheus.is_some_and(|started| started.asks_for_a_password);
        self.credentials.as_ref().filter(|_| asks)
    }

    /// What was made stands in no file of the user's: it is the `include` of it that can be looked at, or nothing.
    fn point_to_the_users_own(&mut self, deployment: &Deployment) {
        for substitution in &mut self.substitutions {
            let place = substitution.location.take();
            substitution.location = place.and_then(|place| deployment.nginx.users_place(&place));
        }
    }
}

fn brings_a_certificate(deployment: &Deployment) -> bool {
    let mut pairs = deployment.servers.iter().flat_map(|server| &server.certificates);
    pairs.any(|pair| pair.certificate.content.is_some())
}

/// The certificate and the key, PEM, of a client of an authority that nobody knows.
pub(crate) fn stranger() -> Result<(String, String), WorldError> {
    Ok(pki::ClientAuthority::new()?.issue()?.into_identity())
}

fn configuration(deployment: &Deployment) -> Vec<PodFile> {
    let files = deployment.nginx.files.iter();
    files.map(|file| PodFile::file(&file.path_in_pod, file.text_in_pod().as_bytes(), 0o644)).collect()
}
