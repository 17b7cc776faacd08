//! What a piece of work comes to, and the CPU time that it takes.

use std::time::Duration;

use crate::cpu;

/// Does some work once.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = cpu::spent();
    let result = work();
    (result, cpu::spent().checked_sub(before).expect("CPU time rises"))
}

/// Does some work three times, and keeps the fastest: what disturbs a run only makes it longer.
pub(crate) fn best_of_three<T>(mut work: impl FnMut() -> T) -> (T, Duration) {
    (0..3).map(|_| timed(&mut work)).min_by_key(|&(_, spent)| spent).expect("three runs")
}
