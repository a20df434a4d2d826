//! The table for programs: `proxyproof/matrix/1`, as the README documents it.

use std::io::{self, Write};

use super::MatrixReport;

/// Writes the report as indented JSON that ends with a newline.
///
/// # Errors
///
/// Those of `out`.
pub fn render(report: &MatrixReport, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}
