//! Every file and directory that the configuration names beside its own text, and what the tree has of them.

mod log;
mod pairs;
mod paths;
mod scope;
mod site;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;

use super::certificate::KeyPair;
use super::named_file::NamedFile;
use crate::location::Location;

pub(super) use walk::files;

/// What the configuration names beside its own text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Certificates with their keys.
    pub pairs: Vec<PairUse>,
    /// All other files and directories, each once.
    pub uses: Vec<FileUse>,
    /// Whom nginx's workers run as, if it is said.
    pub user: Option<User>,
}

/// A file or directory, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileUse {
    /// What it is for.
    pub kind: FileKind,
    /// Where it is, and what the tree brings of it.
    pub file: NamedFile,
    /// The same below the other prefixes that nginx may be built with, if it is named by a relative path.
    pub elsewhere: Vec<String>,
}

/// What a file or directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// `ssl_client_certificate`: the CAs of clients.
    ClientCa,
    /// `ssl_trusted_certificate`: CAs that no client is told of.
    TrustedCa,
    /// `ssl_crl`: which certificates of clients are revoked.
    Crl,
    /// `proxy_ssl_trusted_certificate` and its like: the CAs of upstreams.
    UpstreamCa,
    /// `proxy_ssl_crl` and its like: which certificates of upstreams are revoked.
    UpstreamCrl,
    /// `ssl_dhparam`.
    Dhparam,
    /// `ssl_session_ticket_key`.
    TicketKey,
    /// `ssl_stapling_file`.
    OcspResponse,
    /// `ssl_password_file`: the passphrases of keys.
    KeyPasswords,
    /// `auth_basic_user_file`: users and the hashes of their passwords.
    Passwords,
    /// `geoip_country`.
    GeoipCountry,
    /// `geoip_city`.
    GeoipCity,
    /// `geoip2`.
    Geoip2,
    /// `error_log`.
    ErrorLog,
    /// `access_log`.
    AccessLog,
    /// A directory that nginx writes to.
    Directory,
    /// A directory of `root` or `alias` that the tree does not bring.
    Site,
    /// A file of the tree below a `root` or `alias`.
    SiteFile,
    /// A directory of `root` or `alias` of which the tree brings more than is taken.
    CutSite,
}

/// A certificate and its key, and who shows them to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairUse {
    /// The two files.
    pub pair: KeyPair,
    /// Who shows it.
    pub shown_by: ShownBy,
    /// The arguments of the server's `server_name`; the one that is in the path, if the path has it for a variable.
    pub names: Arc<[String]>,
    /// The `ssl_ciphers` that hold there.
    pub ciphers: Option<Arc<str>>,
    /// Which of the server's pairs it is, from zero, and how many there are.
    pub place: (usize, usize),
    /// Whether nginx's workers read it, request by request: its path has a variable in it.
    pub by_worker: bool,
}

/// Who shows a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownBy {
    /// A `server` block of `http`, by its index among the deployment's.
    Server(usize),
    /// A `server` block of `stream` or `mail`.
    OtherServer,
    /// nginx as a client of its upstreams.
    Client,
}

/// A `user` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub name: String,
    /// The group; the user's name if it is not said.
    pub group: String,
    /// Where it is said.
    pub location: Location,
}
