//! The command line. Types only: `main` turns them into calls of the library.

mod check;
mod matrix;
mod merge;
mod probe;
#[cfg(test)]
mod tests;
mod upgrade;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use proxyproof::CATALOGUE;
use proxyproof::Level;
use proxyproof::deployment::HostPort;
use proxyproof::source::Source;

pub(crate) use check::CheckArgs;
pub(crate) use matrix::MatrixArgs;
pub(crate) use merge::MergeArgs;
pub(crate) use probe::ProbeArgs;
pub(crate) use upgrade::{RecordArgs, UpgradeArgs};

const EXIT_CODES: &str = "\
Exit codes (of many paths the highest of 3, 2 and 1):
  0    no finding at or above --fail-on
  1    findings
  2    the call or the input is wrong; the message says which file, line and column
  3    the environment can't run it: no runtime, no source of a program, no disk
  130  ended by Ctrl-C; 143: by SIGTERM";

/// Proves that a TLS reverse proxy in front of Prometheus does its job
///
/// It boots real nginx and real Prometheus with your configuration as it is, asks them
/// as a client would, and says what is wrong, in which line, and what would fix it.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Boot the Lab, ask every check, print the report
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Join the JSON reports of shards, or of several runs
    #[command(after_help = merge::EXIT_CODES)]
    Merge(MergeArgs),
    /// Ask a deployment that already runs what can be asked from outside; boot nothing, change nothing
    #[command(after_help = probe::EXIT_CODES)]
    Probe(ProbeArgs),
    /// Say what an upgrade of nginx and Prometheus changes, whose doing it is, and what breaks
    #[command(after_help = upgrade::EXIT_CODES)]
    Upgrade(UpgradeArgs),
    /// Write down what is seen of a deployment, for a later upgrade --baseline
    Record(RecordArgs),
    /// Check a deployment with every nginx in front of every Prometheus, and say which of them go together
    #[command(after_help = matrix::EXIT_CODES)]
    Matrix(MatrixArgs),
    /// Boot the Lab and stay, printing URLs, curl commands and where the CA is; Ctrl-C ends it
    Up(UpArgs),
    /// Say what a check asks, why, and how to fix what it finds
    Explain {
        /// The check's id, as `proxyproof checks` lists it
        #[arg(value_parser = check_id(), hide_possible_values = true)]
        check: String,
    },
    /// List the checks
    Checks,
    /// Say which runtimes and sources work here, and what dead runs left behind
    Doctor {
        /// Remove what dead runs left behind
        #[arg(long)]
        clean: bool,
    },
    /// Print the JSON Schema of proxyproof.toml, for editors
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// An nginx.conf, a fragment (server blocks or locations alone), or a directory such as /etc/nginx
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,

    #[command(flatten)]
    pub(crate) lab: LabArgs,

    /// Run this inside the Lab's network (the sandbox's alone) and end with it, as in `-- curl https://example.com/`
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// What the Lab is made of.
#[derive(Debug, Args)]
#[command(next_help_heading = "What runs")]
pub(crate) struct LabArgs {
    /// What boots the programs; auto: docker where an engine answers, else sandbox
    #[arg(long, value_enum, value_name = "auto|docker|sandbox", hide_possible_values = true, default_value = "auto")]
    pub(crate) runtime: RuntimeName,

    /// Which nginx: docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto
    #[arg(long, value_name = "SRC", default_value = "auto")]
    pub(crate) nginx: Source,

    /// Which Prometheus: docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto
    #[arg(long, value_name = "SRC", default_value = "auto")]
    pub(crate) prometheus: Source,

    #[command(flatten, next_help_heading = "The deployment, where the nginx.conf does not say it")]
    pub(crate) deployment: DeploymentArgs,
}

