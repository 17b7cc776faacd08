//! Reads the embedded tables: comma separated, no quotes, `#` comments, one header row.
//!
//! The tables are part of the program, so whatever is wrong in them is a bug and panics. Knows nothing of
//! what the cells mean.

use std::str::{FromStr, Split};

use super::figure::Basis;

/// The cells of one row, taken from left to right.
pub(super) struct Cells {
    line: &'static str,
    rest: Split<'static, char>,
}

/// Every row of a table that has exactly this header.
pub(super) fn rows(table: &'static str, header: &str) -> impl Iterator<Item = Cells> {
    let mut lines = lines(table);
    assert_eq!(lines.next(), Some(header), "the table has the columns that are read");
    lines.map(|line| Cells { line, rest: line.split(',') })
}

/// The first cell and the cell under `name` of every row, if there is such a column.
pub(super) fn column(
    table: &'static str,
    name: &str,
) -> Option<impl Iterator<Item = (&'static str, &'static str)>> {
    let mut lines = lines(table);
    let position = lines.next()?.split(',').skip(1).position(|column| column == name)?;
    Some(lines.map(move |line| {
        let mut cells = line.split(',');
        let first = cells.next().expect("a row has a first cell");
        (first, cells.nth(position).expect("a row has every cell"))
    }))
}

/// An exact decimal as an integer of 1 / 10^`places`; none when it has more places or does not fit.
pub(super) fn decimal(text: &str, places: u32) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or((1, whole), |digits| (-1, digits));
    let missing = places.checked_sub(u32::try_from(part.len()).ok()?)?;
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !all_digits(digits) || !all_digits(part) {
        return None;
    }
    let whole = digits.parse::<i64>().ok()?.checked_mul(10_i64.checked_pow(places)?)?;
    let part = if part.is_empty() { 0 } else { part.parse::<i64>().ok()? };
    Some(sign * whole.checked_add(part.checked_mul(10_i64.checked_pow(missing)?)?)?)
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

impl Cells {
    /// The next cell.
    pub(super) fn text(&mut self) -> &'static str {
        self.rest.next().unwrap_or_else(|| panic!("a row with fewer cells: {}", self.line))
    }

    /// The next cell, or nothing when it is empty.
    pub(super) fn optional(&mut self) -> Option<&'static str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    /// The next cell as a number.
    pub(super) fn number<T: FromStr>(&mut self) -> T {
        let text = self.text();
        text.parse().unwrap_or_else(|_| panic!("{text} is no number in: {}", self.line))
    }

    /// The next cell as a number, or nothing when it is empty.
    pub(super) fn optional_number<T: FromStr>(&mut self) -> Option<T> {
        let text = self.optional()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{text} is no number in: {}", self.line)))
    }

    /// The next cell as an integer of 1 / 10^`places`, or nothing when it is empty.
    pub(super) fn optional_decimal(&mut self, places: u32) -> Option<i64> {
        let text = self.optional()?;
        Some(decimal(text, places).unwrap_or_else(|| panic!("{text} is not exact in: {}", self.line)))
    }

    /// The next cell as a basis letter, or nothing when it is empty.
    pub(super) fn basis(&mut self) -> Option<Basis> {
        match self.optional()? {
            "L" => Some(Basis::Listed),
            "E" => Some(Basis::Estimated),
            "A" => Some(Basis::Assumed),
            other => panic!("{other} is no basis in: {}", self.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_are_exact_or_refused() {
        let rows = [
            ("0.096", 10, Some(960_000_000)),
            ("21.957642", 10, Some(219_576_420_000)),
            ("0.00138835", 10, Some(13_883_500)),
            ("-0.5", 1, Some(-5)),
            ("7", 0, Some(7)),
            ("0.12345678901", 10, None),
            ("9223372036854775807", 1, None),
            ("", 2, None),
            (".5", 2, None),
            ("1e3", 2, None),
            ("1.-5", 2, None),
            ("1.5.0", 4, None),
        ];
        for (text, places, expected) in rows {
            assert_eq!(decimal(text, places), expected, "{text}");
        }
    }
}
