//! JSON text to a tree.
//!
//! `serde_json` says whether the text is JSON; then a small scanner, which may trust that, notes
//! where everything stands, because `serde_json` does not tell. Knows nothing of what the keys mean.

use std::rc::Rc;

use serde::de::IgnoredAny;

use super::codes::Code;
use super::diagnostic::{Diagnostic, Place, Source};
use super::tree::{DEPTH_MAX, Grower, Key, Kind, Node, Value, kind_of, too_deep};

/// The tree of a text, or what is wrong.
pub(super) fn parse(source: &Source) -> (Option<Rc<Node>>, Vec<Diagnostic>) {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&source.text) {
        return (None, vec![syntax(source, &error)]);
    }
    let mut scanner = Scanner { source, at: 0, line: 1, line_start: 0, extra: 0, grower: Grower::default() };
    match scanner.value(0) {
        Ok(node) => (Some(node), scanner.grower.found),
        Err(last) => {
            scanner.grower.found.push(last);
            (None, scanner.grower.found)
        }
    }
}

/// Invariant: the text is JSON, so every byte is what the grammar says.
struct Scanner<'a> {
    source: &'a Source,
    at: usize,
    line: u32,
    line_start: usize,
    /// Bytes of this line that are not the first of their character.
    extra: usize,
    grower: Grower,
}

impl Scanner<'_> {
    fn value(&mut self, depth: u32) -> Result<Rc<Node>, Diagnostic> {
        self.skip_space();
        let start = self.here();
        if depth >= DEPTH_MAX {
            return Err(too_deep(start));
        }
        let value = match self.byte() {
            b'{' => self.map(depth)?,
            b'[' => self.sequence(depth)?,
            b'"' => Value::Scalar(self.string()?.0, Kind::Quoted),
            _ => self.word(),
        };
        self.grower.node(self.until_here(start), value)
    }

    fn map(&mut self, depth: u32) -> Result<Value, Diagnostic> {
        let mut entries = Vec::new();
        self.step();
        while self.next_entry(b'}') {
            let (text, place) = self.string()?;
            self.skip_space();
            self.step(); // the colon
            entries.push((Key { text, place }, self.value(depth + 1)?));
        }
        Ok(Value::Map(self.grower.unique(entries)))
    }

    fn sequence(&mut self, depth: u32) -> Result<Value, Diagnostic> {
        let mut all = Vec::new();
        self.step();
        while self.next_entry(b']') {
            all.push(self.value(depth + 1)?);
        }
        Ok(Value::Sequence(all))
    }

    /// Goes past a comma to the next entry, or past the end.
    fn next_entry(&mut self, end: u8) -> bool {
        self.skip_space();
        if self.byte() == b',' {
            self.step();
            self.skip_space();
        }
        if self.byte() == end {
            self.step();
            return false;
        }
        true
    }

    fn string(&mut self) -> Result<(Box<str>, Place), Diagnostic> {
        let start = self.here();
        let from = self.at;
        self.step();
        while self.byte() != b'"' {
            if self.byte() == b'\\' {
                self.step();
            }
            self.step();
        }
        self.step();
        let place = self.until_here(start);
        match serde_json::from_str::<String>(&self.source.text[from..self.at]) {
            Ok(text) => Ok((text.into(), place)),
            Err(_) => Err(Diagnostic::new(
                Code::JsonSyntax,
                place,
                "this text holds an escape that is no character",
            )),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Value {
        let from = self.at;
        while self.at < self.source.text.len()
            && !matches!(self.byte(), b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n')
        {
            self.step();
        }
        let text = &self.source.text[from..self.at];
        Value::Scalar(text.into(), kind_of(text))
    }

    fn skip_space(&mut self) {
        while self.at < self.source.text.len() && matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.step();
        }
    }

    fn byte(&self) -> u8 {
        self.source.text.as_bytes()[self.at]
    }

    fn step(&mut self) {
        let byte = self.byte();
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
            (self.line_start, self.extra) = (self.at, 0);
        } else if byte & 0xC0 == 0x80 {
            self.extra += 1;
        }
    }

    fn here(&self) -> Place {
        let column = narrow(self.at - self.line_start - self.extra) + 1;
        Place { line: self.line, column, start: narrow(self.at), end: narrow(self.at), ..self.source.whole() }
    }

    fn until_here(&self, start: Place) -> Place {
        Place { end: narrow(self.at), ..start }
    }
}

fn syntax(source: &Source, error: &serde_json::Error) -> Diagnostic {
    let line_start =
        source.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let mut at = (line_start + error.column().saturating_sub(1)).min(source.text.len());
    while !source.text.is_char_boundary(at) {
        at -= 1;
    }
    let column = source.text[line_start.min(at)..at].chars().count() + 1;
    let place = Place {
        line: narrow(error.line().max(1)),
        column: narrow(column),
        start: narrow(at),
        end: narrow(at),
        ..source.whole()
    };
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    let wrong = Diagnostic::new(Code::JsonSyntax, place, format!("this is not JSON: {reason}"));
    let hint = match source.text[at..].chars().next() {
        None if source.text.trim().is_empty() => Some("the file is empty; write a list of requests"),
        _ if error.is_eof() => Some("the file ends before all of its brackets and quotes are closed"),
        Some('/' | '#') => Some("JSON has no comments"),
        Some('\'') => Some("texts stand in double quotes"),
        Some(',' | ']' | '}') => Some("one comma stands between two entries, and none after the last"),
        Some(_) | None => None,
    };
    Diagnostic { hint: hint.map(str::to_owned), ..wrong }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("texts end at 64 MiB")
}
