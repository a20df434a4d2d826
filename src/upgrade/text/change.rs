//! One change: in full with its line, in short, or in one line.

use std::io::{self, Write};

use annotate_snippets::renderer::Renderer;
use annotate_snippets::{Group, Level as Shown, normalize_untrusted_str as plain};

use super::BOLD;
use crate::report::SourceText;
use crate::report::text::place;
use crate::upgrade::Change;

/// With the line that it concerns, as a finding of `check` is shown.
pub(super) fn in_full(change: &Change, files: &[SourceText], out: &mut dyn Write) -> io::Result<()> {
    let title = Shown::ERROR.with_name("breaking").primary_title(change.what.as_str());
    let mut group = Group::with_title(title.id(by(change)));
    if let Some(location) = &change.location {
        group = group.element(place(location, files));
    }
    let source = change.source.unwrap_or_default();
    for (level, name, text) in [
        (Shown::NOTE, "before", change.before.as_str()),
        (Shown::NOTE, "after", change.after.as_str()),
        (Shown::HELP, "advice", change.advice.as_str()),
        (Shown::NOTE, "source", source),
    ] {
        if !text.is_empty() {
            group = group.element(level.with_name(name).message(text));
        }
    }
    writeln!(out, "{}\n", Renderer::styled().render(&[group]))
}

/// What changes, from what to what, and where.
pub(super) fn in_short(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {BOLD}[{}]{BOLD:#} {}{}", by(change), plain(&change.what), at(change))?;
    writeln!(out, "      {} -> {}", plain(&change.before), plain(&change.after))?;
    let advice = [change.advice.as_str(), change.source.unwrap_or_default()];
    advice.into_iter().filter(|text| !text.is_empty()).try_for_each(|text| writeln!(out, "      {}", plain(text)))
}

/// What changes.
pub(super) fn in_a_line(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  [{}] {}{}", by(change), plain(&change.what), at(change))
}

fn by(change: &Change) -> &'static str {
    change.by.map_or("unknown", super::super::By::name)
}

fn at(change: &Change) -> String {
    change.location.as_ref().map(|location| format!(" ({})", plain(&location.to_string()))).unwrap_or_default()
}
