//! The `server` blocks of `http`.

use std::net::IpAddr;

use super::certificate::{self, KeyPair, Pairs};
use super::directive::{Argument, Directive};
use super::listen::{self, Listen, Switches, UnixListen};
use super::{DeploymentError, Nginx};
use crate::location::Location;

/// A `server` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The ports that it listens on; port 80 if nothing is said.
    pub listens: Vec<Listen>,
    /// The unix sockets that it listens on.
    pub unix_listens: Vec<UnixListen>,
    /// The arguments of `server_name`.
    pub names: Vec<Argument>,
    /// The certificates, its own or inherited from `http`.
    pub certificates: Vec<KeyPair>,
    /// The `server` directive.
    pub location: Location,
}

impl Server {
    /// Whether TLS is spoken on one of its ports.
    pub fn tls(&self) -> bool {
        self.listens.iter().any(|listen| listen.ssl)
    }

    /// Whether it is meant for a name, and not for whatever comes.
    pub(crate) fn has_name(&self) -> bool {
        let is_name = |name: &str| name.contains('.') && !name.starts_with('~') && name.parse::<IpAddr>().is_err();
        self.names.iter().any(|name| is_name(&name.text))
    }

    fn read(server: &Directive, http: &Inherited<'_>, pairs: &mut Pairs<'_>) -> Result<Self, DeploymentError> {
        let switches = Switches {
            ssl: is_on(server, "ssl").unwrap_or(http.switches.ssl),
            http2: is_on(server, "http2").unwrap_or(http.switches.http2),
        };
        let (listens, unix_listens) = listen::listens(server, switches);
        let tls = listens.iter().any(|listen| listen.ssl) || unix_listens.iter().any(|listen| listen.ssl);
        Ok(Self {
            listens,
            unix_listens,
            names: server.children_named("server_name").flat_map(|names| names.args.clone()).collect(),
            certificates: pairs.read(&certificate::Named::by(server), &http.named, tls)?,
            location: server.location.clone(),
        })
    }
}

/// What servers take from `http` where they say nothing themselves.
struct Inherited<'a> {
    switches: Switches,
    named: certificate::Named<'a>,
}

fn is_on(block: &Directive, switch: &str) -> Option<bool> {
    block.children_named(switch).next().map(|switch| switch.arg(0) == Some("on"))
}

/// The `server` blocks of `http`, each with what was read from it.
pub(super) fn servers(nginx: &Nginx) -> Result<Vec<(&Directive, Server)>, DeploymentError> {
    let mut pairs = Pairs::of(&nginx.tree);
    let mut servers = Vec::new();
    for http in nginx.directives.iter().filter(|directive| directive.is("http")) {
        let switches =
            Switches { ssl: is_on(http, "ssl").unwrap_or(false), http2: is_on(http, "http2").unwrap_or(false) };
        let inherited = Inherited { switches, named: certificate::Named::by(http) };
        for server in http.children_named("server") {
            servers.push((server, Server::read(server, &inherited, &mut pairs)?));
        }
    }
    listen::share_sockets(servers.iter_mut().flat_map(|(_, server)| &mut server.listens));
    Ok(servers)
}
