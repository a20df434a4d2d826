//! What nginx takes for text or space, and the parser's lexer takes for syntax, is written over before parsing.
//!
//! nginx starts a comment right after `;`, ends lines with CR LF, and takes a quote in the middle of a word for a letter;
//! the lexer of nginx-lint-parser does not, and knows no Lua. The result has the same length, so that every offset holds
//! in the original.

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

/// What a character belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    Plain,
    Quoted,
    Comment,
    Lua,
}

/// A character as nginx reads it.
pub(super) struct Seen {
    pub(super) offset: usize,
    pub(super) c: char,
    pub(super) region: Region,
    shown: Shown,
}

#[derive(Clone, Copy)]
enum Shown {
    AsIs,
    As(char),
}

/// The same configuration for the lexer, or the offset of the quote that is never closed.
pub(super) fn normalise(text: &str) -> Result<String, usize> {
    let mut out = String::with_capacity(text.len());
    let mut reading = Reading::of(text);
    for seen in &mut reading {
        match seen.shown {
            Shown::AsIs => out.push(seen.c),
            Shown::As(filler) => out.extend(std::iter::repeat_n(filler, seen.c.len_utf8())),
        }
    }
    match reading.state {
        State::Quoted { start, .. } | State::EscapedInQuotes { start, .. } => Err(start),
        _ => Ok(out),
    }
}

/// Reads a text character by character.
pub(super) struct Reading<'a> {
    text: &'a str,
    chars: std::str::CharIndices<'a>,
    state: State,
    /// The first word of the directive that is being read, as far as it has come.
    name: Option<(usize, usize)>,
    lua_until: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, chars: text.char_indices(), state: State::Between, name: None, lua_until: 0 }
    }

    /// Follows the name of the directive, and sees where its block is Lua.
    fn follow(&mut self, offset: usize, c: char, before: State) {
        let end = offset + c.len_utf8();
        match (self.state, c) {
            (State::Between, '{') if self.name.is_some_and(|(from, to)| lua::is_block(&self.text[from..to])) => {
                self.lua_until = end + lua::body_length(&self.text[end..]);
                self.name = None;
            }
            (State::Between, ';' | '{' | '}') => self.name = None,
            (State::Word | State::Dollar | State::Braced, _) => match (&mut self.name, before) {
                (None, _) => self.name = Some((offset, end)),
                (Some((_, to)), State::Word) if *to == offset => *to = end,
                _ => {}
            },
            _ => {}
        }
    }
}

impl Iterator for Reading<'_> {
    type Item = Seen;

    fn next(&mut self) -> Option<Seen> {
        let (offset, c) = self.chars.next()?;
        if offset < self.lua_until {
            let shown = if c == '\n' { Shown::AsIs } else { Shown::As(' ') };
            return Some(Seen { offset, c, region: Region::Lua, shown });
        }
        let before = self.state;
        let (next, shown) = step(before, c, offset);
        self.state = next;
        self.follow(offset, c, before);
        Some(Seen { offset, c, region: region(before, next), shown })
    }
}

fn region(before: State, after: State) -> Region {
    match (before, after) {
        (State::Comment, _) | (_, State::Comment) => Region::Comment,
        (State::Quoted { .. } | State::EscapedInQuotes { .. }, _) | (_, State::Quoted { .. }) => Region::Quoted,
        _ => Region::Plain,
    }
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
            ("x; set_by_lua_block $x { -- it's }\n}} ", "x; set_by_lua_block $x {          \n}} "),
            ("a _by_lua_block { 'b' }", "a _by_lua_block { 'b' }"),
        ] {
            assert_eq!(normalise(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_open_quote_is_found() {
        assert_eq!(normalise("a;\nb \"c;\n}"), Err(5));
        assert_eq!(normalise("a 'b\\'"), Err(2));
    }

    #[test]
    fn characters_belong_to_text_comments_or_code() {
        let text = "a 'b'; #c\nx_by_lua_block {d}";
        let regions: Vec<_> = Reading::of(text).map(|seen| seen.region).collect();
        let of = |c: char| regions[text.find(c).unwrap()];
        assert_eq!((of('a'), of('b')), (Region::Plain, Region::Quoted));
        assert_eq!(of('c'), Region::Comment);
        assert_eq!((of('x'), of('d'), of('}')), (Region::Plain, Region::Lua, Region::Plain));
    }
}
