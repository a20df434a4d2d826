//! The directives of TLS that count for a route: its own server's, and those of the default server of its socket.

use crate::deployment::Directive;
use crate::location::Location;
use crate::observe::Observer;

/// A directive that is in force in the route's server and in the default server of its socket.
pub(super) struct Directives<'a> {
    own: Option<&'a Directive>,
    default: Option<&'a Directive>,
    /// The server whose word counts first: the default one of the socket.
    pub(super) server: &'a Location,
}

impl<'a> Directives<'a> {
    pub(super) fn of(observer: &'a Observer, name: &str) -> Self {
        let facts = observer.facts();
        let last = |found: Vec<&'a Directive>| found.last().copied();
        let own = last(facts.tls_in_force(name));
        match facts.default_server().filter(|_| facts.tls_front().is_none()) {
            Some(default) => Self {
                own,
                default: last(facts.server_in_force_of(default.index, name)),
                server: &default.server.location,
            },
            None => Self { own, default: own, server: facts.tls_server_place() },
        }
    }

    /// The first that fits: the default server's, whose word counts before the name is known, else the route's own.
    pub(super) fn that(&self, fits: impl Fn(&Directive) -> bool) -> Option<&'a Directive> {
        [self.default, self.own].into_iter().flatten().find(|directive| fits(directive))
    }

    /// The default server's.
    pub(super) fn of_default(&self) -> Option<&'a Directive> {
        self.default
    }

    /// The route's own, else the default server's.
    pub(super) fn own(&self) -> Option<&'a Directive> {
        self.own
    }

    /// Whether a directive is not the one beside the route's name.
    pub(super) fn is_of_another_server(&self, directive: &Directive) -> bool {
        self.own.is_none_or(|own| own.location != directive.location)
    }
}

/// Where a directive is, or where the port is opened for which there is none.
pub(super) fn or_listen(observer: &Observer, directive: Option<&Directive>) -> Option<Location> {
    let facts = observer.facts();
    let listen = || match facts.tls_front() {
        Some(_) => observer.route().listen.location.clone(),
        None => facts.listen_place(),
    };
    Some(directive.map_or_else(listen, |directive| directive.location.clone()))
}
