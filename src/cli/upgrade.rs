//! The calls of `proxyproof upgrade` and `proxyproof record`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use proxyproof::upgrade::{ChangeLevel, Side};

use super::{DeploymentArgs, Format, LabArgs, RuntimeName};

pub(super) const EXIT_CODES: &str = "\
SRC is docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto. A program that one side does not name
is there what proxyproof.toml or auto says.

Exit codes:
  0    no change at or above --fail-on
  1    changes; or nginx starts with neither version
  2    the call, the input or the baseline is wrong
  3    the environment can't run it: no runtime, no source of a program, no disk
  130  ended by Ctrl-C; 143: by SIGTERM";

#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    /// An nginx.conf, a fragment (server blocks or locations alone), or a directory such as /etc/nginx
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,

    /// The old programs: debian:bookworm for both, or nginx=SRC,prometheus=SRC, or one of the two
    #[arg(long, value_name = "SRC", required_unless_present = "baseline")]
    pub(crate) from: Option<Side>,

    /// What `proxyproof record` wrote of the old programs, where they are not to be had any more
    #[arg(long, value_name = "FILE", conflicts_with = "from", value_hint = ValueHint::FilePath)]
    pub(crate) baseline: Option<PathBuf>,

    /// The new programs, written likewise
    #[arg(long, value_name = "SRC")]
    pub(crate) to: Side,

    /// What boots the programs; auto: docker where an engine answers, else sandbox
    #[arg(long, value_enum, value_name = "auto|docker|sandbox", hide_possible_values = true, default_value = "auto")]
    pub(crate) runtime: RuntimeName,

    #[command(flatten, next_help_heading = "The deployment, where the nginx.conf does not say it")]
    pub(crate) deployment: DeploymentArgs,

    /// How the report is written
    #[arg(
        long,
        value_enum,
        value_name = "text|json",
        hide_possible_values = true,
        default_value = "text",
        help_heading = "The report"
    )]
    pub(crate) format: Format,

    /// Where to, instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "The report")]
    pub(crate) output: Option<PathBuf>,

    /// The lowest level of a change that makes the exit code 1
    #[arg(long, value_name = "breaking|behaviour|cosmetic", hide_possible_values = true, default_value = "breaking", value_parser = level(), help_heading = "The report")]
    pub(crate) fail_on: ChangeLevel,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// An nginx.conf, a fragment (server blocks or locations alone), or a directory such as /etc/nginx
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,

    /// Where the baseline goes, instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) lab: LabArgs,
}

fn level() -> impl TypedValueParser<Value = ChangeLevel> {
    PossibleValuesParser::new(["breaking", "behaviour", "cosmetic"]).map(|name| match name.as_str() {
        "cosmetic" => ChangeLevel::Cosmetic,
        "behaviour" => ChangeLevel::Behaviour,
        _ => ChangeLevel::Breaking,
    })
}
