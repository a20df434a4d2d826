//! `proxyproof check`: from configurations to a verdict.

use std::path::Path;
use std::time::Instant;

use proxyproof::report::Verdict;
use proxyproof::{Deployment, Lab, Report, Result, Selection};

use super::sink::Sink;
use super::{boot_options, deployment_options, write_out};
use crate::cli::CheckArgs;
use crate::signals;

pub(super) async fn run(args: CheckArgs) -> Result<u8> {
    let CheckArgs { paths, lab, report: wanted, slow, keep } = args;
    let selection = Selection::new(wanted.only.clone(), wanted.skip.clone())?.slow(slow);
    let boot = boot_options(&lab, keep);
    let options = deployment_options(lab.deployment);
    // All are loaded before the first is booted: wrong input is known at once.
    let deployments: Vec<Deployment> =
        paths.iter().map(|path| Deployment::load_with(path, &options)).collect::<Result<_, _>>()?;
    let mut sink = Sink::open(wanted.output.as_deref())?;
    let mut reports = Vec::new();
    let mut labs = Vec::new();
    for deployment in deployments {
        let begun = Instant::now();
        let lab = Lab::boot_for_checks(deployment, &boot).await?;
        let mut report = lab.check_with(&selection, wanted.fail_on).await?;
        report.set_duration(begun.elapsed());
        reports.push(report);
        match keep {
            true => labs.push(lab),
            false => lab.close().await?,
        }
    }
    let Some(report) = Report::joined(reports) else { return Ok(0) };
    sink.write(&report, wanted.format)?;
    for lab in labs {
        hold(lab).await?;
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
