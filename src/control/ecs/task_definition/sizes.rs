//! The sizes of Fargate tasks (section 1.4 and the three of 32 vCPU).

use crate::mark;

/// What a Fargate size is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Whether Windows tasks may have it; Linux tasks always may.
    pub windows: bool,
}

/// Why there is no such size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoSize {
    /// No size has this CPU.
    Cpu,
    /// This CPU does not come with this memory.
    Pair,
}

/// The size of so many CPU units and MiB.
///
/// # Errors
/// When no size has this CPU, or none has it with this memory.
pub fn size(cpu_units: u32, memory_mib: u32) -> Result<Size, NoSize> {
    mark!("1.4/256");
    let (first, last, step) = match cpu_units {
        256 => return if matches!(memory_mib, 512 | 1024 | 2048) { Ok(Size { windows: false }) } else { Err(NoSize::Pair) },
        512 => (1024, 4096, 1024),
        1024 => (2048, 8192, 1024),
        2048 => (4096, 16384, 1024),
        4096 => (8192, 30720, 1024),
        8192 => (16384, 61440, 4096),
        16384 => (32768, 122_880, 8192),
        32768 => return if matches!(memory_mib, 61440 | 122_880 | 249_856) { Ok(Size { windows: false }) } else { Err(NoSize::Pair) },
        _ => return Err(NoSize::Cpu),
    };
    let there = (first..=last).contains(&memory_mib) && (memory_mib - first) % step == 0;
    if there { Ok(Size { windows: matches!(cpu_units, 1024 | 2048 | 4096) }) } else { Err(NoSize::Pair) }
}
