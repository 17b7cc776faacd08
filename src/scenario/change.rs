//! Values of a document replaced by their path: `run_for=2h`.
//!
//! The new value keeps its place in the text of the change, and everything else keeps its place in the
//! document, so that a mistake is shown where somebody wrote it. Knows nothing of what the keys mean.

use std::rc::Rc;

use super::codes::Code;
use super::diagnostic::{Diagnostic, Place, Source, nearest, quoted};
use super::tree::{DEPTH_MAX, Key, Kind, Node, Value, too_deep};
use super::yaml;

/// The document with a change applied, or what is wrong with the change.
pub(super) fn apply(root: &Rc<Node>, change: &Source, ids: &mut u32) -> Result<Rc<Node>, Diagnostic> {
    if let Some(fault) = change.fault() {
        return Err(fault);
    }
    let Some((path, _)) = change.text.split_once('=') else {
        let wrong = Diagnostic::new(Code::WrongValue, place(change, 0..change.text.len()), "no value is set");
        return Err(wrong.hint("write path=value, such as run_for=2h"));
    };
    let new = value(change, path.len() + 1, ids)?;
    if path.split('.').count() > DEPTH_MAX as usize / 2 {
        return Err(too_deep(place(change, 0..path.len())));
    }
    let mut at = 0;
    // The name of a setting has dots of its own.
    let words: Vec<&str> = match path.strip_prefix("settings.") {
        Some(name) => vec!["settings", name],
        None => path.split('.').collect(),
    };
    let parts: Vec<Part<'_>> = words
        .into_iter()
        .map(|word| {
            let part = Part { word, place: place(change, at..at + word.len()) };
            at += word.len() + 1;
            part
        })
        .collect();
    put(root, &parts, new, ids)
}

/// One word of a path.
struct Part<'a> {
    word: &'a str,
    place: Place,
}

/// The node with `new` at the end of the path below it.
fn put(node: &Rc<Node>, path: &[Part<'_>], new: Rc<Node>, ids: &mut u32) -> Result<Rc<Node>, Diagnostic> {
    let Some((part, rest)) = path.split_first() else { return Ok(new) };
    let wrong = |message: String| Diagnostic::new(Code::UnknownKey, part.place, message);
    let value = match &node.value {
        Value::Map(entries) => {
            let mut entries = entries.clone();
            match entries.iter_mut().find(|(key, _)| *key.text == *part.word) {
                Some((_, below)) => *below = put(below, rest, new, ids)?,
                None => {
                    let known: Vec<&str> = entries.iter().map(|(key, _)| &*key.text).collect();
                    // Keys of the scenario itself are known to whoever reads it, present or not.
                    let free = part.place.start > 0 && !rest.is_empty();
                    if let Some(near) = nearest(part.word, &known).filter(|_| free) {
                        let wrong = wrong(format!("there is no {}", quoted(part.word)));
                        return Err(wrong.hint(format!("did you mean {}?", quoted(near))));
                    }
                    let key = Key { text: part.word.into(), place: part.place };
                    entries.push((key, nested(rest, new, ids)));
                }
            }
            Value::Map(entries)
        }
        Value::Sequence(items) => {
            let mut items = items.clone();
            let length = items.len();
            match part.word.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(item) => *item = put(item, rest, new, ids)?,
                None => {
                    let message = format!("{} is no place in a list of {length}", quoted(part.word));
                    return Err(wrong(message).hint("places in a list count from 0"));
                }
            }
            Value::Sequence(items)
        }
        Value::Scalar(..) => {
            return Err(wrong(format!("there is nothing below the value before {}", quoted(part.word))));
        }
    };
    Ok(Rc::new(Node { value, ..fresh(node, ids) }))
}

/// The maps that a path names and the document does not have yet, with `new` in the innermost.
fn nested(path: &[Part<'_>], new: Rc<Node>, ids: &mut u32) -> Rc<Node> {
    path.iter().rev().fold(new, |below, part| {
        let key = Key { text: part.word.into(), place: part.place };
        let above = fresh(&below, ids);
        Rc::new(Node { place: part.place, value: Value::Map(vec![(key, below)]), ..above })
    })
}

/// A node like this one with an id of its own and no value yet. Weight and depth may be too small by
/// what a change adds: they bound the work, and a change is short.
fn fresh(node: &Node, ids: &mut u32) -> Node {
    *ids += 1;
    Node {
        id: *ids,
        place: node.place,
        value: Value::Sequence(Vec::new()),
        weight: node.weight,
        depth: node.depth,
    }
}

/// The value of a change, which begins at this byte of its text: YAML, else a text as it stands.
fn value(change: &Source, start: usize, ids: &mut u32) -> Result<Rc<Node>, Diagnostic> {
    let (documents, mut found) = yaml::parse_from(change, start, *ids + 1);
    if let ([document], true) = (documents.as_slice(), found.is_empty()) {
        *ids = document.id.max(*ids);
        if document.depth > DEPTH_MAX / 2 {
            return Err(too_deep(document.place));
        }
        return Ok(Rc::clone(document));
    }
    match found.pop() {
        Some(wrong) if wrong.code != Code::YamlSyntax => Err(wrong),
        Some(_) | None => {
            *ids += 1;
            let from = if start == change.text.len() { 0 } else { start };
            let place = place(change, from..change.text.len());
            let value = Value::Scalar(change.text[start..].into(), Kind::Quoted);
            Ok(Rc::new(Node { id: *ids, place, value, weight: 1, depth: 1 }))
        }
    }
}

/// Bytes of the one line of a change.
fn place(change: &Source, bytes: std::ops::Range<usize>) -> Place {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let column = narrow(change.text[..bytes.start].chars().count() + 1);
    Place { line: 1, column, start: narrow(bytes.start), end: narrow(bytes.end), ..change.whole() }
}
