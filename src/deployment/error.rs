//! What is wrong with the input: what happened, where, and what to do.

use std::io;
use std::path::PathBuf;

use super::read::{MAX_CONFIG_MIB, MAX_MIB};
use super::syntax::{MAX_DEPTH, MAX_WORDS};
use super::tree::MAX_ENTRIES;
use crate::location::Location;

/// Why a deployment can't be loaded. Every message names the cure; the exit code of all of them is 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeploymentError {
    /// There is no such file.
    #[error("`{}` does not exist. Check the path; a relative one starts at the current directory", path.display())]
    NotFound {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A directory in which nothing is an nginx configuration.
    #[error("`{}` is a directory without an nginx.conf, and {lacks}. Pass the file or directory that nginx reads", path.display())]
    Directory {
        /// The path as it was given.
        path: PathBuf,
        /// What else was looked for, such as `no *.conf is in it`.
        lacks: &'static str,
    },
    /// A device, a pipe, or a directory in the place of an included file.
    #[error("`{}` is {kind}, not a regular file. Pass a file that can be read to its end", path.display())]
    NotAFile {
        /// The path as it was given or found.
        path: PathBuf,
        /// What it is instead, with its article.
        kind: &'static str,
    },
    /// The system did not let us read it.
    #[error("`{}` can't be read: {cause}. Check its permissions", path.display())]
    Unreadable {
        /// The path as it was given or found.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// More than any configuration that people write.
    #[error("`{}` is larger than {MAX_MIB} MiB, which no configuration is. Check that it is the file that is meant", path.display())]
    TooLarge {
        /// The path as it was given or found.
        path: PathBuf,
    },
    /// Not text.
    #[error("`{}` is not a text file: byte 0x{byte:02x} at offset {offset} is not UTF-8 text. Check that it is the file that is meant, and save it as UTF-8", path.display())]
    Binary {
        /// The path as it was given or found.
        path: PathBuf,
        /// Where the text ends, in bytes from zero.
        offset: usize,
        /// The byte that stands there.
        byte: u8,
    },
    /// Nothing but space and comments.
    #[error("`{}` holds no directive: it is empty or has only comments. Pass the nginx.conf that the deployment runs with", path.display())]
    Empty {
        /// The path as it was given.
        path: PathBuf,
    },
    /// nginx could not read it either.
    #[error("{location}: {problem}. {fix}")]
    Syntax {
        /// The place to mend.
        location: Location,
        /// What is wrong, without a full stop.
        problem: String,
        /// What to do.
        fix: String,
    },
    /// Blocks in blocks in blocks.
    #[error(
        "{location}: this block is nested more than {MAX_DEPTH} levels deep. Check for a `}}` that is missing above it"
    )]
    TooDeep {
        /// The first block too many.
        location: Location,
    },
    /// More than a run can hold in memory.
    #[error(
        "{location}: the configuration, with what it includes, goes beyond {MAX_WORDS} words or {MAX_CONFIG_MIB} MiB. \
             Pass the part of it that leads to Prometheus"
    )]
    TooMuch {
        /// Where the limit was met.
        location: Location,
    },
    /// A file that includes itself, perhaps by way of others.
    #[error("{location}: `{file}` is included while it is being read, which never ends. Remove this `include`")]
    IncludeLoop {
        /// The `include` that closes the circle.
        location: Location,
        /// The file that includes itself.
        file: String,
    },
    /// A link that would show a file of this host, or nothing.
    #[error(
        "{location}: `{file}` is a link out of what is known: neither the tree nor --root has its target `{target}`, and \
             files of this host are not read. Copy the target into the tree, or give --root a directory that mirrors `/`"
    )]
    LeadsOut {
        /// What names the file.
        location: Location,
        /// The path in the Pod that is a link, or goes through one.
        file: String,
        /// Where it leads, as a path in the Pod.
        target: String,
    },
    /// More files than a directory of configurations has.
    #[error(
        "{location}: `{pattern}` makes nginx look at more than {MAX_ENTRIES} files. Name a directory that holds less"
    )]
    TooManyFiles {
        /// The `include`.
        location: Location,
        /// Its pattern.
        pattern: String,
    },
    /// A file of `--with` that the configuration does not read.
    #[error("`{}` of --with is not read: the configuration includes no `{path_in_pod}`. Put it into a directory called as the one \
             that is included, such as sites-enabled", path.display())]
    NotIncluded {
        /// The path as it was given.
        path: PathBuf,
        /// Where it is in the Pod.
        path_in_pod: String,
    },
    /// Jinja, ERB and the like.
    #[error(
        "{location}: `{mark}` is a placeholder: this is {kind}, which nginx can't read. {cure}, and pass the result"
    )]
    Template {
        /// The first placeholder.
        location: Location,
        /// How it begins.
        mark: String,
        /// The kind of template, with its article.
        kind: &'static str,
        /// What renders it.
        cure: &'static str,
    },
    /// A YAML file that has the configuration in it.
    #[error(
        "{location}: this is a YAML file, not an nginx configuration. Render it if it is a template, and pass the nginx.conf \
             that is embedded in it as a file of its own"
    )]
    Manifest {
        /// The key that embeds the configuration, or the beginning of the file.
        location: Location,
    },
    /// Placeholders for which no `--env` is given.
    #[error("{location}: this is a template, and nothing gives a value for {names}. Give each one: {cure}")]
    Placeholders {
        /// The first of them.
        location: Location,
        /// All of them, once each.
        names: String,
        /// The options that are missing.
        cure: String,
    },
    /// `${NAME:-default}`.
    #[error(
        "{location}: `{written}` is a default value as shells have it, which envsubst does not know and nginx can't read. \
             Write `${{{name}}}`, and give the value: --env {name}=VALUE"
    )]
    ShellDefault {
        /// Where it stands.
        location: Location,
        /// The name.
        name: String,
        /// The whole placeholder.
        written: String,
    },
    /// One half of a pair is named by no directive.
    #[error(
        "{location}: `{present}` has no `{missing}` to go with it, and nginx will not start. Name one in this server or in `http`"
    )]
    HalfNamed {
        /// The directive that stands alone.
        location: Location,
        /// Its name.
        present: &'static str,
        /// The name of the directive that is missing.
        missing: &'static str,
    },
    /// The files of `--client-cert` and `--client-key` are not what a client can show.
    #[error("`{}` holds no {wanted} in PEM form. Pass a file that has a line `-----BEGIN {label}-----`", path.display())]
    NotAnIdentity {
        /// The path as it was given.
        path: PathBuf,
        /// `certificate` or `private key`.
        wanted: &'static str,
        /// What stands in its first line.
        label: &'static str,
    },
    /// The file of `--prometheus-from` does not say how Prometheus is started.
    #[error("`{}` does not say how Prometheus is started: {problem}. {fix}", path.display())]
    PrometheusFrom {
        /// The path as it was given.
        path: PathBuf,
        /// What was looked for and what is there.
        problem: String,
        /// What to do.
        fix: String,
    },
    /// One of the two was given without the other.
    #[error("a client needs its certificate and its key. Give both: `--client-cert FILE --client-key FILE`")]
    HalfAnIdentity,
    /// No `proxy_pass` that looks like Prometheus.
    #[error("`{}` has no route that leads to {wanted}. {upstreams}", path.display())]
    NoRoute {
        /// The path as it was given.
        path: PathBuf,
        /// What was looked for.
        wanted: String,
        /// The upstreams that there are, and how to name one.
        upstreams: String,
    },
    /// More than one Pod can hold.
    #[error(
        "`{}` leads to {} Prometheus servers by {routes} routes, more than can run side by side: {}. \
         Name the one to look at: `--upstream HOST:PORT`, or one route by `--server-name NAME` and `--prefix PATH`",
        path.display(), servers.len(), shortened(servers)
    )]
    TooManyTargets {
        /// The path as it was given.
        path: PathBuf,
        /// The servers' addresses.
        servers: Vec<String>,
        /// How many routes lead to them.
        routes: usize,
    },
    /// The name that was given for the public URL can't be in one.
    #[error(
        "`{name}` can't be the name of a server in a URL. Give one such as example.com, without scheme, port or path"
    )]
    ServerName {
        /// The name as it was given.
        name: String,
    },
    /// The file of `--cacert` holds something else.
    #[error("`{}` holds no certificate in PEM form. Pass the CA's certificate, which has a line `-----BEGIN CERTIFICATE-----`", path.display())]
    NotACertificate {
        /// The path as it was given.
        path: PathBuf,
    },
}

impl DeploymentError {
    /// The place in the user's file that it is about, if there is one.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Syntax { location, .. }
            | Self::TooDeep { location }
            | Self::TooMuch { location }
            | Self::IncludeLoop { location, .. }
            | Self::LeadsOut { location, .. }
            | Self::TooManyFiles { location, .. }
            | Self::Template { location, .. }
            | Self::Manifest { location }
            | Self::Placeholders { location, .. }
            | Self::ShellDefault { location, .. }
            | Self::HalfNamed { location, .. } => Some(location),
            _ => None,
        }
    }
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}
