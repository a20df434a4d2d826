//! The lines of the deployment that changes concern.

use crate::deployment::{Deployment, Facts};
use crate::location::Location;

/// The lines of a deployment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<'a> {
    deployment: &'a Deployment,
}

impl<'a> Places<'a> {
    pub(super) fn of(deployment: &'a Deployment) -> Self {
        Self { deployment }
    }

    fn route(&self, url: &str) -> Option<Facts<'a>> {
        let index = self.deployment.routes.iter().position(|route| route.public_url() == url)?;
        Some(self.deployment.facts(index))
    }

    /// Whether there is more than one route, so that it has to be said which is meant.
    pub(super) fn are_of_several_routes(&self) -> bool {
        self.deployment.routes.len() > 1
    }

    /// The line that passes a path below the prefix on: `GET /graph`.
    pub(super) fn pass(&self, url: &str, name: &str) -> Option<Location> {
        let facts = self.route(url)?;
        let below = name.split_once(' ').map_or("", |(_, path)| path);
        let path = below.split([' ', '?']).next().unwrap_or_default();
        // A location of the server's own is named by its whole URL.
        if let Ok(url) = reqwest::Url::parse(path) {
            return self.users(facts.pass_place(url.path()));
        }
        self.users(facts.pass_place(&format!("{}{path}", facts.route.prefix)))
    }

    /// The first line in force that decides about the encryption; the `listen` line where there is none.
    pub(super) fn tls(&self, url: &str, directives: &[&str]) -> Option<Location> {
        let facts = self.route(url)?;
        let mut lines = directives.iter().filter_map(|name| facts.tls_in_force(name).last().copied());
        let place = lines.next().map_or_else(|| facts.listen_place(), |line| line.location.clone());
        self.users(place)
    }

    /// The `listen` line of the plain port.
    pub(super) fn plain(&self, url: &str) -> Option<Location> {
        let facts = self.route(url)?;
        self.users(facts.plain_listen_place().unwrap_or_else(|| facts.listen_place()))
    }

    /// Whether the deployment gives a flag of Prometheus, named without dashes, and where.
    pub(super) fn flag(&self, name: &str) -> Option<Option<Location>> {
        let mut flags = self.deployment.prometheus.iter().filter(|own| own.flags_given).flat_map(|own| &own.flags);
        flags.find(|flag| flag.name() == name).map(|flag| flag.location.clone())
    }

    /// The same of a word of `--enable-feature`.
    pub(super) fn feature(&self, word: &str) -> Option<Option<Location>> {
        let given = self.deployment.prometheus.iter().filter(|own| own.flags_given).flat_map(|own| &own.flags);
        let mut features = given.filter(|flag| flag.name() == "enable-feature");
        let has = |value: &str| value.split(',').any(|own| own.trim() == word);
        features.find(|flag| flag.value().is_some_and(has)).map(|flag| flag.location.clone())
    }

    fn users(&self, place: Location) -> Option<Location> {
        self.deployment.nginx.users_place(&place)
    }
}
