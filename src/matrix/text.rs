//! The table for people: an nginx a line, a Prometheus a column.

use std::io::{self, Write};

use annotate_snippets::normalize_untrusted_str as plain;

use super::{Cell, CellVerdict, MatrixReport};
use crate::finding::Level;
use crate::report::text::{BAD, BOLD, GOOD, Many};
use crate::report::{Program, Programs, Verdict};

/// Writes the table. With `findings`, what made each combination fail follows it: findings at or above `fail_on`.
///
/// # Errors
///
/// Those of `out`.
pub fn render(report: &MatrixReport, findings: bool, fail_on: Level, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#} on {}\n", plain(&report.path), report.runtime)?;
    table(report, out)?;
    writeln!(out)?;
    if findings {
        report.cells.iter().try_for_each(|cell| show(cell, fail_on, out))?;
    }
    newest(report, out)?;
    match report.verdict {
        Verdict::Pass => writeln!(out, "{GOOD}PASS{GOOD:#}"),
        Verdict::Fail if findings => writeln!(out, "{BAD}FAIL{BAD:#}"),
        Verdict::Fail => writeln!(
            out,
            "What was found is shown by --findings, and by `check` with one combination: {BAD}FAIL{BAD:#}"
        ),
    }
}

fn table(report: &MatrixReport, out: &mut dyn Write) -> io::Result<()> {
    let columns = distinct(report.cells.iter().map(|cell| &cell.programs.prometheus));
    let rows = distinct(report.cells.iter().map(|cell| &cell.programs.nginx));
    let mut lines = vec![heading(&columns, |program| format!("Prometheus {}", program.version))];
    lines.push(heading(&columns, |program| program.source.clone()));
    for row in rows {
        let name = (format!("nginx {} ({})", plain(&row.version), plain(&row.source)), None);
        let cells = columns.iter().map(|column| {
            let found =
                report.cells.iter().find(|cell| cell.programs.nginx == *row && cell.programs.prometheus == **column);
            found.map_or_else(|| (String::new(), None), word)
        });
        lines.push(std::iter::once(name).chain(cells).collect());
    }
    let width = |column: usize| lines.iter().map(|line| line[column].0.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
    for line in &lines {
        let mut text = String::new();
        for ((word, verdict), width) in line.iter().zip(&widths) {
            let gap = " ".repeat(width - word.chars().count());
            match verdict {
                Some(true) => text.push_str(&format!("  {GOOD}{word}{GOOD:#}{gap}")),
                Some(false) => text.push_str(&format!("  {BAD}{word}{BAD:#}{gap}")),
                None => text.push_str(&format!("  {word}{gap}")),
            }
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// A word of the table, and whether it is good or bad where it is a verdict.
type Word = (String, Option<bool>);

fn heading(columns: &[&Program], word: impl Fn(&Program) -> String) -> Vec<Word> {
    let words = columns.iter().map(|program| (plain(&word(program)), None));
    std::iter::once((String::new(), None)).chain(words).collect()
}

fn word(cell: &Cell) -> Word {
    let found = [(Level::Error, "error"), (Level::Warning, "warning")].into_iter().find_map(|(level, name)| {
        let count = cell.count(level);
        (count > 0).then(|| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
    });
    match cell.verdict {
        CellVerdict::Pass => (found.map_or("pass".to_owned(), |found| format!("pass, {found}")), Some(true)),
        CellVerdict::Fail => (found.map_or("FAIL".to_owned(), |found| format!("FAIL, {found}")), Some(false)),
        CellVerdict::NginxRefuses => ("nginx refuses".to_owned(), Some(false)),
        CellVerdict::PrometheusRefuses => ("Prometheus refuses".to_owned(), Some(false)),
    }
}

fn distinct<'a>(programs: impl Iterator<Item = &'a Program>) -> Vec<&'a Program> {
    let mut distinct = Vec::new();
    programs.for_each(|program| {
        if !distinct.contains(&program) {
            distinct.push(program);
        }
    });
    distinct
}

/// What made a combination fail.
fn show(cell: &Cell, fail_on: Level, out: &mut dyn Write) -> io::Result<()> {
    if cell.verdict == CellVerdict::Pass {
        return Ok(());
    }
    if let Some(message) = &cell.message {
        writeln!(out, "{BOLD}{}{BOLD:#}: Prometheus does not start\n", pair(&cell.programs))?;
        let last: Vec<&str> = message.lines().rev().take(5).collect();
        last.iter().rev().try_for_each(|line| writeln!(out, "  {}", plain(line)))?;
        return writeln!(out);
    }
    Many::new(fail_on).one(&cell.deployments, out)
}

fn newest(report: &MatrixReport, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = report.newest_clean.iter().map(pair).collect();
    match names.is_empty() {
        true => writeln!(out, "No combination is clean."),
        false => writeln!(out, "The newest that is clean: {}", names.join("; ")),
    }
}

fn pair(programs: &Programs) -> String {
    let one =
        |name: &str, program: &Program| format!("{name} {} ({})", plain(&program.version), plain(&program.source));
    format!("{} with {}", one("nginx", &programs.nginx), one("Prometheus", &programs.prometheus))
}
