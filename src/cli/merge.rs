//! The arguments of `proxyproof merge`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Format;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    all of the runs passed
  1    one had findings at or above its --fail-on, or was interrupted
  2    a file is no report, a shard is missing or named twice, or a path was wrong input
  3    a path could not be checked in its environment";

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// JSON reports of `check`; of a run in shards, those of all its shards
    #[arg(value_name = "REPORT", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) reports: Vec<PathBuf>,

    /// How the joined report is written
    #[arg(long, value_enum, value_name = "text|json", hide_possible_values = true, default_value = "text")]
    pub(crate) format: Format,

    /// Where to, instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
