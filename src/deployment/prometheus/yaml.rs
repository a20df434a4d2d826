//! YAML as a tree in which every node knows its place.
//!
//! What an alias stands for is shared and not copied, but it counts each time: a file that would unfold to more than a
//! run can walk through is refused.

use std::rc::Rc;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::super::DeploymentError;
use crate::location::Location;

const MAX_NODES: usize = 500_000;
const MAX_DEPTH: usize = 64;

/// Where a text stands in a file of the user's: a ConfigMap's is indented in the middle of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The file, the way the user named it.
    pub(super) file: Arc<str>,
    /// The line before the text's first, from zero.
    pub(super) line: usize,
    /// How many characters stand before each of its lines.
    pub(super) indent: usize,
}

impl Origin {
    /// The text is the whole file.
    pub(super) fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, indent: 0 }
    }

    /// The place of a line and column of the text, both from one.
    pub(super) fn place(&self, line: usize, column: usize) -> Location {
        Location::new(Arc::clone(&self.file), self.line + line, self.indent + column)
    }
}

/// A value, with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) location: Location,
    /// Whether it is written as a block that starts with `|`, so that each of its lines is a line of the file.
    literal: bool,
    /// How many nodes it unfolds to, and how deep.
    nodes: usize,
    depth: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar(String),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
}

impl Node {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; none of anything else.
    pub(super) fn items(&self) -> &[Rc<Node>] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(Rc<Node>, Rc<Node>)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key, those that `<<` brings in among them.
    pub(super) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        let own = self.entries().iter().rfind(|(name, _)| name.text() == Some(key)).map(|(_, value)| value);
        own.or_else(|| {
            let merged = self.entries().iter().rfind(|(name, _)| name.text() == Some("<<")).map(|(_, value)| value)?;
            merged.get(key).or_else(|| merged.items().iter().find_map(|item| item.get(key)))
        })
    }

    /// The value below several keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Rc<Node>> {
        let (first, rest) = keys.split_first()?;
        let value = self.get(first)?;
        if rest.is_empty() { Some(value) } else { value.at(rest) }
    }

    /// The text of a key's scalar; none if it is not there, empty or null.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text().filter(|text| !matches!(*text, "" | "~" | "null"))
    }

    /// The items below a key.
    pub(super) fn items_of(&self, key: &str) -> &[Rc<Node>] {
        self.get(key).map_or(&[], |node| node.items())
    }

    /// Whether a key says yes.
    pub(super) fn is_on(&self, key: &str) -> bool {
        self.text_of(key).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Where the text of a scalar stands in `source`, the whole file.
    pub(super) fn origin_of_text(&self, source: &str) -> Origin {
        let Location { file, line, column } = self.location.clone();
        let mut lines = self.text().unwrap_or_default().lines().enumerate();
        let said = lines.find(|(_, line)| !line.trim().is_empty()).filter(|_| self.literal);
        let written = said.and_then(|(_, text)| {
            let mut lines = source.lines().enumerate().skip(line - 1);
            lines.find(|(_, line)| line.ends_with(text) && line.trim_start() == text.trim_start())
        });
        match (said, written) {
            (Some((empty, text)), Some((above, written))) => {
                let indent = written.chars().count() - text.chars().count();
                Origin { file, line: above.saturating_sub(empty), indent }
            }
            _ => Origin { file, line: line - 1, indent: column - 1 },
        }
    }
}

