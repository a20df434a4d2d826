//! What envsubst makes of a text, and the way back from the result to the user's file.

use std::collections::BTreeMap;
use std::ops::Range;

/// A text with its placeholders replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deployment) struct Rendering {
    /// The result.
    pub(in crate::deployment) text: String,
    pieces: Vec<Piece>,
}

/// A placeholder and its value, as places in both texts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    original: Range<usize>,
    rendered: Range<usize>,
}

/// A name that was replaced, and where it stands first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deployment) struct Rendered {
    pub(in crate::deployment) name: String,
    pub(in crate::deployment) offset: usize,
}

impl Rendering {
    /// The offset in the user's text of an offset in the result. What is in a value is where the placeholder begins.
    pub(in crate::deployment) fn origin(&self, offset: usize) -> usize {
        let before = self.pieces.partition_point(|piece| piece.rendered.start <= offset);
        match before.checked_sub(1).map(|index| &self.pieces[index]) {
            None => offset,
            Some(piece) if offset < piece.rendered.end => piece.original.start,
            Some(piece) => piece.original.end + (offset - piece.rendered.end),
        }
    }
}

/// Replaces `$NAME` and `${NAME}` as envsubst does when it is given the names; none if there is nothing to replace.
///
/// The result may grow to `most` bytes: beyond that it is cut, and too large for whoever asks.
pub(in crate::deployment) fn render(
    text: &str,
    env: &[(String, String)],
    most: usize,
) -> Option<(Rendering, Vec<Rendered>)> {
    let values: BTreeMap<&str, &str> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut rendering = Rendering { text: String::new(), pieces: Vec::new() };
    let mut names: Vec<Rendered> = Vec::new();
    let mut done = 0;
    for (original, name) in references(text) {
        let Some(value) = values.get(name).filter(|_| rendering.text.len() <= most) else { continue };
        rendering.text.push_str(&text[done..original.start]);
        let start = rendering.text.len();
        rendering.text.push_str(value);
        done = original.end;
        if !names.iter().any(|known| known.name == name) {
            names.push(Rendered { name: name.to_owned(), offset: original.start });
        }
        rendering.pieces.push(Piece { original, rendered: start..rendering.text.len() });
    }
    rendering.text.push_str(&text[done..]);
    (!names.is_empty()).then_some((rendering, names))
}

/// Every `$NAME` and `${NAME}`, wherever it stands: envsubst knows neither comments nor quotes.
fn references(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices('$').filter_map(|(dollar, _)| {
        let rest = &text[dollar + 1..];
        let braced = rest.starts_with('{');
        let begin = usize::from(braced);
        let name = &rest[begin..begin + name_length(&rest[begin..])];
        let closed = !braced || rest[begin + name.len()..].starts_with('}');
        let end = dollar + 1 + name.len() + if braced { 2 } else { 0 };
        (closed && !name.is_empty()).then_some((dollar..end, name))
    })
}

pub(super) fn name_length(text: &str) -> usize {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = || text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if starts { end() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(values: &[(&str, &str)]) -> Vec<(String, String)> {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn exactly_the_given_names_are_replaced() {
        let env = env(&[("A", "é$B"), ("B", ""), ("host", "h")]);
        for (text, expected) in [
            ("$A ${A} $AB ${AB} $a", Some("é$B é$B $AB ${AB} $a")),
            ("x${B}y$host${host", Some("xyh${host")),
            ("# $B", Some("# ")),
            ("${A:-x} $ $$", None),
        ] {
            let rendered = render(text, &env, 1000).map(|(rendering, _)| rendering.text);
            assert_eq!(rendered.as_deref(), expected);
        }
    }

    #[test]
    fn every_place_leads_back() {
        let text = "a ${A} b $B c";
        let (rendering, names) = render(text, &env(&[("A", "long value"), ("B", "")]), 1000).unwrap();
        assert_eq!(rendering.text, "a long value b  c");
        for (found, expected) in [("a", "a"), ("long", "${A}"), ("value", "${A}"), ("b", "b"), ("c", "c")] {
            let offset = rendering.text.rfind(found).unwrap();
            let offset = if found == "a" { 0 } else { offset };
            assert_eq!(rendering.origin(offset), text.find(expected).unwrap(), "{found}");
        }
        assert_eq!(rendering.origin(rendering.text.len()), text.len());
        assert_eq!(names.iter().map(|rendered| rendered.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn a_value_that_is_often_repeated_is_bounded() {
        let value = "x".repeat(1000);
        let (rendering, _) = render(&"$A ".repeat(1000), &env(&[("A", &value)]), 5000).unwrap();
        assert!(rendering.text.len() < 12_000);
    }
}
