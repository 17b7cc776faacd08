//! The table of the original: every quantity with its meaning.

use serde_json::Value;

use super::*;
use crate::base::mark::must_reach;
use crate::control::kubernetes::test_tables::rows;

fn check(row: &Value) {
    let input = row["input"].as_str().expect("an input");
    let quantity = match Quantity::parse(input) {
        Err(error) => return assert_eq!(row["error"], error.to_string(), "{input:?}"),
        Ok(quantity) => quantity,
    };
    assert!(row["error"].is_null(), "{input:?} is an error");
    assert_eq!(row["value"], quantity.value(), "{input:?}");
    assert_eq!(row["milliValue"], quantity.milli_value(), "{input:?} in thousandths");
    assert_eq!(row["canonical"], quantity.to_string(), "{input:?}");
    assert_eq!(row["format"], quantity.format().as_str(), "{input:?}");
    assert_eq!(row["sign"], quantity.sign(), "{input:?}");
    let mut sum = quantity;
    sum.add(&Quantity::thousandths(333));
    assert_eq!(row["plusOneThird"], sum.to_string(), "{input:?} and a third");
}

#[test]
fn every_row_of_the_table() {
    let table = rows("quantity");
    assert_eq!(table.len(), 320);
    let rules = [
        "K 1.2 value rounds up to whole units",
        "K 1.2 text that needs no other suffix is kept",
        "K 1.2 less than a billionth is a billionth",
        "K 1.2 binary suffixes stop at the largest 64-bit number",
        "K 1.2 negative numbers wrap before they are divided",
    ];
    must_reach(&rules, || table.iter().for_each(check));
}

#[test]
fn lists_are_rounded_to_thousandths() {
    let up = &["K 1.2 lists of resources are rounded up to thousandths"][..];
    let rows = [
        (up, "1n", "1m"),
        (up, "1500u", "2m"),
        (up, "-1n", "-1m"),
        (&[], "1.5", "1500m"),
        (&[], "10E", "10E"),
        (&[], "7m", "7m"),
    ];
    for (rules, text, rounded) in rows {
        let mut quantity = Quantity::parse(text).expect("a quantity");
        must_reach(rules, || quantity.round_up_to_milli());
        assert_eq!(quantity.to_string(), rounded, "{text}");
    }
}

#[test]
fn more_is_more() {
    let rows = ["-1E", "-1", "0", "1n", "999m", "1", "1.001", "1k", "1Ki", "1e18", "8Ei", "1e19", "1e1000"];
    let parsed = rows.map(|text| Quantity::parse(text).expect("a quantity"));
    for (place, left) in parsed.iter().enumerate() {
        for (other, right) in parsed.iter().enumerate() {
            assert_eq!(left.compare(right), place.cmp(&other), "{left} and {right}");
        }
    }
}

#[test]
fn hostile_text_is_refused() {
    for text in ["1e1001", "1e-2000000000", "1e99999999999999999999", "\u{0}", "1\n", "e-10"] {
        assert!(Quantity::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(Quantity::parse(&"9".repeat(5000)).expect("long").to_string().len(), 5000);
}
