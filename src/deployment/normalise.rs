//! What nginx takes for text or space, and the parser's lexer takes for syntax, is written over before parsing.
//!
//! nginx starts a comment right after `;`, ends lines with CR LF, and takes a quote in the middle of a word for a letter;
//! the lexer of nginx-lint-parser does not. The result has the same length, so that every offset holds in the original.

use super::lua;

/// Where in the text the reading is, by the rules of `ngx_conf_read_token`.
#[derive(Clone, Copy)]
enum State {
    Between,
    Comment,
    Word,
    EscapedInWord,
    Dollar,
    Braced,
    Quoted { quote: char, start: usize },
    EscapedInQuotes { quote: char, start: usize },
}

/// The same configuration for the lexer, or the offset of the quote that is never closed.
pub(super) fn normalise(text: &str) -> Result<String, usize> {
    let mut out = String::with_capacity(text.len());
    let (mut state, mut directive, mut lua_end) = (State::Between, None, 0);
    for (offset, c) in text.char_indices() {
        if offset < lua_end {
            blank(c, &mut out);
            continue;
        }
        match c {
            _ if !matches!(state, State::Between | State::Word) => {}
            '{' if lua::is_block_of(first_word(text, directive)) => {
                let code = &text[offset + 1..];
                lua_end = offset + 1 + lua::end(code).unwrap_or(code.len());
                directive = None;
            }
            ';' | '{' | '}' => directive = None,
            '#' => {}
            c if !c.is_whitespace() => directive = directive.or(Some(offset)),
            _ => {}
        }
        let (next, shown) = step(state, c, offset);
        match shown {
            Shown::AsIs => out.push(c),
            Shown::As(filler) => out.extend(std::iter::repeat_n(filler, c.len_utf8())),
        }
        state = next;
    }
    match state {
        State::Quoted { start, .. } | State::EscapedInQuotes { start, .. } => Err(start),
        _ => Ok(out),
    }
}

/// The name of the directive that starts there.
fn first_word(text: &str, start: Option<usize>) -> &str {
    let from = start.map_or("", |start| &text[start..]);
    from.split([' ', '\t', '\r', '\n', '{', ';']).next().unwrap_or_default()
}

/// What stands in a block of Lua is nothing to the lexer; where its lines end is.
fn blank(c: char, out: &mut String) {
    match c {
        '\n' => out.push(c),
        _ => out.extend(std::iter::repeat_n(' ', c.len_utf8())),
    }
}

enum Shown {
    AsIs,
    As(char),
}

fn step(state: State, c: char, offset: usize) -> (State, Shown) {
    match (state, c) {
        (State::Between, '#') => (State::Comment, Shown::As(' ')),
        (State::Between, '"' | '\'') => (State::Quoted { quote: c, start: offset }, Shown::AsIs),
        (State::Comment, '\n') => (State::Between, Shown::AsIs),
        (State::Comment, _) => (State::Comment, Shown::As(' ')),
        (State::Quoted { quote, start }, '\\') => (State::EscapedInQuotes { quote, start }, Shown::AsIs),
        (State::Quoted { quote, .. }, _) if c == quote => (State::Between, Shown::AsIs),
        (State::EscapedInQuotes { quote, start }, _) => (State::Quoted { quote, start }, Shown::AsIs),
        (State::Quoted { .. }, _) => (state, Shown::AsIs),
        (State::EscapedInWord, _) => (State::Word, Shown::As('_')),
        (State::Dollar, '{') => (State::Braced, Shown::AsIs),
        (State::Braced, '}') => (State::Word, Shown::AsIs),
        (State::Braced, _) => (State::Braced, Shown::AsIs),
        (State::Between | State::Word | State::Dollar, _) => step_in_word(c),
    }
}

fn step_in_word(c: char) -> (State, Shown) {
    match c {
        ' ' | '\t' | '\n' | ';' | '{' | '}' => (State::Between, Shown::AsIs),
        '\r' => (State::Between, Shown::As(' ')),
        '\\' => (State::EscapedInWord, Shown::As('_')),
        '$' => (State::Dollar, Shown::AsIs),
        // A quote within a word, and space that only Unicode knows, are letters to nginx.
        '"' | '\'' => (State::Word, Shown::As('_')),
        _ if c.is_whitespace() => (State::Word, Shown::As('_')),
        _ => (State::Word, Shown::AsIs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_stays_and_only_what_misleads_the_lexer_changes() {
        for (text, expected) in [
            ("a b;#c'é\nd;", "a b;     \nd;"),
            ("a;\r\nb;", "a; \nb;"),
            ("set $x it's;", "set $x it_s;"),
            (r"a \;b;", "a __b;"),
            (r#"a "b # \" c" '#';"#, r#"a "b # \" c" '#';"#),
            ("a b#c ${d'e};", "a b#c ${d'e};"),
            ("a\u{a0}b;", "a__b;"),
            ("set_by_lua_block $a{ '}'\n--\"é{\n} b;", "set_by_lua_block $a{    \n      \n} b;"),
            ("# x_by_lua_block {\na 'x_by_lua_block {';", "                  \na 'x_by_lua_block {';"),
        ] {
            assert_eq!(normalise(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_open_quote_is_found() {
        assert_eq!(normalise("a;\nb \"c;\n}"), Err(5));
        assert_eq!(normalise("a 'b\\'"), Err(2));
    }
}
