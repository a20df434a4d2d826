//! Many deployments, each as it ends: a line each, and below it what made it fail.

use std::io::{self, Write};
use std::time::Duration;

use super::{BAD, BOLD, counts, finding, plain, timings, verdict, versions};
use crate::finding::{Finding, Level};
use crate::report::gathered::Summary;
use crate::report::timings::Timings;
use crate::report::{Broken, DeploymentReport, Paths, Verdict};

/// Writes the deployments of one run.
#[derive(Debug)]
pub struct Many {
    fail_on: Level,
    /// What ran the last time: said again only where it changes.
    said: String,
    /// What the time of all of them went into, where they say it.
    timings: Option<Timings>,
}

impl Many {
    /// Of a run that fails by findings of this level.
    pub fn new(fail_on: Level) -> Self {
        Self { fail_on, said: String::new(), timings: None }
    }

    /// Writes what was found at one path.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn one(&mut self, entries: &[DeploymentReport], out: &mut dyn Write) -> io::Result<()> {
        for entry in entries {
            if let Some(timings) = &entry.timings {
                *self.timings.get_or_insert_default() += timings;
            }
            let programs = format!("{} on {}", versions(&entry.programs), entry.runtime);
            if programs != self.said {
                writeln!(out, "{programs}\n")?;
                self.said = programs;
            }
            let (path, url) = (plain(&entry.path), plain(&entry.public_url));
            writeln!(out, "{} {BOLD}{path}{BOLD:#} as {url}: {}", verdict(entry.verdict), counts(entry))?;
            let decisive = decisive(entry, self.fail_on);
            if !decisive.is_empty() {
                writeln!(out)?;
            }
            for found in decisive {
                finding::render(found, &entry.files, out)?;
            }
        }
        Ok(())
    }

    /// Writes why one path could not be checked.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn broken(&mut self, broken: &Broken, out: &mut dyn Write) -> io::Result<()> {
        let message = broken.message.lines().map(|line| format!("  {}\n", plain(line))).collect::<String>();
        write!(out, "{BAD}NOT CHECKED{BAD:#} {BOLD}{}{BOLD:#}\n\n{message}\n", plain(&broken.path))
    }

    /// Writes what came of all.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn end(&self, summary: &Summary, took: Option<Duration>, out: &mut dyn Write) -> io::Result<()> {
        let Paths { given, checked, broken } = summary.paths;
        let of = summary.shard.map(|shard| format!(" of shard {shard}")).unwrap_or_default();
        let mut parts = vec![format!("{} passed", checked - summary.failed)];
        let further = [(summary.failed, "failed"), (broken, "not checked"), (summary.paths.left(), "not come to")];
        parts
            .extend(further.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        let took = took.map(|took| format!(" in {:.1} s", took.as_secs_f64())).unwrap_or_default();
        let deployments = if given == 1 { "deployment" } else { "deployments" };
        writeln!(out, "\n{given} {deployments}{of}{took}: {}: {}", parts.join(", "), verdict(summary.verdict))?;
        if let Some(timings) = &self.timings {
            writeln!(out, "\n{BOLD}all together{BOLD:#}")?;
            timings::render(timings, out)?;
            writeln!(out)?;
        }
        if checked > 0 {
            writeln!(
                out,
                "The rest of what was found is in the report of one path alone, and of all with --format json."
            )?;
        }
        Ok(())
    }
}

/// The findings that made it fail. A report that was read may have failed by a lower level than is known here.
fn decisive(entry: &DeploymentReport, fail_on: Level) -> Vec<&Finding> {
    let at_least = |level| entry.findings.iter().filter(|finding| finding.level >= level).collect::<Vec<_>>();
    let levels = [fail_on, Level::Warning, Level::Note].map(at_least);
    let shown = levels.into_iter().find(|found| !found.is_empty());
    shown.filter(|_| entry.verdict == Verdict::Fail).unwrap_or_default()
}
