//! From text to directives, by nginx-lint-parser; its errors with the place that has to be mended.

use std::sync::Arc;

use nginx_lint_parser::lexer_rowan::tokenize;
use nginx_lint_parser::syntax_kind::{SyntaxKind, SyntaxNode};
use nginx_lint_parser::{is_raw_block_directive, parser};

use super::directive::{Argument, Directive};
use super::normalise::normalise;
use super::source_text::SourceText;
use super::{DeploymentError, blocks, word};

pub(super) const MAX_DEPTH: usize = 100;
/// What is read within a second, and in less memory than a run of Prometheus takes.
pub(super) const MAX_WORDS: usize = 200_000;

/// The directives of one file.
pub(super) fn parse(file: &Arc<str>, text: &str) -> Result<Vec<Directive>, DeploymentError> {
    parse_source(&SourceText::new(file, text))
}

/// The directives of one file, placed in the text that the user wrote.
pub(super) fn parse_source(source: &SourceText<'_>) -> Result<Vec<Directive>, DeploymentError> {
    let text = source.text;
    if text.starts_with('\u{feff}') {
        let fix = "Save the file as UTF-8 without it";
        return Err(syntax_error(source, 0, "the file starts with a byte order mark, which nginx refuses", fix));
    }
    let plain = normalise(text).map_err(|offset| {
        syntax_error(source, offset, "the quote that is opened here is never closed", "Add the closing quote")
    })?;
    let tokens = tokenize(&plain);
    blocks::check(&tokens, source)?;
    let (green, errors) = parser::parse(tokens);
    let directives = Conversion { source }.items(&SyntaxNode::new_root(green))?;
    match errors.first() {
        Some(error) => Err(syntax_error(source, error.offset.min(text.len()), &error.message, RENDER_OR_MEND)),
        None => Ok(directives),
    }
}

const RENDER_OR_MEND: &str = "Mend the line";

/// A syntax error at `offset`, with the cure for templates where the line looks like one.
pub(super) fn syntax_error(source: &SourceText<'_>, offset: usize, problem: &str, fix: &str) -> DeploymentError {
    let line = source.line_text(offset);
    let template = ["{{", "{%", "<%"].iter().find(|mark| line.contains(**mark));
    DeploymentError::Syntax {
        location: source.location(offset),
        problem: problem.to_owned(),
        fix: match template {
            Some(mark) => {
                format!("With `{mark}` in it this looks like a template: render it first and pass the result")
            }
            None => fix.to_owned(),
        },
    }
}

/// The beginning of a text that is quoted in a message.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

struct Conversion<'a> {
    source: &'a SourceText<'a>,
}

/// A word of a directive, as offsets; the lexer cuts `http://$name:9090` into three tokens.
struct Word {
    start: usize,
    end: usize,
}

