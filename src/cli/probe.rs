//! The call of `proxyproof probe`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use proxyproof::Resolve;

use super::{ReportArgs, credentials};

pub(super) const EXIT_CODES: &str = "\
It asks at most ten times a second and four things at once, nothing that changes anything.
What needs the configuration, or is not asked of what others use, is skipped with its reason.

Exit codes:
  0    no finding at or above --fail-on
  1    findings
  2    the call is wrong
  3    nothing answers there, or this machine has no certificates of authorities
  130  ended by Ctrl-C; 143: by SIGTERM";

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The public URL below which Prometheus is, such as https://example.com/prometheus/
    #[arg(value_hint = ValueHint::Url)]
    pub(crate) url: String,

    #[command(flatten, next_help_heading = "Who asks, and where")]
    pub(crate) client: ProbeClientArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// What a client of a deployment that runs knows.
#[derive(Debug, Args)]
pub(crate) struct ProbeClientArgs {
    /// What clients trust, instead of the authorities that this machine trusts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) cacert: Option<PathBuf>,

    /// The name and the password that clients give
    #[arg(long, value_name = "USER:PASS", value_parser = credentials)]
    pub(crate) basic_auth: Option<(String, String)>,

    /// The certificate that clients show
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,

    /// The key of the certificate that clients show
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,

    /// Where the name is, instead of what the system says (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub(crate) resolve: Vec<Resolve>,
}
