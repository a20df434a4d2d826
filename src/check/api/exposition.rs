//! The text exposition format, as far as a proxy can break it.

use std::collections::BTreeSet;

/// A line that is no sample and no comment.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {number} is neither a sample nor a comment: {text:?}")]
pub(super) struct BadLine {
    number: usize,
    text: String,
}

/// The names of the metrics of a page.
pub(super) fn names(text: &str) -> Result<BTreeSet<&str>, BadLine> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            sample_name(line).ok_or_else(|| BadLine { number: index + 1, text: line.chars().take(60).collect() })
        })
        .collect()
}

/// The name of a sample line `name{labels} value timestamp`.
fn sample_name(line: &str) -> Option<&str> {
    let end = line.find(['{', ' ', '\t'])?;
    let (name, rest) = line.split_at(end);
    let first_is_letter = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
    let all_are_fit = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let values = if rest.starts_with('{') { after_labels(rest)? } else { rest };
    let mut values = values.split_whitespace();
    let value = values.next()?;
    let timestamp = values.next();
    let fit = first_is_letter
        && all_are_fit
        && value.parse::<f64>().is_ok()
        && timestamp.is_none_or(|timestamp| timestamp.parse::<f64>().is_ok())
        && values.next().is_none();
    fit.then_some(name)
}

/// What follows the closing brace; one inside a quoted value does not close.
fn after_labels(rest: &str) -> Option<&str> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(&rest[index + 1..]),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_with_labels_values_and_timestamps_are_read() {
        let text = "# HELP up x\nup 1\nhttp_requests_total{path=\"/a}b \\\" c\",code=\"200\"} 1.5e3 1700000000\nx NaN\ny +Inf\n";
        let names = names(text).expect("all lines are samples");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["http_requests_total", "up", "x", "y"]);
    }

    #[test]
    fn a_page_of_html_is_no_exposition() {
        let error = names("<html>\n<body>404</body>\n").expect_err("no samples");
        assert_eq!(error.number, 1);
    }

    #[test]
    fn a_line_cut_short_is_no_sample() {
        assert!(names("up{job=\"a").is_err());
        assert!(names("up{job=\"a\"}").is_err());
    }
}
