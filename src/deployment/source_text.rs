//! From an offset in a file's text to the line and column that the user sees.

use std::cell::Cell;
use std::sync::Arc;

use super::template::Rendering;
use crate::location::Location;

pub(super) struct SourceText<'a> {
    file: Arc<str>,
    /// What nginx gets to read. All offsets are in it.
    pub(super) text: &'a str,
    /// What the user wrote: the same, unless placeholders were replaced.
    original: &'a str,
    rendering: Option<&'a Rendering>,
    line_starts: Vec<usize>,
    /// The last offset asked for and its column. Questions come in order, so that a line of megabytes is counted once.
    last: Cell<(usize, usize)>,
}

impl<'a> SourceText<'a> {
    pub(super) fn new(file: &Arc<str>, text: &'a str) -> Self {
        Self::rendered(file, text, None)
    }

    /// A text whose placeholders were replaced: places are those in the user's own.
    pub(super) fn rendered(file: &Arc<str>, original: &'a str, rendering: Option<&'a Rendering>) -> Self {
        let line_ends = original.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            file: Arc::clone(file),
            text: rendering.map_or(original, |rendering| &rendering.text),
            original,
            rendering,
            line_starts: std::iter::once(0).chain(line_ends.map(|(offset, _)| offset + 1)).collect(),
            last: Cell::new((0, 1)),
        }
    }

    /// The line of a byte, from one.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_of(self.origin(offset))
    }

    /// The place of a byte, its column in characters.
    pub(super) fn location(&self, offset: usize) -> Location {
        let offset = self.origin(offset);
        let line = self.line_of(offset);
        let line_start = self.line_starts[line - 1];
        let (from, column) = match self.last.get() {
            (last, column) if (line_start..=offset).contains(&last) => (last, column),
            _ => (line_start, 1),
        };
        let column = column + self.original[from..offset].chars().count();
        self.last.set((offset, column));
        Location::new(Arc::clone(&self.file), line, column)
    }

    /// The text of the line on which a byte stands.
    pub(super) fn line_text(&self, offset: usize) -> &'a str {
        let line = self.line(offset);
        let end = self.line_starts.get(line).copied().unwrap_or(self.original.len());
        self.original[self.line_starts[line - 1]..end].trim_end()
    }

    fn origin(&self, offset: usize) -> usize {
        self.rendering.map_or(offset, |rendering| rendering.origin(offset))
    }

    fn line_of(&self, original: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= original)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::template::render;

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

    #[test]
    fn behind_a_value_of_several_lines_the_place_is_the_users() {
        let original = "a ${A} b\nc $A d";
        let (rendering, _) = render(original, &[("A".to_owned(), "x\ny\nz".to_owned())], 100).unwrap();
        let source = SourceText::rendered(&"f".into(), original, Some(&rendering));
        let place = |found: &str| source.location(source.text.rfind(found).unwrap()).to_string();
        assert_eq!(
            (place("b"), place("c"), place("z"), place("d")),
            ("f:1:8".into(), "f:2:1".into(), "f:2:3".into(), "f:2:6".into())
        );
        assert_eq!(source.line_text(source.text.find('b').unwrap()), "a ${A} b");
    }
}