impl Conversion<'_> {
    fn items(&self, node: &SyntaxNode) -> Result<Vec<Directive>, DeploymentError> {
        let mut directives = Vec::new();
        for element in node.children_with_tokens() {
            match (element.kind(), element.as_node()) {
                (SyntaxKind::DIRECTIVE, Some(node)) => directives.push(self.directive(node)?),
                (SyntaxKind::ERROR, _) => {
                    return Err(self.unexpected(element.text_range().start().into()));
                }
                _ => {}
            }
        }
        Ok(directives)
    }

    fn directive(&self, node: &SyntaxNode) -> Result<Directive, DeploymentError> {
        let mut words: Vec<Word> = Vec::new();
        for element in node.children_with_tokens() {
            let (start, end) = (element.text_range().start().into(), element.text_range().end().into());
            match (element.kind(), element.as_node(), words.last_mut()) {
                (SyntaxKind::WHITESPACE | SyntaxKind::NEWLINE | SyntaxKind::COMMENT, ..) => {}
                (SyntaxKind::SEMICOLON, ..) => return self.finished(&words, start, None),
                (SyntaxKind::BLOCK, Some(block), _) => {
                    return self.finished(&words, start, Some(block));
                }
                (_, _, Some(word)) if word.end == start => word.end = end,
                _ => words.push(Word { start, end }),
            }
        }
        Err(self.unterminated(node.text_range().start().into(), ""))
    }

    fn finished(&self, words: &[Word], end: usize, block: Option<&SyntaxNode>) -> Result<Directive, DeploymentError> {
        let Some((name, args)) = words.split_first() else {
            return Err(self.unexpected(end));
        };
        if let Some(swallowed) = args.iter().find(|arg| self.starts_another(arg, block.is_some())) {
            let next = format!(" before `{}`", self.raw(swallowed));
            return Err(self.unterminated(name.start, &next));
        }
        let raw_block = is_raw_block_directive(self.raw(name));
        Ok(Directive {
            name: word::unquoted(self.raw(name)),
            location: self.source.location(name.start),
            args: args.iter().map(|arg| self.argument(arg)).collect(),
            end_line: self.source.line(end),
            block: match block {
                Some(_) if raw_block => Some(Vec::new()),
                Some(block) => Some(self.items(block)?),
                None => None,
            },
        })
    }

    fn argument(&self, arg: &Word) -> Argument {
        Argument { text: word::unquoted(self.raw(arg)), location: self.source.location(arg.start) }
    }

    fn raw(&self, word: &Word) -> &str {
        &self.source.text[word.start..word.end]
    }

    /// Whether an argument is really the next directive: `;` is missing, so it came to stand among the arguments.
    fn starts_another(&self, arg: &Word, has_block: bool) -> bool {
        let line = &self.source.text[..arg.start];
        let first_on_line = line.trim_end_matches([' ', '\t']).ends_with('\n');
        first_on_line && word::is_directive_name(self.raw(arg), has_block)
    }

    fn unterminated(&self, start: usize, next: &str) -> DeploymentError {
        let line = shortened(self.source.line_text(start).trim());
        let problem = format!("this directive does not end with `;`{next} (`{line}`)");
        syntax_error(self.source, start, &problem, "Add the `;`")
    }

    fn unexpected(&self, offset: usize) -> DeploymentError {
        let found = self.source.text[offset..].chars().next().unwrap_or(' ');
        let problem = format!("`{found}` stands where a directive should start");
        let fix = match found {
            ';' => "Remove it; what starts a comment is `#`",
            _ => "Remove it, or write the directive that belongs before it",
        };
        syntax_error(self.source, offset, &problem, fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Directive>, String> {
        parse(&"f".into(), text).map_err(|error| error.to_string())
    }

    #[test]
    fn words_are_what_nginx_takes_them_for() {
        let directives = parsed("proxy_pass http://$up:9090/é; # \"\r\nadd_header X \"a \\\" b\";#}\n").unwrap();
        assert_eq!(directives[0].args[0].text, "http://$up:9090/é");
        assert_eq!(directives[1].arg(1), Some("a \" b"));
        assert_eq!(directives[1].args[1].location.to_string(), "f:2:14");
    }

    #[test]
    fn an_error_points_to_what_has_to_be_mended() {
        for (text, expected) in [
            (
                "http {\n  server {\n    listen 80;\n",
                "f:2:3: the block that is opened here is never closed (`server {`)",
            ),
            // The indentation tells that the `}` of `server` is the missing one, not that of `http`.
            ("http {\n  server {\n    a b;\n}\n", "f:2:3: the block"),
            ("http {\n}\n}\n", "f:3:1: this `}` closes no block"),
            ("http {\n  root /a\n}\n", "f:2:3: this directive does not end with `;` (`root /a`)"),
            ("a {\n  root /a\n  listen 80;\n}\n", "f:2:3: this directive does not end with `;` before `listen`"),
            ("include x\nserver { }\n", "f:1:1: this directive does not end with `;` before `server`"),
            ("a b;;\n", "f:1:5: `;` stands where a directive should start"),
            ("é 'b;\n}", "f:1:3: the quote that is opened here is never closed"),
            ("a {{ b }};\n", "looks like a template"),
            ("\u{feff}a b;", "byte order mark"),
        ] {
            let message = parsed(text).unwrap_err();
            assert!(message.contains(expected), "{text:?} gave {message:?}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        for opened in ["a {", "${", "{"] {
            assert!(parsed(&opened.repeat(100_000)).is_err());
        }
        assert!(parsed(&format!("{}{}", "a { ".repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH))).is_ok());
        assert!(parsed(&"a b;".repeat(MAX_WORDS / 2 + 1)).unwrap_err().contains("200000 words"));
    }

    #[test]
    fn arguments_may_go_over_lines() {
        let directives = parsed("log_format x 'a'\n  'b';\nmap $a $b {\n  ~^/x$ 1;\n}\n").unwrap();
        assert_eq!(directives[0].args.len(), 3);
        assert_eq!(directives[0].end_line, 2);
        assert_eq!(directives[1].children()[0].name, "~^/x$");
    }
}
