//! One finding: what is wrong, the line that causes it, and what mends it.

use std::io::{self, Write};

use annotate_snippets::renderer::Renderer;
use annotate_snippets::{AnnotationKind, Element, Group, Level as Shown, Origin, Snippet, normalize_untrusted_str};

use super::BOLD;
use super::span::underlined;
use crate::finding::{Finding, Level};
use crate::location::Location;
use crate::report::SourceText;

pub(super) fn render(finding: &Finding, files: &[SourceText], out: &mut dyn Write) -> io::Result<()> {
    let level = match finding.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
        Level::Note => Shown::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(finding.message.as_str()).id(finding.check));
    if let Some(location) = &finding.location {
        group = group.element(place(location, files));
    }
    for (level, name, text) in [
        (Shown::NOTE, "expected", &finding.expected),
        (Shown::NOTE, "actual", &finding.actual),
        (Shown::HELP, "fix", &finding.fix),
    ] {
        if !text.is_empty() {
            group = group.element(level.with_name(name).message(text.as_str()));
        }
    }
    writeln!(out, "{}", Renderer::styled().render(&[group]))?;
    if let Some(command) = &finding.reproduce {
        writeln!(out, "  {BOLD}show it again:{BOLD:#}")?;
        // On lines of its own, so that it can be copied.
        for line in command.lines() {
            writeln!(out, "    {}", normalize_untrusted_str(line))?;
        }
    }
    writeln!(out)
}

/// The line with a mark below it, or the bare name of the place where the text is not at hand.
pub(crate) fn place<'a>(location: &'a Location, files: &'a [SourceText]) -> Element<'a> {
    let line = files
        .iter()
        .find(|source| source.file == location.file)
        .and_then(|source| source.text.lines().nth(location.line.checked_sub(1)?));
    match line {
        Some(line) => Snippet::source(line)
            .path(&*location.file)
            .line_start(location.line)
            .annotation(AnnotationKind::Primary.span(underlined(line, location.column)))
            .into(),
        None => Origin::path(&*location.file).line(location.line).char_column(location.column).into(),
    }
}
