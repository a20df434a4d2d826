//! What is wrong with the input: what happened, where, and what to do.

use std::io;
use std::path::PathBuf;

use super::read::MAX_MIB;
use super::syntax::{MAX_DEPTH, MAX_WORDS};
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
    /// A directory stands where the nginx.conf is wanted.
    #[error("`{}` is a directory. Pass the nginx.conf inside it{}", path.display(), inside(nginx_conf.as_ref()))]
    Directory {
        /// The path as it was given.
        path: PathBuf,
        /// The `nginx.conf` inside it, if there is one.
        nginx_conf: Option<PathBuf>,
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
        "{location}: the configuration, with what it includes, goes beyond {MAX_WORDS} words or {MAX_MIB} MiB. \
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
    /// A link that would show a file of this host.
    #[error("{location}: `{}` is a link out of the directory of the nginx.conf, and files of this host are not read. \
             Copy the file into the tree", path.display())]
    LeadsOut {
        /// What names the file.
        location: Location,
        /// The link.
        path: PathBuf,
    },
    /// Server blocks without the `http` block around them.
    #[error("`{}` has no `http` block: it is a fragment, which is not supported yet. Pass the nginx.conf that includes it, \
             or one that holds `events {{}} http {{ include {}; }}`", path.display(), file_name(path))]
    Fragment {
        /// The path as it was given.
        path: PathBuf,
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
    /// One half of a pair is in the tree, the other is not.
    #[error(
        "{location}: the tree brings the {present} `{present_path}` without its {missing} `{missing_path}`. \
             Put the {missing} into the tree, or take the {present} out so that a pair is made"
    )]
    HalfBrought {
        /// The directive that names the half which is there.
        location: Location,
        /// `certificate` or `key`.
        present: &'static str,
        /// The path of the half that is there, as the file names it.
        present_path: String,
        /// `key` or `certificate`.
        missing: &'static str,
        /// The path of the half that is not there, as the file names it.
        missing_path: String,
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
            | Self::HalfNamed { location, .. }
            | Self::HalfBrought { location, .. } => Some(location),
            _ => None,
        }
    }
}

fn inside(nginx_conf: Option<&PathBuf>) -> String {
    match nginx_conf {
        Some(path) => format!(": `{}`", path.display()),
        None => " (there is no file of that name in it)".to_owned(),
    }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}
