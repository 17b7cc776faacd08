//! A whole percentage and its two roundings, in integer arithmetic.
//!
//! Knows nothing of what is being shared out.

/// A whole percentage, as ECS writes `minimumHealthyPercent`.
///
/// ```
/// use windtunnel::base::Percent;
/// assert_eq!(Percent(33).of_up(10), 4);
/// assert_eq!(Percent(133).of_down(10), 13);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Percent(pub u32);

impl Percent {
    /// The share of `whole`, a started one counted: `ceil(whole * p / 100)`.
    pub const fn of_up(self, whole: u32) -> u32 {
        narrow((whole as u64 * self.0 as u64).div_ceil(100))
    }

    /// The share of `whole`, the rest dropped: `floor(whole * p / 100)`.
    pub const fn of_down(self, whole: u32) -> u32 {
        narrow(whole as u64 * self.0 as u64 / 100)
    }
}

/// Shares beyond 32 bits mean "no limit" to every caller.
#[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
const fn narrow(share: u64) -> u32 {
    if share > u32::MAX as u64 { u32::MAX } else { share as u32 }
}
