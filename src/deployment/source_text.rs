//! From an offset in a file's text to the line and column that the user sees.

use std::cell::Cell;
use std::sync::Arc;

use crate::location::Location;

pub(super) struct SourceText<'a> {
    file: Arc<str>,
    pub(super) text: &'a str,
    line_starts: Vec<usize>,
    /// The last offset asked for and its column. Questions come in order, so that a line of megabytes is counted once.
    last: Cell<(usize, usize)>,
}

impl<'a> SourceText<'a> {
    pub(super) fn new(file: &Arc<str>, text: &'a str) -> Self {
        let line_ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            file: Arc::clone(file),
            text,
            line_starts: std::iter::once(0).chain(line_ends.map(|(offset, _)| offset + 1)).collect(),
            last: Cell::new((0, 1)),
        }
    }

    /// The line of a byte, from one.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The place of a byte, its column in characters.
    pub(super) fn location(&self, offset: usize) -> Location {
        let line = self.line(offset);
        let line_start = self.line_starts[line - 1];
        let (from, column) = match self.last.get() {
            (last, column) if (line_start..=offset).contains(&last) => (last, column),
            _ => (line_start, 1),
        };
        let column = column + self.text[from..offset].chars().count();
        self.last.set((offset, column));
        Location::new(Arc::clone(&self.file), line, column)
    }

    /// The text of the line on which a byte stands.
    pub(super) fn line_text(&self, offset: usize) -> &'a str {
        let line = self.line(offset);
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text[self.line_starts[line - 1]..end].trim_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_in_any_order_of_asking() {
        let source = SourceText::new(&"f".into(), "# é\nüü x y\n");
        let place = |offset| (source.location(offset).line, source.location(offset).column);
        assert_eq!(place(12), (2, 6)); // y
        assert_eq!(place(10), (2, 4)); // x
        assert_eq!(place(5), (2, 1));
        assert_eq!(place(4), (1, 4)); // the line's end belongs to it
        assert_eq!(source.line_text(10), "üü x y");
    }
}
