//! The arguments of `proxyproof check`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use proxyproof::report::Shard;

use super::{LabArgs, ReportArgs};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// An nginx.conf, a fragment (server blocks or locations alone), a directory such as /etc/nginx, or one that holds many of these; each is a deployment
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) lab: LabArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,

    /// Wait for what takes seconds too: Prometheus's first scrape
    #[arg(long)]
    pub(crate) slow: bool,

    /// Hold the Lab after the report until Ctrl-C, so that the report's curl lines work
    #[arg(long)]
    pub(crate) keep: bool,

    /// Say in the report what the time went into: boot, checks, connections, handshakes, requests, teardown
    #[arg(long)]
    pub(crate) timings: bool,

    #[command(flatten, next_help_heading = "Many deployments")]
    pub(crate) many: ManyArgs,
}

/// How many deployments are gone through.
#[derive(Debug, Args)]
pub(crate) struct ManyArgs {
    /// How many run at once; by default as many as there are cores
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Check the K-th of N parts alone, from 1/N to N/N; `merge` joins their JSON reports
    #[arg(long, value_name = "K/N", conflicts_with = "keep")]
    pub(crate) shard: Option<Shard>,
}
