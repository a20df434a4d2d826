//! Which part of a source line a finding underlines.

use std::ops::Range;

/// The bytes of `line` that a place at `column` (in characters, from 1) means: a whole directive up to its `;` or `{`
/// where one begins there, else the one word. A column past the end is the end.
pub(super) fn underlined(line: &str, column: usize) -> Range<usize> {
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(index, _)| index);
    let (before, rest) = line.split_at(start);
    let text = &rest[..end_of_directive(rest)];
    let length = if begins_directive(before) { text.trim_end().len() } else { end_of_word(text) };
    let least = rest.chars().next().map_or(0, char::len_utf8);
    start..start + length.max(least)
}

fn begins_directive(before: &str) -> bool {
    before.trim_end().is_empty() || before.trim_end().ends_with(['{', '}', ';'])
}

/// As nginx reads it: neither a quoted `;` ends a directive nor does the brace of `${name}` or a `#` within a word.
fn end_of_directive(text: &str) -> usize {
    let mut quote = None;
    let mut previous = ' ';
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open && previous != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if previous.is_whitespace() => quote = Some(character),
            (None, '{') if previous == '$' => {}
            (None, ';' | '{') => return index,
            (None, '#') if previous.is_whitespace() => return index,
            _ => {}
        }
        previous = character;
    }
    text.len()
}

fn end_of_word(text: &str) -> usize {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(text.len(), |end| end + 2),
        _ => text.find(char::is_whitespace).unwrap_or(text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::underlined;

    fn text(line: &str, column: usize) -> &str {
        &line[underlined(line, column)]
    }

    #[test]
    fn a_directive_is_underlined_to_its_end() {
        assert_eq!(text("    listen 443 ssl; # TLS", 5), "listen 443 ssl");
        assert_eq!(text("location /prometheus/ {", 1), "location /prometheus/");
        assert_eq!(text("events {} user a;", 11), "user a");
        assert_eq!(text("log_format main '$a;'", 1), "log_format main '$a;'");
        assert_eq!(text("set $x ${y}z;", 1), "set $x ${y}z");
        assert_eq!(text("listen # on every address", 1), "listen");
    }

    #[test]
    fn an_argument_is_underlined_alone() {
        assert_eq!(text("listen 443 ssl;", 8), "443");
        assert_eq!(text("add_header a \"b c\" always;", 14), "\"b c\"");
        assert_eq!(text("server_name a.example b.example;", 23), "b.example");
    }

    #[test]
    fn a_place_that_is_not_there_is_the_end() {
        assert_eq!(underlined("events {}", 40), 9..9);
        assert_eq!(underlined("", 1), 0..0);
        assert_eq!(text("events {}", 8), "{");
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(text("\troot /srv/ä ö;", 7), "/srv/ä");
        assert_eq!(text("root /srv/ä ö;", 13), "ö");
    }
}
