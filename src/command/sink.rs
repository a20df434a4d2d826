//! Where the report goes.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anstream::StripStream;
use proxyproof::report::{json, text};
use proxyproof::{Error, Report, Result};

use super::write_out;
use crate::cli::Format;

/// Where the report goes: opened before anything is asked, so that a wrong path is known at once.
pub(super) enum Sink {
    Standard,
    File(String, StripStream<File>),
}

impl Sink {
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard) };
        let name = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Self::File(name, StripStream::new(file))),
            Err(error) => Err(Error::Output { path: name, error }),
        }
    }

    pub(super) fn write(&mut self, report: &Report, format: Format) -> Result<()> {
        self.write_with(|out| render(report, format, out))
    }

    /// Writes whatever is to be written.
    pub(super) fn write_with(&mut self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        match self {
            Self::Standard => write_out(&mut anstream::stdout(), write),
            Self::File(path, file) => {
                write(file).and_then(|()| file.flush()).map_err(|error| Error::Output { path: path.clone(), error })
            }
        }
    }
}

fn render(report: &Report, format: Format, out: &mut dyn Write) -> std::io::Result<()> {
    match format {
        Format::Text => text::render(report, out),
        Format::Json => json::render(report, out),
    }
}
