//! The text of one csv file, cell by cell.
//!
//! A file may have millions of cells, so that nothing is allocated for one. Knows nothing of columns.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::base::{Span, Timestamp};
use crate::report::number;

const DAY_NS: u64 = Span::minutes(24 * 60).as_nanos();

/// One cell of a row.
pub(super) enum Cell<'a> {
    /// A name: what a spreadsheet would compute is made text by an apostrophe.
    Text(&'a str),
    /// What needs no cleaning.
    Word(Cow<'a, str>),
    /// An instant as [`number::instant`] writes it; empty for never.
    Instant(Timestamp),
    /// Seconds as [`number::seconds`] writes them.
    Seconds(Span),
}

/// Writes one row after another, many at a time.
pub(super) struct Writer<'w> {
    to: &'w mut dyn Write,
    /// Rows that are not written yet.
    bytes: Vec<u8>,
    /// The instant that came last, and its text: most come twice.
    instant: (Timestamp, [u8; 24]),
}

/// So many bytes are written at a time.
const BLOCK: usize = 1 << 16;

impl Cell<'_> {
    pub(super) const EMPTY: Self = Cell::Word(Cow::Borrowed(""));
}

impl<'w> Writer<'w> {
    pub(super) fn new<'a>(to: &'w mut dyn Write, header: impl Iterator<Item = &'a str>) -> io::Result<Self> {
        let start = Timestamp::from_nanos(0);
        let mut writer =
            Writer { to, bytes: Vec::with_capacity(2 * BLOCK), instant: (start, instant_text(start)) };
        writer.row(header.map(|name| Cell::Word(name.into())))?;
        Ok(writer)
    }

    /// Adds a row, which has at least one cell.
    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> io::Result<()> {
        for cell in cells {
            self.cell(&cell);
            self.bytes.push(b',');
        }
        *self.bytes.last_mut().expect("a row has a cell") = b'\n';
        if self.bytes.len() >= BLOCK { self.finish() } else { Ok(()) }
    }

    /// Writes what is not written yet.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.to.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        match *cell {
            Cell::Text(value) if is_harmless(value) => self.bytes.extend_from_slice(value.as_bytes()),
            Cell::Text(value) => self.text(value),
            Cell::Word(ref value) => self.word(value),
            Cell::Instant(Timestamp::NEVER) => {}
            Cell::Instant(at) => self.instant(at),
            Cell::Seconds(span) => self.seconds(span),
        }
    }

    fn text(&mut self, value: &str) {
        let value = number::plain(value);
        if value.trim_start().starts_with(['=', '+', '-', '@']) {
            self.word(&format!("'{value}"));
        } else {
            self.word(&value);
        }
    }

    fn word(&mut self, value: &str) {
        if value.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            self.bytes.push(b'"');
            self.bytes.extend_from_slice(value.replace('"', "\"\"").as_bytes());
            self.bytes.push(b'"');
        } else {
            self.bytes.extend_from_slice(value.as_bytes());
        }
    }

    fn instant(&mut self, at: Timestamp) {
        let (known, known_text) = &mut self.instant;
        if known.as_nanos() / DAY_NS != at.as_nanos() / DAY_NS {
            *known_text = instant_text(at);
        } else if *known != at {
            known_text[DATE..].copy_from_slice(&time(at.as_nanos() % DAY_NS / 1_000_000));
        }
        *known = at;
        self.bytes.extend_from_slice(known_text);
    }

    fn seconds(&mut self, span: Span) {
        let (whole, mut part) = (span.as_nanos() / 1_000_000_000, span.as_nanos() % 1_000_000_000);
        self.digits(whole, whole.checked_ilog10().map_or(1, |log| log as usize + 1));
        if part == 0 {
            return;
        }
        let mut width = 9;
        while part.is_multiple_of(10) {
            (part, width) = (part / 10, width - 1);
        }
        self.bytes.push(b'.');
        self.digits(part, width);
    }

    /// The last digits of a number, so many.
    fn digits(&mut self, mut number: u64, width: usize) {
        let mut text = [b'0'; 20];
        for place in text[..width].iter_mut().rev() {
            *place = digit(number);
            number /= 10;
        }
        self.bytes.extend_from_slice(&text[..width]);
    }
}

/// The time of a day in milliseconds, `00:00:00.000Z`.
fn time(millis: u64) -> [u8; 13] {
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    let [hour, minute, second] = [hours, minutes, seconds].map(|number| [digit(number / 10), digit(number)]);
    let [tenth, hundredth, thousandth] = [millis / 100, millis / 10, millis].map(digit);
    [
        hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1], b'.', tenth, hundredth,
        thousandth, b'Z',
    ]
}

/// The last digit of a number.
const fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// The length of a date with its `T`.
const DATE: usize = 11;

fn instant_text(at: Timestamp) -> [u8; 24] {
    let text = number::instant(at).expect("it is not never");
    text.as_bytes().try_into().expect("years have four digits")
}

/// Whether a text is written as it is: plain, no formula, nothing that ends a cell. Most are.
fn is_harmless(value: &str) -> bool {
    value.bytes().all(|byte| HARMLESS[usize::from(byte)]) && !value.starts_with([' ', '=', '+', '-', '@'])
}

const HARMLESS: [bool; 256] = {
    let mut harmless = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        harmless[byte as usize] = byte != b',' && byte != b'"';
        byte += 1;
    }
    harmless
};

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: impl IntoIterator<Item = Cell<'static>>) -> String {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, ["a"].into_iter()).expect("memory");
        writer.row(cells.into_iter()).and_then(|()| writer.finish()).expect("memory");
        let text = String::from_utf8(bytes).expect("text");
        text.strip_prefix("a\n").and_then(|text| text.strip_suffix('\n')).expect("two lines").to_owned()
    }

    #[test]
    fn a_name_is_never_a_formula() {
        let rows = [
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("\t=1", "' =1"),
            ("web-1", "web-1"),
            ("a,b", "\"a,b\""),
            ("", ""),
        ];
        for (name, cell) in rows {
            assert_eq!(written([Cell::Text(name)]), cell);
        }
    }

    #[test]
    fn times_are_written_as_everywhere_else() {
        let spans = [0, 1, 120, 999_999_999, 1_000_000_000, 4_250_000_000, 86_399_999_999_999, u64::MAX / 2];
        for first in [0, 1_772_409_600_123_999_999].map(Timestamp::from_nanos) {
            for span in spans.map(Span::from_nanos) {
                let at = first + span;
                let expected = [number::instant(first), number::instant(at), Some(number::seconds(span))];
                let cells = [Cell::Instant(first), Cell::Instant(at), Cell::Seconds(span)];
                assert_eq!(written(cells), expected.map(Option::unwrap_or_default).join(","));
            }
        }
        assert_eq!(written([Cell::Instant(Timestamp::NEVER), Cell::EMPTY]), ",");
    }
}
