//! CPU time of this thread: what a busy machine does not distort.

use std::time::Duration;

/// CPU time that this thread has used, as the kernel counts it: up to the last tick, or to the last time
/// that somebody else could have had the core, so the core is offered first.
pub(crate) fn spent() -> Duration {
    std::thread::yield_now();
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's CPU time");
    let nanos = text.split(' ').next().expect("the first field is the time on a CPU");
    Duration::from_nanos(nanos.parse().expect("nanoseconds"))
}
