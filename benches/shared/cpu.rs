//! CPU time of this thread: what a busy machine does not distort.

use std::time::Duration;

/// CPU time that this thread has used, as the kernel counts it.
pub(crate) fn spent() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's CPU time");
    let nanos = text.split(' ').next().expect("the first field is the time on a CPU");
    Duration::from_nanos(nanos.parse().expect("nanoseconds"))
}
