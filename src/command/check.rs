//! `proxyproof check`: from one configuration to a verdict.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use proxyproof::deployment::Options;
use proxyproof::report::Verdict;
use proxyproof::{BatchOptions, Deployment, Error, Lab, Result, Selection};

use super::sink::Sink;
use super::{at_once, boot_options, deployment_options, many, write_out};
use crate::cli::CheckArgs;
use crate::progress::Terminal;
use crate::signals;

pub(super) async fn run(args: CheckArgs) -> Result<u8> {
    let CheckArgs { paths, lab, report: wanted, slow, keep, timings, many } = args;
    let mut options = BatchOptions {
        boot: boot_options(&lab, keep),
        deployment: deployment_options(lab.deployment),
        selection: Selection::new(wanted.only, wanted.skip)?.slow(slow),
        fail_on: wanted.fail_on,
        timings,
        jobs: at_once(many.jobs),
    };
    let mut deployments = all_at(&paths, &options.deployment)?;
    let mut sink = Sink::open(wanted.output.as_deref())?;
    if let ([path], None) = (&deployments[..], many.shard) {
        return one(path, &options, keep, |report| sink.write_report(report, wanted.format)).await;
    }
    if keep {
        return Err(Error::ManyToKeep { deployments: deployments.len() });
    }
    if let Some(shard) = many.shard {
        deployments = deployments.drain(shard.share(deployments.len())).collect();
    }
    // What counts takes the place of what would have spoken of one.
    options.boot.progress.done();
    let terminal = Arc::new(Terminal::counting(deployments.len(), options.jobs));
    options.boot.progress = Arc::clone(&terminal) as _;
    many::run(many::Run { deployments, shard: many.shard, format: wanted.format, sink, terminal }, options).await
}

/// The deployments at these paths, each once.
fn all_at(paths: &[PathBuf], options: &Options) -> Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = Vec::new();
    let mut known = HashSet::new();
    for path in paths {
        let found = Deployment::paths_at(path, options)?;
        all.extend(found.into_iter().filter(|path| known.insert(path.clone())));
    }
    Ok(all)
}

async fn one(
    path: &Path,
    options: &BatchOptions,
    keep: bool,
    write: impl FnOnce(&proxyproof::Report) -> Result<()>,
) -> Result<u8> {
    let begun = Instant::now();
    let deployment = Deployment::load_with(path, &options.deployment)?;
    let lab = Lab::boot_for_checks(deployment, &options.boot).await?;
    let mut report = lab.check_with(&options.selection, options.fail_on).await?;
    report.set_duration(begun.elapsed());
    match keep {
        true => {
            if options.timings {
                report.set_timings(lab.timings());
            }
            write(&report)?;
            hold(lab).await?;
        }
        false => {
            let timings = lab.close_timed().await?;
            if options.timings {
                report.set_timings(timings);
            }
            write(&report)?;
        }
    }
    Ok(u8::from(report.verdict == Verdict::Fail))
}

/// Holds a Lab until somebody ends it, so that the report's commands work. Its files stay.
async fn hold(lab: Lab) -> Result<()> {
    let directory = lab.kept().map(|kept| kept.directory().to_owned()).unwrap_or_default();
    announce(&directory)?;
    signals::interrupt_or_end_of_input().await;
    lab.keep_files();
    lab.close().await
}

fn announce(directory: &Path) -> Result<()> {
    let directory = directory.display();
    write_out(&mut anstream::stderr(), |out| {
        writeln!(out, "The Lab is held until Ctrl-C or the end of input. Its files stay in {directory}")
    })
}
