//! The lines of a configuration that decide about the route: what findings point to.

use super::Deployment;
use crate::location::Location;

impl Deployment {
    /// The user's place of a line that nginx names by its own path.
    pub fn locate(&self, path_in_pod: &str, line: usize) -> Option<Location> {
        self.nginx.locate(path_in_pod, line)
    }

    /// The `listen` line of the port that clients use; the server where there is none.
    pub fn listen_place(&self) -> Location {
        let mut listens = self.server().listens.iter();
        let listen = listens.find(|listen| listen.port == self.route.port);
        listen.map_or_else(|| self.server().location.clone(), |listen| listen.location.clone())
    }

    /// The `ssl_certificate` line that is in force for the route.
    pub fn certificate_place(&self) -> Option<Location> {
        self.server().certificates.first().map(|pair| pair.certificate.location.clone())
    }

    /// The `listen` line that opens port 80.
    pub fn plain_listen_place(&self) -> Option<Location> {
        let mut listens = self.servers.iter().flat_map(|server| &server.listens);
        listens.find(|listen| listen.port == 80).map(|listen| listen.location.clone())
    }
}
