//! `proxyproof matrix`: from a deployment and many versions to a table of verdicts.

use proxyproof::matrix::{Matrix, json, text};
use proxyproof::report::Verdict;
use proxyproof::source::Source;
use proxyproof::{Deployment, Result, Selection};

use super::sink::Sink;
use super::{at_once, boot_options_of, deployment_options};
use crate::cli::{Format, MatrixArgs};

pub(super) async fn run(args: MatrixArgs) -> Result<u8> {
    let MatrixArgs { path, nginx, prometheus, runtime, jobs, findings, deployment, report: wanted } = args;
    let selection = Selection::new(wanted.only, wanted.skip)?;
    let deployment = Deployment::load_with(&path, &deployment_options(deployment))?;
    let mut sink = Sink::open(wanted.output.as_deref())?;
    let boot = boot_options_of(runtime, Source::Auto, Source::Auto);
    let matrix = Matrix::of(deployment, nginx, prometheus).booted(boot).asking(selection, wanted.fail_on);
    let report = matrix.jobs(at_once(jobs)).run().await?;
    sink.write(|out| match wanted.format {
        Format::Text => text::render(&report, findings, wanted.fail_on, out),
        Format::Json => json::render(&report, out),
    })?;
    Ok(u8::from(report.verdict == Verdict::Fail))
}
