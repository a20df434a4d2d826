//! The report for people: first what is wrong and where, then what was proven, skipped and made up.

mod finding;
mod many;
mod span;
mod table;
#[cfg(test)]
mod tests;
pub mod timings;

use std::io::{self, Write};

use annotate_snippets::normalize_untrusted_str as plain;
use annotate_snippets::renderer::{AnsiColor, Effects, Style};

use super::{DeploymentReport, Programs, Report, Verdict};
use crate::check::{CheckResult, Outcome};
use crate::finding::Level;
use crate::world::{Substitution, SubstitutionKind};
pub(crate) use finding::place;

pub use many::Many;

pub(crate) const BOLD: Style = Style::new().effects(Effects::BOLD);
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
pub(crate) const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

/// Writes `report` with colours. `out` takes them away where they don't belong, as anstream's streams do.
///
/// Much of a report was written by strangers: control characters in it are shown and never sent to the terminal.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for deployment in &report.deployments {
        header(deployment, out)?;
        for finding in &deployment.findings {
            finding::render(finding, &deployment.files, out)?;
        }
        how_to_show_again(deployment, out)?;
        passed(deployment, out)?;
        skipped(deployment, out)?;
        substitutions(deployment, out)?;
        summary(deployment, out)?;
        if let Some(timings) = &deployment.timings {
            writeln!(out)?;
            timings::render(timings, out)?;
        }
    }
    Ok(())
}

fn header(deployment: &DeploymentReport, out: &mut dyn Write) -> io::Result<()> {
    let path = plain(&deployment.path);
    let url = plain(&deployment.public_url);
    let how = match deployment.runtime {
        Report::PROBE => "from outside".to_owned(),
        runtime => format!("as {url} on {runtime}"),
    };
    writeln!(out, "{BOLD}{path}{BOLD:#} {how}: {}\n", versions(&deployment.programs))
}

fn versions(programs: &Programs) -> String {
    let Programs { nginx, prometheus } = programs;
    format!(
        "nginx {} ({}), Prometheus {} ({})",
        plain(&nginx.version),
        plain(&nginx.source),
        plain(&prometheus.version),
        plain(&prometheus.source),
    )
}

/// The commands of a Lab that is gone have variables for what went with it.
fn how_to_show_again(deployment: &DeploymentReport, out: &mut dyn Write) -> io::Result<()> {
    let commands = deployment.findings.iter().filter_map(|finding| finding.reproduce.as_deref());
    if commands.into_iter().any(|command| command.contains("$POD")) {
        writeln!(
            out,
            "The commands need the Lab: --keep holds it, and puts its CA and its address in for $CA and $POD.\n"
        )?;
    }
    Ok(())
}

fn passed(deployment: &DeploymentReport, out: &mut dyn Write) -> io::Result<()> {
    let ids: Vec<&str> = with_outcome(deployment, Outcome::Pass).map(|check| check.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    writeln!(out, "{GOOD}passed{GOOD:#}")?;
    table::columns(&ids, out)?;
    writeln!(out)
}

fn skipped(deployment: &DeploymentReport, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 2]> = with_outcome(deployment, Outcome::Skip)
        .map(|check| {
            let reason = check.reason.as_deref().unwrap_or("no reason given");
            [check.id.to_owned(), plain(reason)]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}skipped{BOLD:#}")?;
    table::aligned(&rows, out)?;
    writeln!(out)
}

fn with_outcome(deployment: &DeploymentReport, outcome: Outcome) -> impl Iterator<Item = &CheckResult> {
    deployment.checks.iter().filter(move |check| check.outcome == outcome)
}

fn substitutions(deployment: &DeploymentReport, out: &mut dyn Write) -> io::Result<()> {
    if deployment.substitutions.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 4]> =
        deployment.substitutions.iter().map(|substitution| row(substitution, &deployment.path)).collect();
    writeln!(out, "{BOLD}made for this run{BOLD:#}")?;
    table::aligned(&rows, out)?;
    writeln!(out)
}

fn row(substitution: &Substitution, path: &str) -> [String; 4] {
    let kind = match substitution.kind {
        SubstitutionKind::Certificate => "certificate",
        SubstitutionKind::Key => "key",
        SubstitutionKind::Host => "host",
        SubstitutionKind::Ca => "CA",
        SubstitutionKind::PasswordFile => "password file",
        SubstitutionKind::Upstream => "upstream",
        SubstitutionKind::Resolver => "resolver",
        SubstitutionKind::Module => "module",
        SubstitutionKind::File => "file",
        SubstitutionKind::Directory => "directory",
        SubstitutionKind::Log => "log",
        SubstitutionKind::User => "user",
        SubstitutionKind::PrometheusFlags => "Prometheus flags",
        SubstitutionKind::PrometheusConfig => "Prometheus config",
        SubstitutionKind::Target => "target",
        SubstitutionKind::Configuration => "configuration",
        SubstitutionKind::Include => "include",
        SubstitutionKind::Placeholder => "placeholder",
    };
    let place = match &substitution.location {
        Some(location) if *location.file == *path => format!("line {}", location.line),
        Some(location) => format!("{}:{}", plain(&location.file), location.line),
        None => String::new(),
    };
    [kind.to_owned(), place, plain(&substitution.what), plain(&substitution.by)]
}

fn summary(deployment: &DeploymentReport, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}: ", counts(deployment))?;
    writeln!(out, "{}", verdict(deployment.verdict))
}

fn counts(deployment: &DeploymentReport) -> String {
    let count = |outcome| with_outcome(deployment, outcome).count();
    let mut text =
        format!("{} passed, {} failed, {} skipped", count(Outcome::Pass), count(Outcome::Fail), count(Outcome::Skip));
    for (level, name) in [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")] {
        let found = deployment.findings.iter().filter(|finding| finding.level == level).count();
        match found {
            0 => {}
            1 => text.push_str(&format!(", 1 {name}")),
            _ => text.push_str(&format!(", {found} {name}s")),
        }
    }
    text + &format!(" in {:.1} s", deployment.duration.as_secs_f64())
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass => format!("{GOOD}PASS{GOOD:#}"),
        Verdict::Fail => format!("{BAD}FAIL{BAD:#}"),
    }
}
