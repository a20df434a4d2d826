//! `proxyproof merge`: one report of several.

use proxyproof::report::text::Many;
use proxyproof::report::{json, merge};
use proxyproof::{Level, Result};

use super::sink::Sink;
use crate::cli::{Format, MergeArgs};

pub(super) fn run(args: &MergeArgs) -> Result<u8> {
    let merged = merge(&args.reports)?;
    let mut sink = Sink::open(args.output.as_deref())?;
    sink.write(|out| match args.format {
        Format::Json => json::render_gathered(&merged, out),
        Format::Text => {
            let mut many = Many::new(Level::Error);
            for entry in merged.deployments() {
                many.one(&[entry?], out)?;
            }
            merged.broken().try_for_each(|broken| many.broken(broken, out))?;
            many.end(merged.summary(), None, out)
        }
    })?;
    Ok(merged.exit_code())
}
