//! `proxyproof checks` and `proxyproof explain`: the words of the catalogue.

mod glossary;

use std::fmt::Write;

use proxyproof::{CATALOGUE, Check, View};

/// All checks, one a line: the id, the level, whether `probe` asks it, and what it asks.
pub(super) fn list() -> String {
    let width = CATALOGUE.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let lines = CATALOGUE.iter().map(|check| {
        let probe = if check.view == View::Outside { "probe" } else { "" };
        format!("{:width$}  {:7}  {probe:5}  {}\n", check.id, check.level.name(), check.what)
    });
    lines.collect()
}

/// One check: what it asks, why, and how to mend what it finds. Unknown ids don't come this far.
pub(super) fn explain(id: &str) -> String {
    let Some(check) = CATALOGUE.iter().find(|check| check.id == id) else {
        return String::new();
    };
    let Check { id, level, what, why, fix, source, view, .. } = check;
    let mut text = format!("{id} ({})\n", level.name());
    let probe = match view {
        View::Outside => "asks it too",
        View::Inside(reason) => reason,
    };
    for (heading, words) in
        [("What", *what), ("Why", *why), ("Fix", *fix), ("Source", *source), ("proxyproof probe", probe)]
    {
        // Writing to a String can't fail.
        let _ = write!(text, "\n{heading}\n{}", wrapped("  ", words));
    }
    let words = glossary::words_in(&[check.what, check.why, check.fix]);
    if !words.is_empty() {
        text.push_str("\nWords\n");
    }
    for (word, meaning) in words {
        text.push_str(&wrapped("    ", &format!("{word}: {meaning}"))[2..]);
    }
    text
}

/// Lines of at most 78 characters, indented.
fn wrapped(indent: &str, words: &str) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in words.split_whitespace() {
        if indent.len() + line.len() + word.len() > 77 && !line.is_empty() {
            let _ = writeln!(text, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{indent}{line}");
    text
}
