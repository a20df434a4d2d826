//! `proxyproof check` of many paths: each is written as it ends, and all of them are counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use proxyproof::report::text::Many;
use proxyproof::report::{Broken, Gathered, Shard, json};
use proxyproof::{Batch, BatchOptions, Ended, Error, Result};

use super::sink::Sink;
use super::write_out;
use crate::cli::Format;
use crate::progress::Terminal;
use crate::signals;

/// What is gone through, and where what is found goes.
pub(super) struct Run {
    pub(super) deployments: Vec<PathBuf>,
    pub(super) shard: Option<Shard>,
    pub(super) format: Format,
    pub(super) sink: Sink,
    pub(super) terminal: Arc<Terminal>,
}

pub(super) async fn run(run: Run, options: BatchOptions) -> Result<u8> {
    let begun = Instant::now();
    let Run { deployments, shard, format, sink, terminal } = run;
    let gathered = Gathered::of(deployments.len(), shard).map_err(Error::Gather)?;
    let mut book = Book { gathered, many: Many::new(options.fail_on), format, sink, terminal };
    let mut batch = Batch::begin(deployments, options).await?;
    let ended = signals::or_signal(async {
        while let Some(ended) = batch.next().await {
            book.enter(&ended)?;
        }
        Ok(())
    });
    let ended = ended.await;
    batch.stop().await;
    book.close(begun)?;
    match ended {
        Ok(whole) => whole.map(|()| book.gathered.exit_code()),
        Err(signal) => Err(Error::Interrupted(signal)),
    }
}

/// What was found so far.
struct Book {
    gathered: Gathered,
    many: Many,
    format: Format,
    sink: Sink,
    terminal: Arc<Terminal>,
}

impl Book {
    fn enter(&mut self, ended: &Ended) -> Result<()> {
        match &ended.result {
            Ok(report) => {
                self.gathered.add(ended.place, report).map_err(Error::Gather)?;
                self.write_text(|many, out| many.one(&report.deployments, out))?;
            }
            Err(error) => {
                let broken = Broken::new(ended.path.display().to_string(), error);
                self.write_text(|many, out| many.broken(&broken, out))?;
                if self.format != Format::Text || !self.sink.is_standard() {
                    let said = format!("{}: {error}", broken.path);
                    self.terminal.aside(|| write_out(&mut anstream::stderr(), |out| writeln!(out, "{said}")))?;
                }
                self.gathered.add_broken(ended.place, broken);
            }
        }
        let summary = self.gathered.summary();
        self.terminal.count(summary.paths.checked + summary.paths.broken, summary.failed + summary.paths.broken);
        Ok(())
    }

    fn write_text(
        &mut self,
        write: impl FnOnce(&mut Many, &mut dyn std::io::Write) -> std::io::Result<()>,
    ) -> Result<()> {
        if self.format != Format::Text {
            return Ok(());
        }
        let Self { many, sink, terminal, .. } = self;
        terminal.aside(|| sink.write(|out| write(many, out)))
    }

    fn close(&mut self, begun: Instant) -> Result<()> {
        self.terminal.end();
        let Self { gathered, many, format, sink, .. } = self;
        sink.write(|out| match format {
            Format::Text => many.end(gathered.summary(), Some(begun.elapsed()), out),
            Format::Json => json::render_gathered(gathered, out),
        })
    }
}
