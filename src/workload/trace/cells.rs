//! The cells of one row as numbers, with a sentence for each that is none.
//!
//! Knows nothing of what the numbers mean.

use crate::base::{Bytes, Span};

use super::table::Table;

/// Times in a trace are below a hundred years.
const SECONDS_MAX: u64 = 100 * 366 * 86_400;
/// The most memory of one task.
const GIB_MAX: u64 = 1 << 20;
/// Characters of a cell that a message shows.
const SHOWN_MAX: usize = 30;

/// The cells of one row that a format reads, in the order of its columns.
pub(super) struct Cells<'a> {
    table: &'a Table,
    columns: &'a [usize],
}

impl<'a> Cells<'a> {
    /// The cells of the row at hand, if it has as many as the header.
    pub(super) fn of(table: &'a Table, columns: &'a [usize]) -> Result<Self, String> {
        let (found, wanted) = table.widths();
        if found != wanted {
            return Err(format!("{found} cells stand where the header has {wanted}"));
        }
        Ok(Cells { table, columns })
    }

    fn text(&self, nth: usize) -> &'a [u8] {
        self.table.cell(self.columns[nth]).unwrap_or_default().trim_ascii()
    }

    /// A whole number of at most `most`.
    pub(super) fn whole(&self, nth: usize, name: &str, most: u64) -> Result<u64, String> {
        let text = self.text(nth);
        let value = digits(text).ok_or_else(|| refused(name, "a whole number", text))?;
        if value > most {
            return Err(format!("{name} is {value}, more than {most}"));
        }
        Ok(value)
    }

    /// A whole number of at least 1.
    pub(super) fn positive(&self, nth: usize, name: &str, most: u64) -> Result<u64, String> {
        match self.whole(nth, name, most)? {
            0 => Err(format!("{name} is 0")),
            value => Ok(value),
        }
    }

    /// Whole seconds.
    pub(super) fn seconds(&self, nth: usize, name: &str) -> Result<Span, String> {
        self.whole(nth, name, SECONDS_MAX).map(Span::seconds)
    }

    /// Whole seconds, or nothing.
    pub(super) fn seconds_if_any(&self, nth: usize, name: &str) -> Result<Option<Span>, String> {
        if self.text(nth).is_empty() { Ok(None) } else { self.seconds(nth, name).map(Some) }
    }

    /// 0 or 1.
    pub(super) fn flag(&self, nth: usize, name: &str) -> Result<bool, String> {
        match self.text(nth) {
            b"0" => Ok(false),
            b"1" => Ok(true),
            text => Err(refused(name, "0 or 1", text)),
        }
    }

    /// GiB with up to three decimals, rounded up to MiB; not zero.
    pub(super) fn gib(&self, nth: usize, name: &str) -> Result<Bytes, String> {
        let text = self.text(nth);
        let wrong = || refused(name, "a number of GiB", text);
        let mut parts = text.splitn(2, |&letter| letter == b'.');
        let whole = digits(parts.next().unwrap_or_default()).ok_or_else(wrong)?;
        let decimals = match parts.next() {
            None => 0,
            Some(part) if (1..=3).contains(&part.len()) => {
                digits(part).ok_or_else(wrong)?
                    * 10_u64.pow(3 - u32::try_from(part.len()).expect("3 at most"))
            }
            Some(_) => return Err(wrong()),
        };
        if whole >= GIB_MAX {
            return Err(format!("{name} is more than {GIB_MAX} GiB"));
        }
        let mib = (whole * 1000 + decimals) * 1024;
        let mib = i64::try_from(mib.div_ceil(1000)).expect("below 2^31");
        if mib == 0 { Err(format!("{name} is 0")) } else { Ok(Bytes::mib(mib)) }
    }
}

fn refused(name: &str, wanted: &str, text: &[u8]) -> String {
    if text.is_empty() {
        return format!("{name} is empty, {wanted} is wanted");
    }
    let text = String::from_utf8_lossy(text);
    let shown: String = text.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    format!("{name} is \"{shown}\", {wanted} is wanted")
}

/// Decimal digits and nothing else.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, letter| {
        let digit = letter.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
