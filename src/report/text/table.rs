//! Text in columns. Widths are fixed, so that a report reads the same in a terminal, a file and a log.

use std::io::{self, Write};

const LINE: usize = 100;
const GAP: usize = 2;
/// A cell that is longer than this runs over its column instead of pushing all the others away.
const WIDEST_CELL: usize = 48;

/// Writes short words in as few lines as they need, downwards and then across, like `ls`.
pub(super) fn columns(words: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let width = GAP + words.iter().map(|word| word.chars().count()).max().unwrap_or(0);
    let lines = words.len().div_ceil((LINE / width).max(1));
    for line in 0..lines {
        let mut text = " ".repeat(GAP);
        for word in words.iter().skip(line).step_by(lines) {
            text.push_str(&format!("{word:width$}"));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Writes rows with each column as wide as its widest cell.
pub(super) fn aligned<const N: usize>(rows: &[[String; N]], out: &mut dyn Write) -> io::Result<()> {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.filter(|width| *width <= WIDEST_CELL).max().unwrap_or(0)
    });
    for row in rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(widths).filter(|(cell, width)| *width > 0 || !cell.is_empty()) {
            text.push_str(&format!("{:GAP$}{cell:width$}", ""));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