/// What is derived from the file where it is not given.
#[derive(Debug, Args)]
pub(crate) struct DeploymentArgs {
    /// What starts Prometheus: a systemd unit, a docker-compose.yml or a Kubernetes manifest
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) prometheus_from: Option<PathBuf>,

    /// A flag that the deployment starts Prometheus with (repeatable); wins over --prometheus-from
    #[arg(long = "prometheus-arg", value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) prometheus_args: Vec<String>,

    /// The deployment's prometheus.yml
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) prometheus_config: Option<PathBuf>,

    /// The name in the public URL
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,

    /// The public path below which Prometheus is
    #[arg(long, value_name = "PATH", value_parser = prefix)]
    pub(crate) prefix: Option<String>,

    /// Which upstream of the file is Prometheus
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) upstream: Option<HostPort>,

    /// What clients trust, for a certificate that the deployment brings
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) cacert: Option<PathBuf>,

    /// The certificate that clients show, where the deployment asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,

    /// The key of the certificate that clients show
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,

    /// A user of the deployment's own password files; without it they are replaced
    #[arg(long, value_name = "USER:PASS", value_parser = credentials)]
    pub(crate) basic_auth: Option<(String, String)>,

    /// A further file of the same deployment, such as the one that holds the upstreams (repeatable)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) with: Vec<PathBuf>,

    /// A directory that mirrors /: absolute paths are looked up there first
    #[arg(long, value_name = "DIR", value_parser = directory, value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,

    /// The value of the placeholder ${NAME} in a template (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = env)]
    pub(crate) env: Vec<(String, String)>,
}

/// What is asked, and how the answer is given.
#[derive(Debug, Args)]
#[command(next_help_heading = "The report")]
pub(crate) struct ReportArgs {
    /// How the report is written
    #[arg(long, value_enum, value_name = "text|json", hide_possible_values = true, default_value = "text")]
    pub(crate) format: Format,

    /// Where to, instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The lowest level of a finding that makes the exit code 1
    #[arg(long, value_name = "error|warning|note", hide_possible_values = true, default_value = "error", value_parser = level())]
    pub(crate) fail_on: Level,

    /// Ask this check alone (repeatable)
    #[arg(long, value_name = "ID", value_parser = check_id(), hide_possible_values = true)]
    pub(crate) only: Vec<String>,

    /// Do not ask this check, and say why not in the report (repeatable)
    #[arg(long, value_name = "ID=REASON", value_parser = skip)]
    pub(crate) skip: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeName {
    Auto,
    Docker,
    Sandbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Possible values rather than a lookup, so that shells complete ids and a mistyped one is answered with the nearest.
fn check_id() -> PossibleValuesParser {
    PossibleValuesParser::new(CATALOGUE.iter().map(|check| check.id))
}

fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(["error", "warning", "note"]).map(|name| match name.as_str() {
        "note" => Level::Note,
        "warning" => Level::Warning,
        _ => Level::Error,
    })
}

fn prefix(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("a prefix begins with `/`, as in /prometheus; `/` alone is the root")
    }
}

fn credentials(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((user, password)) if !user.is_empty() && !text.contains(['\n', '\r']) => {
            Ok((user.to_owned(), password.to_owned()))
        }
        _ => Err("a user and a password have a colon between them, as in admin:secret"),
    }
}

fn directory(text: &str) -> Result<PathBuf, &'static str> {
    Some(PathBuf::from(text)).filter(|path| path.is_dir()).ok_or("there is no such directory")
}

fn env(text: &str) -> Result<(String, String), &'static str> {
    let name_and_value = text.split_once('=');
    let sound = |name: &str| {
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        letters && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    let (name, value) =
        name_and_value.filter(|(name, _)| sound(name)).ok_or("write NAME=VALUE, as in --env DOMAIN=example.com")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The id is looked up where the selection is made.
fn skip(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((id, reason)) if !reason.trim().is_empty() => Ok((id.trim().to_owned(), reason.trim().to_owned())),
        _ => Err("a skip needs its reason, as in --skip 'ui-page=our build has no UI'"),
    }
}
