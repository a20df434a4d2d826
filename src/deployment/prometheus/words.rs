//! The words of a command line, as systemd and shells split them, and the variables in them.

use std::iter::Peekable;
use std::str::Chars;

/// Names with their values, the last of a name being the one that counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Vec<(String, String)>);

impl Variables {
    pub(super) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// A script with its variables filled in, but for those between single quotes. Unknown ones stay.
    pub(super) fn expanded_in_shell(&self, script: &str) -> String {
        let mut out = String::new();
        let mut rest = script;
        let (mut single, mut double) = (false, false);
        while let Some(c) = rest.chars().next() {
            match c {
                '\'' if !double => single = !single,
                '"' if !single => double = !double,
                '$' if !single => {
                    if let Some((name, after)) = variable(rest)
                        && let Some(value) = self.get(name)
                    {
                        out.push_str(value);
                        rest = after;
                        continue;
                    }
                }
                _ => {}
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
        out
    }
}

/// The name of the variable at the start of `text`, as `$NAME` or `${NAME}`, and what follows it.
pub(super) fn variable(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('$')?;
    if let Some(braced) = text.strip_prefix('{') {
        let (name, after) = braced.split_once('}')?;
        return is_name(name).then_some((name, after));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    is_name(name).then_some((name, after))
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A word of a script, or what ends a command in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    Text(String),
    Operator,
}

/// The words of a shell's script.
pub(super) fn script(text: &str) -> Vec<Word> {
    Splitter::of(text, Dialect::Script).split().0
}

/// The words of a shell's command line that is no script; none if a quote is not closed.
pub(super) fn shell(text: &str) -> Option<Vec<String>> {
    texts(Splitter::of(text, Dialect::Words).split())
}

/// The words of systemd's; none if a quote is not closed.
pub(super) fn systemd(text: &str) -> Option<Vec<String>> {
    texts(Splitter::of(text, Dialect::Systemd).split())
}

fn texts((words, closed): (Vec<Word>, bool)) -> Option<Vec<String>> {
    let texts = words.into_iter().filter_map(|word| match word {
        Word::Text(text) => Some(text),
        Word::Operator => None,
    });
    closed.then(|| texts.collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Words,
    Script,
    Systemd,
}

struct Splitter<'a> {
    chars: Peekable<Chars<'a>>,
    dialect: Dialect,
    words: Vec<Word>,
    word: Option<String>,
}

impl<'a> Splitter<'a> {
    fn of(text: &'a str, dialect: Dialect) -> Self {
        Self { chars: text.chars().peekable(), dialect, words: Vec::new(), word: None }
    }

    /// The words, and whether every quote is closed.
    fn split(mut self) -> (Vec<Word>, bool) {
        let mut closed = true;
        while let Some(c) = self.chars.next() {
            match c {
                '\'' | '"' => closed = self.quoted(c),
                '\\' => self.escaped(None),
                '#' if self.dialect == Dialect::Script && self.word.is_none() => {
                    while self.chars.next_if(|c| *c != '\n').is_some() {}
                }
                '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' if self.dialect == Dialect::Script => {
                    self.finish();
                    self.words.push(Word::Operator);
                }
                c if c.is_whitespace() => self.finish(),
                c => self.push(c),
            }
        }
        self.finish();
        (self.words, closed)
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn finish(&mut self) {
        self.words.extend(self.word.take().map(Word::Text));
    }

    fn quoted(&mut self, quote: char) -> bool {
        self.word.get_or_insert_default();
        while let Some(c) = self.chars.next() {
            match c {
                c if c == quote => return true,
                '\\' if self.dialect == Dialect::Systemd || quote == '"' => self.escaped(Some(quote)),
                c => self.push(c),
            }
        }
        false
    }

    /// What a backslash makes of the next character.
    fn escaped(&mut self, quote: Option<char>) {
        let Some(next) = self.chars.next() else { return self.push('\\') };
        match (self.dialect, next) {
            (Dialect::Systemd, 'n') => self.push('\n'),
            (Dialect::Systemd, 't') => self.push('\t'),
            (Dialect::Systemd, 's') => self.push(' '),
            (Dialect::Systemd, 'x') => self.hexadecimal(),
            (Dialect::Systemd, '\\' | '"' | '\'') => self.push(next),
            (Dialect::Systemd, _) => ['\\', next].into_iter().for_each(|c| self.push(c)),
            (_, '\n') => {}
            (_, '"' | '\\' | '$' | '`') => self.push(next),
            (_, _) if quote.is_some() => ['\\', next].into_iter().for_each(|c| self.push(c)),
            _ => self.push(next),
        }
    }

    fn hexadecimal(&mut self) {
        let digits: String = self.chars.clone().take(2).collect();
        match u8::from_str_radix(&digits, 16) {
            Ok(byte) if byte.is_ascii() => {
                self.chars.nth(1);
                self.push(char::from(byte));
            }
            _ => "\\x".chars().for_each(|c| self.push(c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_each_does_it() {
        assert_eq!(shell(r#"a 'b "c' "d\"e\n" f\ g"#).unwrap(), ["a", "b \"c", "d\"e\\n", "f g"]);
        assert_eq!(systemd(r#"a 'b\'c' "d\x20e" --f="g h" \s"#).unwrap(), ["a", "b'c", "d e", "--f=g h", " "]);
        assert_eq!(shell("a 'b"), None);
        assert_eq!(systemd("''").unwrap(), [""]);
    }

    #[test]
    fn variables_between_single_quotes_stay() {
        let variables = Variables::of([("A".to_owned(), "1".to_owned())]);
        assert_eq!(variables.expanded_in_shell("$A ${A}b '$A' \"'$A'\" $B $AB"), "1 1b '$A' \"'1'\" $B $AB");
    }
}
