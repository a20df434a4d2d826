//! Clients that nobody knows: without name, password and certificate.

use super::{Door, Http, Observer};

impl Observer {
    /// A client that shows nothing, from an address that is let in.
    pub(crate) fn anonymous_client(&self) -> Http {
        self.client_without_anything(self.way.port)
    }

    /// A client that shows nothing, from an address that the deployment refuses, where it refuses any.
    pub(crate) fn refused_and_anonymous_client(&self) -> Option<Http> {
        self.way.refused.map(|(_, port)| self.client_without_anything(port))
    }

    /// As whoever comes to the route's port from anywhere: from an address that is refused, where some are.
    pub(crate) fn stranger(&self) -> Http {
        self.refused_and_anonymous_client().unwrap_or_else(|| self.anonymous_client())
    }

    /// A client of another port of the Pod that shows nothing.
    pub(crate) fn stranger_at(&self, port: u16) -> Http {
        Http::new(vec![(port, self.address_of(port))], self.tls.config_of_nobody())
    }

    /// Where machines beside the Pod find one of its ports.
    pub(crate) fn address_of(&self, port: u16) -> Door {
        self.door_at(port)
    }

    fn client_without_anything(&self, port: u16) -> Http {
        Http::new(vec![(self.route().port, self.door_at(port))], self.tls.config_of_nobody())
    }
}
