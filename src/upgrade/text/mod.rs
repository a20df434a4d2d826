//! The report for people: the verdict, then what breaks in full, what behaves differently in short, and the rest in a line
//! each.

mod change;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use annotate_snippets::normalize_untrusted_str as plain;
use annotate_snippets::renderer::{AnsiColor, Effects, Style};

use super::change::ChangeLevel;
use super::{UpgradeReport, UpgradedDeployment};
use crate::report::{Program, Verdict};

const BOLD: Style = Style::new().effects(Effects::BOLD);
const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

/// Writes `report` with colours. `out` takes them away where they don't belong, as anstream's streams do.
pub fn render(report: &UpgradeReport, out: &mut dyn Write) -> io::Result<()> {
    for deployment in &report.deployments {
        header(report, deployment, out)?;
        for note in &deployment.notes {
            writeln!(out, "{BOLD}note:{BOLD:#} {}\n", plain(note))?;
        }
        let of = |level| deployment.changes.iter().filter(move |change| change.level == level);
        for change in of(ChangeLevel::Breaking) {
            change::in_full(change, &deployment.files, out)?;
        }
        let behaviour: Vec<_> = of(ChangeLevel::Behaviour).collect();
        if !behaviour.is_empty() {
            writeln!(out, "{BOLD}behaves differently{BOLD:#}")?;
            behaviour.into_iter().try_for_each(|change| change::in_short(change, out))?;
            writeln!(out)?;
        }
        let cosmetic: Vec<_> = of(ChangeLevel::Cosmetic).collect();
        if !cosmetic.is_empty() {
            writeln!(out, "{BOLD}cosmetic{BOLD:#}")?;
            cosmetic.into_iter().try_for_each(|change| change::in_a_line(change, out))?;
            writeln!(out)?;
        }
        summary(report, deployment, out)?;
    }
    Ok(())
}

fn header(report: &UpgradeReport, deployment: &UpgradedDeployment, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", plain(&deployment.path))?;
    writeln!(out, "  nginx       {}", step(&report.from.nginx, &report.to.nginx))?;
    writeln!(out, "  Prometheus  {}\n", step(&report.from.prometheus, &report.to.prometheus))?;
    summary(report, deployment, out)?;
    writeln!(out)
}

fn step(from: &Program, to: &Program) -> String {
    let one = |program: &Program| plain(&format!("{} ({})", program.version, program.source));
    if from == to { format!("{}, the same", one(from)) } else { format!("{} -> {}", one(from), one(to)) }
}

fn summary(report: &UpgradeReport, deployment: &UpgradedDeployment, out: &mut dyn Write) -> io::Result<()> {
    let count = |level| deployment.changes.iter().filter(|change| change.level == level).count();
    match deployment.changes.len() {
        0 => write!(out, "nothing changes: ")?,
        _ => write!(
            out,
            "{} breaking, {} behaviour, {} cosmetic: ",
            count(ChangeLevel::Breaking),
            count(ChangeLevel::Behaviour),
            count(ChangeLevel::Cosmetic)
        )?,
    }
    match report.verdict {
        Verdict::Pass => writeln!(out, "{GOOD}PASS{GOOD:#}"),
        Verdict::Fail => writeln!(out, "{BAD}FAIL{BAD:#}"),
    }
}
