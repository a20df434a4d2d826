//! Clients that nobody knows: without name, password and certificate.

use super::{Http, Observer};

impl Observer {
    /// A client that shows nothing, from an address that is let in.
    pub(crate) fn anonymous_client(&self) -> Http {
        self.client_without_anything(self.way.port)
    }

    /// A client that shows nothing, from an address that the deployment refuses, where it refuses any.
    pub(crate) fn refused_and_anonymous_client(&self) -> Option<Http> {
        self.way.refused.map(|(_, port)| self.client_without_anything(port))
    }

    fn client_without_anything(&self, port: u16) -> Http {
        Http::new(vec![(self.route().port, self.door_at(port))], self.tls.config_of_nobody())
    }
}
