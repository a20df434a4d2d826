//! Files of variables: systemd's `EnvironmentFile`, compose's `.env`, Debian's `/etc/default/prometheus`.

use super::super::DeploymentError;
use super::super::source_text::SourceText;
use super::flag::{self, PrometheusFlag};
use super::start::{Input, Start};
use super::words;

/// A variable as a file sets it.
pub(super) struct Assignment<'a> {
    pub(super) name: &'a str,
    /// Its value, without quotes.
    pub(super) value: String,
    /// Where its line begins and ends, in bytes.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Whether a text has nothing but variables.
pub(super) fn is_one(text: &str) -> bool {
    let assignments = assignments(text);
    !assignments.is_empty() && assignments.iter().all(Option::is_some)
}

/// The variables of a file; what is none is left out.
pub(super) fn read(text: &str) -> Vec<Assignment<'_>> {
    assignments(text).into_iter().flatten().collect()
}

/// One for each line that says something, which goes on behind a backslash or within quotes.
fn assignments(text: &str) -> Vec<Option<Assignment<'_>>> {
    let mut found = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let to = end_of_statement(text, from);
        let line = text[from..to].trim();
        if !line.is_empty() && !line.starts_with(['#', ';']) {
            found.push(assignment(line, from, to));
        }
        from = to;
    }
    found
}

fn end_of_statement(text: &str, from: usize) -> usize {
    let comment = text[from..].trim_start().starts_with(['#', ';']);
    let mut quote = None;
    let mut escaped = false;
    for (offset, c) in text[from..].char_indices() {
        match c {
            '\n' if !escaped && (quote.is_none() || comment) => return from + offset + 1,
            '\'' | '"' if !escaped && quote.is_none() => quote = Some(c),
            c if !escaped && quote == Some(c) => quote = None,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

fn assignment(line: &str, from: usize, to: usize) -> Option<Assignment<'_>> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    words::is_name(name).then(|| Assignment { name, value: unquoted(value.trim()), from, to })
}

/// What a value stands for: its words as they are, spaces between them and the quotes in the middle included.
fn unquoted(value: &str) -> String {
    let joined = value.replace("\\\n", " ");
    let quote = joined.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote.and_then(|quote| joined.strip_prefix(quote)?.strip_suffix(quote)) {
        Some(inner) if joined.starts_with('"') => inner.replace("\\\"", "\"").replace("\\$", "$"),
        Some(inner) => inner.to_owned(),
        None => joined,
    }
}

/// What an environment file alone says of the command line: Debian's has it in `ARGS`.
pub(super) fn start(input: &Input<'_>) -> Result<Start, DeploymentError> {
    let assignments = read(input.text);
    let with_flags: Vec<_> = assignments.iter().filter(|assignment| is_command_line(&assignment.value)).collect();
    let chosen = with_flags.iter().rfind(|assignment| assignment.name == "ARGS").or(match with_flags.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    let empty = assignments.iter().rfind(|assignment| assignment.name == "ARGS");
    let Some(chosen) = chosen.copied().or(empty) else {
        let names: Vec<_> = with_flags.iter().map(|assignment| assignment.name).collect();
        return Err(match names.is_empty() {
            true => input.wrong(
                "none of its variables holds flags",
                "Pass the one with ARGS=\"--…\", or the unit that starts Prometheus",
            ),
            false => input.wrong(
                format!("several of its variables hold flags: {}", names.join(", ")),
                "Pass the unit that says which of them Prometheus gets",
            ),
        });
    };
    let source = SourceText::new(&input.file, input.text);
    let location = source.location(chosen.from);
    let words = words::systemd(&chosen.value).ok_or_else(|| unclosed(location.clone()))?;
    let mut flags =
        flag::joined(words.into_iter().map(|word| PrometheusFlag { text: word, location: Some(location.clone()) }));
    flag::located(&mut flags, input.text, chosen.from, chosen.to, |offset| source.location(offset));
    let what = format!("the variable {}", chosen.name);
    Ok(Start { what, names: Vec::new(), flags, mounts: Vec::new(), ports: Vec::new(), location, is_of_this_host: true })
}

fn is_command_line(value: &str) -> bool {
    value.trim_start().starts_with('-')
}

pub(super) fn unclosed(location: crate::location::Location) -> DeploymentError {
    DeploymentError::Syntax {
        location,
        problem: "a quote in this command line is never closed".to_owned(),
        fix: "Add the quote that closes it".to_owned(),
    }
}
