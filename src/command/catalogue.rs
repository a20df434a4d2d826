//! `proxyproof checks` and `proxyproof explain`: the words of the catalogue.

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
        let _ = write!(text, "\n{heading}\n{}", wrapped(words));
    }
    text
}

/// Lines of at most 78 characters, indented.
fn wrapped(words: &str) -> String {
    let mut text = String::new();
    let mut line = String::from(" ");
    for word in words.split_whitespace() {
        if line.len() + word.len() > 78 && line.len() > 1 {
            text.push_str(&line);
            text.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
    text
}
