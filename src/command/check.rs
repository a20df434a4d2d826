//! `proxyproof check`: from configurations to a verdict.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anstream::StripStream;
use proxyproof::report::{Verdict, json, text};
use proxyproof::{Deployment, Error, Lab, Report, Result, Selection};

use super::{boot_options, deployment_options, write_out};
use crate::cli::{CheckArgs, Format};
use crate::signals;

pub(super) async fn run(args: CheckArgs) -> Result<u8> {
    let CheckArgs { paths, lab, report: wanted, keep } = args;
    let selection = Selection::new(wanted.only.clone(), wanted.skip.clone())?.slow(wanted.slow);
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

/// Where the report goes: opened before anything boots, so that a wrong path is known at once.
enum Sink {
    Standard,
    File(String, StripStream<File>),
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard) };
        let name = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Self::File(name, StripStream::new(file))),
            Err(error) => Err(Error::Output { path: name, error }),
        }
    }

    fn write(&mut self, report: &Report, format: Format) -> Result<()> {
        match self {
            Self::Standard => write_out(&mut anstream::stdout(), |out| render(report, format, out)),
            Self::File(path, file) => render(report, format, file)
                .and_then(|()| file.flush())
                .map_err(|error| Error::Output { path: path.clone(), error }),
        }
    }
}

fn render(report: &Report, format: Format, out: &mut dyn Write) -> std::io::Result<()> {
    match format {
        Format::Text => text::render(report, out),
        Format::Json => json::render(report, out),
    }
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
