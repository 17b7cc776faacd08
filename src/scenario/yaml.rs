//! YAML text to a tree.
//!
//! Uses the event stream of the YAML parser rather than its serde side, because only the events keep
//! the places of keys and the exact text of numbers. Aliases share one node, so that a bomb of them
//! costs nothing; merge keys are applied. Knows nothing of what the keys mean.

use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};

use super::codes::Code;
use super::diagnostic::{Diagnostic, Place, Source};
use super::tree::{DEPTH_MAX, Grower, Key, Kind, NODES_MAX, Node, Value, kind_of};
use crate::base::hash::Map;

/// The documents of a text as trees, as far as they can be read, and what is wrong.
pub(super) fn parse(source: &Source) -> (Vec<Rc<Node>>, Vec<Diagnostic>) {
    parse_from(source, 0, 0)
}

/// The same of what follows a byte of the first line; nodes are counted from `id`.
pub(super) fn parse_from(source: &Source, start: usize, id: u32) -> (Vec<Rc<Node>>, Vec<Diagnostic>) {
    let mut builder = Builder {
        source,
        start,
        grower: Grower::from(id),
        open: Vec::new(),
        anchors: Map::default(),
        documents: Vec::new(),
        merged_count: 0,
    };
    let complete = builder.run();
    let mut found = std::mem::take(&mut builder.grower.found);
    if let Err(last) = complete {
        found.push(last);
        return (Vec::new(), found);
    }
    (builder.documents, found)
}

/// A collection that has begun and not ended.
struct Open {
    place: Place,
    anchor: usize,
    /// The key whose value comes next, in a map.
    key: Option<Key>,
    parts: Parts,
}

enum Parts {
    Sequence(Vec<Rc<Node>>),
    Map { entries: Vec<(Key, Rc<Node>)>, merged: Vec<(Key, Rc<Node>)> },
}

