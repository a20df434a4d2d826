//! `proxyproof probe`: from a URL to a verdict.

use proxyproof::report::Verdict;
use proxyproof::source::Progress;
use proxyproof::{Probe, ProbeOptions, Result, Selection};

use super::sink::Sink;
use crate::cli::ProbeArgs;
use crate::progress::Terminal;

pub(super) async fn run(args: ProbeArgs) -> Result<u8> {
    let ProbeArgs { url, client, report: wanted } = args;
    let selection = Selection::new(wanted.only, wanted.skip)?;
    let options = ProbeOptions {
        cacert: client.cacert,
        client_cert: client.client_cert,
        client_key: client.client_key,
        basic_auth: client.basic_auth,
        resolve: client.resolve,
    };
    let probe = Probe::with(&url, options)?;
    let mut sink = Sink::open(wanted.output.as_deref())?;
    let progress = Terminal::new();
    progress.step("asking slowly, as others use it too");
    let report = probe.check_with(&selection, wanted.fail_on).await;
    progress.done();
    let report = report?;
    sink.write_report(&report, wanted.format)?;
    Ok(u8::from(report.verdict == Verdict::Fail))
}
