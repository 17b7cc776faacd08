//! The most memory that this process ever had: the kernel's own figure.

/// Peak resident memory in MiB.
pub(crate) fn peak_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux tells a process's memory");
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is in the status");
    let kib = line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
    kib.expect("a number of KiB") / 1024
}