struct Builder<'a> {
    source: &'a Source,
    /// The first byte that is read, in the first line.
    start: usize,
    grower: Grower,
    open: Vec<Open>,
    anchors: Map<usize, Rc<Node>>,
    documents: Vec<Rc<Node>>,
    /// Values that merge keys have copied so far.
    merged_count: u32,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Diagnostic> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.flow_nesting_limit = usize::try_from(DEPTH_MAX).expect("small");
        options.block_nesting_limit = usize::try_from(DEPTH_MAX).expect("small");
        for step in Parser::new_from_str_with_options(&self.source.text[self.start..], options) {
            let (event, span) = step.map_err(|error| self.syntax(&error))?;
            self.take(event, span)?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        let is_text = match event.tag().map(Tag::core_suffix) {
            Some(None) => {
                let place = self.place(span.tag_span().unwrap_or(span));
                return Err(feature(place, "custom tags have no meaning here"));
            }
            Some(Some(word)) => word == "str",
            None => false,
        };
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain && !is_text;
                self.scalar(place, &text, plain, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(place, anchor, Parts::Sequence(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                let parts = Parts::Map { entries: Vec::new(), merged: Vec::new() };
                self.begin(place, anchor, parts)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(place),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(_) if self.wants_key() => Err(feature(place, "an alias cannot be a key")),
                Some(node) => self.hang(node, place),
                None => Err(feature(place, "an alias inside of the value that it stands for")),
            },
            Event::UnresolvedAlias(_) => Err(feature(place, "an alias without an anchor before it")),
            Event::DocumentEnd => {
                self.anchors = Map::default();
                Ok(())
            }
            // Starts, ends, anchor names and comments; the list may grow.
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, place: Place, text: &str, plain: bool, anchor: usize) -> Result<(), Diagnostic> {
        if self.wants_key() {
            let key = Key { text: text.into(), place };
            self.open.last_mut().expect("a map is open").key = Some(key);
            return Ok(());
        }
        let kind = if plain { kind_of(text) } else { Kind::Quoted };
        let node = self.grower.node(place, Value::Scalar(text.into(), kind))?;
        self.anchor(anchor, &node);
        self.hang(node, place)
    }

    fn begin(&mut self, place: Place, anchor: usize, parts: Parts) -> Result<(), Diagnostic> {
        if self.wants_key() {
            return Err(feature(place, "a key must be a plain word, not a map or a list"));
        }
        self.open.push(Open { place, anchor, key: None, parts });
        Ok(())
    }

    fn end(&mut self, end: Place) -> Result<(), Diagnostic> {
        let Open { mut place, anchor, parts, .. } = self.open.pop().expect("the parser pairs its events");
        place.end = end.end.max(place.end);
        let value = match parts {
            Parts::Sequence(all) => Value::Sequence(all),
            Parts::Map { entries, merged } => Value::Map(self.merge(entries, merged)),
        };
        let node = self.grower.node(place, value)?;
        self.anchor(anchor, &node);
        self.hang(node, place)
    }

    /// Own entries win over merged ones, and earlier merged ones over later.
    fn merge(&mut self, entries: Vec<(Key, Rc<Node>)>, merged: Vec<(Key, Rc<Node>)>) -> Vec<(Key, Rc<Node>)> {
        let mut all = self.grower.unique(entries);
        if !merged.is_empty() {
            let mut known: std::collections::BTreeSet<Box<str>> =
                all.iter().map(|(key, _)| key.text.clone()).collect();
            all.extend(merged.into_iter().filter(|(key, _)| known.insert(key.text.clone())));
        }
        all
    }

    /// Puts a finished node where it belongs; `place` is where it is used.
    fn hang(&mut self, node: Rc<Node>, place: Place) -> Result<(), Diagnostic> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.parts {
            Parts::Sequence(all) => all.push(node),
            Parts::Map { entries, merged } => {
                let key = open.key.take().expect("a key comes first");
                if &*key.text == "<<" {
                    merge_entries(&node, place, merged, &mut self.merged_count)?;
                } else {
                    entries.push((key, node));
                }
            }
        }
        Ok(())
    }

    fn anchor(&mut self, anchor: usize, node: &Rc<Node>) {
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(node));
        }
    }

    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.parts, Parts::Map { .. }) && open.key.is_none())
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let place = self.place(Span::empty(*error.marker()));
        let info = error.info();
        if info.contains("recursion limit") || info.contains("nesting") {
            return super::tree::too_deep(place);
        }
        let wrong = Diagnostic::new(Code::YamlSyntax, place, format!("this is not YAML: {info}"));
        let hint = HINTS.iter().find(|(part, _)| info.contains(part)).map(|(_, hint)| (*hint).to_owned());
        Diagnostic { hint, ..wrong }
    }

    fn place(&self, span: Span) -> Place {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let end_of_text = self.source.text.len();
        let start = span.start.byte_offset().map_or(end_of_text, |at| (at + self.start).min(end_of_text));
        let end = span.end.byte_offset().map_or(start, |at| (at + self.start).clamp(start, end_of_text));
        let before = if span.start.line() == 1 { self.source.text[..self.start].chars().count() } else { 0 };
        Place {
            line: narrow(span.start.line()),
            column: narrow(span.start.col() + 1 + before),
            start: narrow(start),
            end: narrow(end),
            ..self.source.whole()
        }
    }
}

/// What the parser says, and what somebody who meets it probably did.
const HINTS: &[(&str, &str)] = &[
    ("mapping values are not allowed", "a text with a colon needs quotes; or the line is indented too far"),
    ("tabs disallowed", "indent with spaces"),
    ("unclosed bracket", "the bracket is opened here and closed nowhere"),
    ("multiline quoted scalar", "a quote in a line before is opened and not closed"),
    ("unknown anchor", "an alias such as *name stands for what &name marks before it"),
    ("unexpected character", "control characters cannot be written like this"),
];

/// Adds the entries that `<<: value` brings: of one map, or of each map of a list.
fn merge_entries(
    node: &Node,
    place: Place,
    merged: &mut Vec<(Key, Rc<Node>)>,
    count: &mut u32,
) -> Result<(), Diagnostic> {
    match &node.value {
        Value::Map(entries) => {
            *count = count.saturating_add(node.weight);
            if *count > NODES_MAX {
                let message = format!("merge keys copy more than {NODES_MAX} values");
                return Err(Diagnostic::new(Code::TooManyNodes, place, message));
            }
            merged.extend(entries.iter().cloned());
            Ok(())
        }
        Value::Sequence(all) if all.iter().all(|each| matches!(each.value, Value::Map(_))) => {
            all.iter().try_for_each(|each| merge_entries(each, place, merged, count))
        }
        Value::Sequence(_) | Value::Scalar(..) => Err(feature(place, "a merge key needs a map")),
    }
}

fn feature(place: Place, message: &str) -> Diagnostic {
    Diagnostic::new(Code::YamlFeature, place, message)
}