/// The documents of a file.
pub(super) fn documents(origin: &Origin, text: &str) -> Result<Vec<Rc<Node>>, DeploymentError> {
    let mut builder = Builder { origin, open: Vec::new(), documents: Vec::new(), anchors: Vec::new() };
    for event in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
        let (event, span) = event.map_err(|error| broken(origin, &error))?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

fn broken(origin: &Origin, error: &ScanError) -> DeploymentError {
    let mark = error.marker();
    DeploymentError::Syntax {
        location: origin.place(mark.line(), mark.col() + 1),
        problem: format!("this is not YAML: {}", error.info()),
        fix: "Mend it; if the file is a template, render it first".to_owned(),
    }
}

/// A sequence or a mapping whose end has not come yet.
struct Open {
    location: Location,
    anchor: usize,
    mapping: bool,
    nodes: Vec<Rc<Node>>,
}

struct Builder<'a> {
    origin: &'a Origin,
    open: Vec<Open>,
    documents: Vec<Rc<Node>>,
    /// By the parser's number of the anchor, which counts from one.
    anchors: Vec<(usize, Rc<Node>)>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), DeploymentError> {
        let location = self.origin.place(span.start.line(), span.start.col() + 1);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let literal = style == ScalarStyle::Literal;
                let value = Value::Scalar(text.into_owned());
                self.add(anchor, Node { value, location, literal, nodes: 1, depth: 1 })
            }
            Event::SequenceStart(anchor, _) => self.begin(location, anchor, false),
            Event::MappingStart(anchor, _) => self.begin(location, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.iter().rfind(|(number, _)| *number == anchor) {
                Some((_, node)) => {
                    let node = Rc::clone(node);
                    self.place(node, &location)
                }
                None => Err(too_much(location, "refers to itself")),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, location: Location, anchor: usize, mapping: bool) -> Result<(), DeploymentError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_much(location, "is nested too deep"));
        }
        self.open.push(Open { location, anchor, mapping, nodes: Vec::new() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), DeploymentError> {
        let Some(Open { location, anchor, mapping, nodes }) = self.open.pop() else { return Ok(()) };
        let unfolded = nodes.iter().map(|node| node.nodes).fold(1, usize::saturating_add);
        let depth = nodes.iter().map(|node| node.depth).max().unwrap_or(0) + 1;
        let value = if mapping { Value::Mapping(pairs(nodes)) } else { Value::Sequence(nodes) };
        self.add(anchor, Node { value, location, literal: false, nodes: unfolded, depth })
    }

    fn add(&mut self, anchor: usize, node: Node) -> Result<(), DeploymentError> {
        let location = node.location.clone();
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.push((anchor, Rc::clone(&node)));
        }
        self.place(node, &location)
    }

    fn place(&mut self, node: Rc<Node>, location: &Location) -> Result<(), DeploymentError> {
        if node.nodes > MAX_NODES {
            return Err(too_much(location.clone(), "unfolds to more than anybody means"));
        }
        if self.open.len() + node.depth > MAX_DEPTH {
            return Err(too_much(location.clone(), "is nested too deep"));
        }
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}

fn pairs(nodes: Vec<Rc<Node>>) -> Vec<(Rc<Node>, Rc<Node>)> {
    let mut nodes = nodes.into_iter();
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn too_much(location: Location, what: &str) -> DeploymentError {
    DeploymentError::Syntax {
        location,
        problem: format!("this part of the file {what}"),
        fix: "Check that it is the file that is meant, and take out what does not concern Prometheus".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Rc<Node>>, DeploymentError> {
        documents(&Origin::file("f"), text)
    }

    #[test]
    fn nodes_know_their_places_and_merged_keys() {
        let text = "base: &b\n  x: 1\na:\n  <<: *b\n  y: [p, \"q\"]\nt: |\n\n   é: 1\n";
        let root = &read(text).unwrap()[0];
        assert_eq!(root.at(&["a", "x"]).and_then(|node| node.text()), Some("1"));
        let item = &root.at(&["a", "y"]).unwrap().items()[1];
        assert_eq!((item.location.line, item.location.column), (5, 10));
        let block = root.get("t").unwrap();
        let inner = documents(&block.origin_of_text(text), block.text().unwrap()).unwrap();
        let place = &inner[0].get("é").unwrap().location;
        assert_eq!((place.line, place.column), (8, 7));
    }

    #[test]
    fn bombs_and_broken_files_are_refused_at_their_place() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..30 {
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(","));
        }
        let chain: String = (1..200_000).map(|n| format!("- &a{n} [*a{}]\n", n - 1)).collect();
        for (text, expected) in [
            (bomb, "f:6:"),
            (format!("- &a0 x\n{chain}"), "nested too deep"),
            ("[".repeat(100_000), "f:1:"),
            ("a: &a [*a]\n".to_owned(), "f:1:8"),
            ("a: [b\n".to_owned(), "not YAML"),
            ("{{ if }}\n".to_owned() + "a: b: c\n", "render it first"),
        ] {
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
