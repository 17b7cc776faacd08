//! The text of one csv file, in memory, cell by cell.
//!
//! A file may have millions of cells, so that nothing is allocated for one. Knows nothing of columns.

use std::borrow::Cow;

use crate::base::{Span, Timestamp};
use crate::report::number;

const DAY_NS: u64 = 86_400_000_000_000;

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

/// Writes one row after another.
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// The day of the instant that was written last, and its text up to the `T`: rows come about in the
    /// order of time.
    day: (u64, String),
}

impl Cell<'_> {
    pub(super) const EMPTY: Self = Cell::Word(Cow::Borrowed(""));
}

impl Writer {
    pub(super) fn new<'a>(header: impl Iterator<Item = &'a str>) -> Self {
        let mut writer = Writer { bytes: Vec::new(), day: (0, until_time(Timestamp::from_nanos(0))) };
        writer.row(header.map(|name| Cell::Word(name.into())));
        writer
    }

    /// Adds a row, which has at least one cell.
    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) {
        for cell in cells {
            self.cell(&cell);
            self.bytes.push(b',');
        }
        *self.bytes.last_mut().expect("a row has a cell") = b'\n';
    }

    /// The whole text.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        match *cell {
            Cell::Text(value) => self.text(value),
            Cell::Word(ref value) => self.word(value),
            Cell::Instant(Timestamp::NEVER) => {}
            Cell::Instant(at) => self.instant(at),
            Cell::Seconds(span) => self.seconds(span),
        }
    }

    fn text(&mut self, value: &str) {
        let value = number::plainly(value);
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
        let (day, in_day) = (at.as_nanos() / DAY_NS, at.as_nanos() % DAY_NS);
        if self.day.0 != day {
            self.day = (day, until_time(at));
        }
        self.bytes.extend_from_slice(self.day.1.as_bytes());
        self.bytes.extend_from_slice(&time(in_day / 1_000_000));
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
#[expect(clippy::cast_possible_truncation, reason = "below ten")]
const fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// The text of an instant up to its `T`.
fn until_time(at: Timestamp) -> String {
    let text = number::instant(at).expect("it is not never");
    text.split_inclusive('T').next().expect("a date comes first").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: impl IntoIterator<Item = Cell<'static>>) -> String {
        let mut writer = Writer::new(["a"].into_iter());
        writer.row(cells.into_iter());
        let text = String::from_utf8(writer.finish()).expect("text");
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
