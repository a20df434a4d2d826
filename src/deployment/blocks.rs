//! The braces, looked at before parsing: the parser recurses, and reports an open block at the end of the file.

use nginx_lint_parser::syntax_kind::SyntaxKind;

use super::DeploymentError;
use super::source_text::SourceText;
use super::syntax::{MAX_DEPTH, MAX_WORDS, syntax_error};

type Token<'a> = (SyntaxKind, &'a str);

/// A block whose `}` has not come yet.
#[derive(Clone, Copy)]
struct Open {
    /// Where the directive that opens it starts.
    start: usize,
    /// The width of the space before it.
    indent: usize,
}

/// Every block is closed, none is too deep, and there are not too many words.
pub(super) fn check(tokens: &[Token<'_>], source: &SourceText<'_>) -> Result<(), DeploymentError> {
    let mut blocks = Blocks::default();
    for (kind, text) in tokens {
        blocks.step(*kind, text, source)?;
        blocks.offset += text.len();
    }
    match blocks.suspect.or(blocks.open.last().copied()) {
        Some(block) if !blocks.open.is_empty() => Err(unclosed(block, source)),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Blocks {
    open: Vec<Open>,
    /// The first block that the indentation says has lost its `}`: what closed it stands further out.
    suspect: Option<Open>,
    offset: usize,
    words: usize,
    directive: Option<Open>,
    indent: usize,
    at_line_start: bool,
}

impl Blocks {
    fn step(&mut self, kind: SyntaxKind, text: &str, source: &SourceText<'_>) -> Result<(), DeploymentError> {
        match kind {
            SyntaxKind::NEWLINE => {
                (self.at_line_start, self.indent) = (true, 0);
                return Ok(());
            }
            SyntaxKind::WHITESPACE => {
                self.indent += if self.at_line_start { text.len() } else { 0 };
                return Ok(());
            }
            SyntaxKind::L_BRACE => self.open(source)?,
            SyntaxKind::R_BRACE => self.close(source)?,
            SyntaxKind::SEMICOLON => self.directive = None,
            _ => {
                self.directive.get_or_insert(Open { start: self.offset, indent: self.indent });
                self.count(source)?;
            }
        }
        self.at_line_start = false;
        Ok(())
    }

    fn open(&mut self, source: &SourceText<'_>) -> Result<(), DeploymentError> {
        let block = self.directive.unwrap_or(Open { start: self.offset, indent: self.indent });
        self.open.push(block);
        if self.open.len() > MAX_DEPTH {
            return Err(DeploymentError::TooDeep { location: source.location(block.start) });
        }
        self.directive = None;
        Ok(())
    }

    fn close(&mut self, source: &SourceText<'_>) -> Result<(), DeploymentError> {
        let Some(block) = self.open.pop() else {
            let fix = "Remove it, or look above it for a `{` that is missing";
            return Err(syntax_error(source, self.offset, "this `}` closes no block", fix));
        };
        if self.at_line_start && self.indent < block.indent {
            self.suspect.get_or_insert(block);
        }
        self.directive = None;
        Ok(())
    }

    fn count(&mut self, source: &SourceText<'_>) -> Result<(), DeploymentError> {
        self.words += 1;
        if self.words > MAX_WORDS {
            return Err(DeploymentError::TooMuch { location: source.location(self.offset) });
        }
        Ok(())
    }
}

fn unclosed(block: Open, source: &SourceText<'_>) -> DeploymentError {
    let head = source.line_text(block.start).trim();
    let problem = format!("the block that is opened here is never closed (`{}`)", super::syntax::shortened(head));
    syntax_error(source, block.start, &problem, "Add the `}` that closes it")
}
