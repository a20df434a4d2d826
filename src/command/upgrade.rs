//! `proxyproof upgrade` and `proxyproof record`: from two sets of versions to what changes between them.

use std::io::Write;

use proxyproof::observation::Observation;
use proxyproof::report::Verdict;
use proxyproof::upgrade::{self, Upgrade, json, text};
use proxyproof::{Deployment, Result};

use super::{boot_options_of, deployment_options, sink};
use crate::cli::{Format, RecordArgs, UpgradeArgs};
use proxyproof::source::Source;

pub(super) async fn run(args: UpgradeArgs) -> Result<u8> {
    let options = boot_options_of(args.runtime, Source::Auto, Source::Auto);
    let deployment = Deployment::load_with(&args.path, &deployment_options(args.deployment))?;
    let upgrade = match (args.from, args.baseline) {
        (_, Some(baseline)) => Upgrade::since(deployment, Observation::read(&baseline)?, args.to),
        (from, None) => Upgrade::between(deployment, from.unwrap_or_default(), args.to),
    };
    let mut sink = sink::Sink::open(args.output.as_deref())?;
    let report = upgrade.booted(options).fail_on(args.fail_on).run().await?;
    sink.write(|out| match args.format {
        Format::Text => text::render(&report, out),
        Format::Json => json::render(&report, out),
    })?;
    Ok(u8::from(report.verdict == Verdict::Fail))
}

pub(super) async fn record(args: RecordArgs) -> Result<u8> {
    let options = boot_options_of(args.lab.runtime, args.lab.nginx, args.lab.prometheus);
    let deployment = Deployment::load_with(&args.path, &deployment_options(args.lab.deployment))?;
    let observation = upgrade::record(deployment, &options).await?;
    options.progress.done();
    // Opened last: what was recorded before stays where nothing could be recorded now.
    let mut sink = sink::Sink::open(args.output.as_deref())?;
    sink.write(|out: &mut dyn Write| observation.write(out))?;
    Ok(0)
}
