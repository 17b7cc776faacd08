//! What the benchmarks share: the processor time of this thread.
//!
//! Processor time and not the clock on the wall, so that a busy machine does not decide whether a bar
//! is met. Linux only.

/// The nanoseconds that this thread has spent on a processor.
///
/// Yields first: the kernel brings the figure up to date when the thread gives way.
pub(crate) fn cpu_ns() -> u64 {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts processor time");
    let first = text.split_whitespace().next().and_then(|word| word.parse().ok());
    first.expect("the first word is nanoseconds on a processor")
}
