//! The report for programs: `proxyproof/upgrade/1`, as the README documents it.

use std::io::{self, Write};

use super::UpgradeReport;

/// Writes `report` as indented JSON that ends with a newline.
pub fn render(report: &UpgradeReport, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}
