//! The arguments of `proxyproof matrix`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use proxyproof::source::Source;

use super::{DeploymentArgs, ReportArgs, RuntimeName};

pub(super) const EXIT_CODES: &str = "\
SRC is docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto.

Exit codes:
  0    no combination has a finding at or above --fail-on
  1    some have, or a program does not start with the deployment
  2    the call or the input is wrong
  3    the environment can't run it: no runtime, no such version, no disk
  130  ended by Ctrl-C; 143: by SIGTERM";

#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    /// An nginx.conf, a fragment (server blocks or locations alone), or a directory such as /etc/nginx
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,

    /// Every nginx that is tried
    #[arg(long, value_name = "SRC,SRC…", value_delimiter = ',', required = true)]
    pub(crate) nginx: Vec<Source>,

    /// Every Prometheus that is tried
    #[arg(long, value_name = "SRC,SRC…", value_delimiter = ',', required = true)]
    pub(crate) prometheus: Vec<Source>,

    /// What boots the programs; auto: docker where an engine answers, else sandbox
    #[arg(long, value_enum, value_name = "auto|docker|sandbox", hide_possible_values = true, default_value = "auto")]
    pub(crate) runtime: RuntimeName,

    /// How many run at once; by default as many as there are cores
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Show below the table what made each combination fail
    #[arg(long)]
    pub(crate) findings: bool,

    #[command(flatten, next_help_heading = "The deployment, where the nginx.conf does not say it")]
    pub(crate) deployment: DeploymentArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}
