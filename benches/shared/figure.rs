//! How a figure is printed.

/// One line: name, value, unit, the value over what it may be at most, and whether the bar is met. A
/// missed bar is printed, never asserted.
pub(crate) fn print_at_most(name: &str, value: u64, unit: &str, bar: u64) {
    let percent = value * 100 / bar;
    let verdict = if value <= bar { "met" } else { "missed" };
    println!("{name} {value} {unit} {}.{:02} bar {verdict} (at most {bar})", percent / 100, percent % 100);
}
