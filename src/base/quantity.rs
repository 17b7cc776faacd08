//! How much: CPU, bytes, bytes per second. Integers only; the unit is the type.
//!
//! Knows nothing of tasks or machines, and of text only enough to print itself.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// CPU in 1/128,000 vCPU: a Kubernetes millicore is 128 of them, an ECS unit 125, both exact.
/// Signed, because headroom can be negative on legal input.
///
/// ```
/// use windtunnel::base::Cpu;
/// assert_eq!(Cpu::millicores(1000), Cpu::ecs_units(1024));
/// assert_eq!(Cpu::millicores(300).ecs_units_up(), 308);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cpu(i64);

/// A size in bytes; signed like [`Cpu`].
///
/// ```
/// use windtunnel::base::Bytes;
/// assert_eq!(Bytes::gib(2), Bytes::mib(2048));
/// assert_eq!(Bytes::mib(1536).to_string(), "1.5 GiB");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(i64);

/// Bytes per second; never zero, so that a pull always ends.
///
/// ```
/// use windtunnel::base::Bandwidth;
/// assert_eq!(Bandwidth::per_second(25_000_000).bytes(), 25_000_000);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bandwidth(u64);

macro_rules! quantity {
    ($name:ident) => {
        impl $name {
            /// None of it.
            pub const ZERO: $name = $name(0);
        }
        impl Add for $name {
            type Output = $name;
            fn add(self, other: $name) -> $name {
                $name(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = $name;
            fn sub(self, other: $name) -> $name {
                $name(self.0 - other.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: $name) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: $name) {
                self.0 -= other.0;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = $name>>(all: I) -> $name {
                all.fold($name::ZERO, Add::add)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
quantity!(Cpu);
quantity!(Bytes);

impl Cpu {
    const PER_VCPU: i64 = 128_000;

    /// From Kubernetes millicores.
    pub const fn millicores(milli: i64) -> Self {
        Cpu(milli * 128)
    }

    /// From ECS CPU units, 1024 to a vCPU.
    pub const fn ecs_units(units: i64) -> Self {
        Cpu(units * 125)
    }

    /// From 1/128,000 vCPU.
    pub const fn from_parts(parts: i64) -> Self {
        Cpu(parts)
    }

    /// From whole vCPUs.
    pub const fn vcpus(vcpus: i64) -> Self {
        Cpu(vcpus * Self::PER_VCPU)
    }

    /// Whole ECS units, a started one counted: 0.3 vCPU is 308 units.
    pub const fn ecs_units_up(self) -> i64 {
        (self.0 + 124).div_euclid(125)
    }

    /// Whole ECS units, the rest dropped.
    pub const fn ecs_units_down(self) -> i64 {
        self.0.div_euclid(125)
    }

    /// The count of 1/128,000 vCPU.
    pub const fn parts(self) -> i64 {
        self.0
    }
}

impl Bytes {
    const MIB: i64 = 1 << 20;

    /// A size in bytes.
    pub const fn new(bytes: i64) -> Self {
        Bytes(bytes)
    }

    /// From KiB.
    pub const fn kib(kib: i64) -> Self {
        Bytes(kib << 10)
    }

    /// From MiB.
    pub const fn mib(mib: i64) -> Self {
        Bytes(mib * Self::MIB)
    }

    /// From GiB.
    pub const fn gib(gib: i64) -> Self {
        Bytes(gib * (Self::MIB << 10))
    }

    /// Bytes.
    pub const fn bytes(self) -> i64 {
        self.0
    }

    /// Whole MiB, the rest dropped: what the ECS agent registers.
    pub const fn mib_down(self) -> i64 {
        self.0.div_euclid(Self::MIB)
    }
}

impl Bandwidth {
    /// A rate in bytes per second; zero becomes one.
    pub const fn per_second(bytes: u64) -> Self {
        Bandwidth(if bytes == 0 { 1 } else { bytes })
    }

    /// Bytes per second.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Writes vCPUs: `0.25 vCPU`.
impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_thousandths(f, i128::from(self.0) * 1000 / i128::from(Self::PER_VCPU))?;
        write!(f, " vCPU")
    }
}

/// Writes the largest binary unit that keeps a whole number in front: `1.5 GiB`, `512 MiB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut unit = 0;
        let mut size: i64 = 1;
        while unit + 1 < UNITS.len() && self.0.unsigned_abs() >= size.unsigned_abs() << 10 {
            size <<= 10;
            unit += 1;
        }
        write_thousandths(f, i128::from(self.0) * 1000 / i128::from(size))?;
        write!(f, " {}", UNITS[unit])
    }
}

/// Writes `n` / 1000 without trailing zeros.
fn write_thousandths(f: &mut fmt::Formatter<'_>, n: i128) -> fmt::Result {
    let sign = if n < 0 { "-" } else { "" };
    let n = n.unsigned_abs();
    let digits = format!("{:03}", n % 1000);
    let digits = digits.trim_end_matches('0');
    let dot = if digits.is_empty() { "" } else { "." };
    write!(f, "{sign}{}{dot}{digits}", n / 1000)
}

const _: () = assert!(Cpu::millicores(1000).0 == Cpu::ecs_units(1024).0);
const _: () = assert!(Cpu::vcpus(1).0 == Cpu::ecs_units(1024).0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_for_people() {
        assert_eq!(Cpu::ecs_units(256).to_string(), "0.25 vCPU");
        assert_eq!(Cpu::ecs_units(-2048).to_string(), "-2 vCPU");
        assert_eq!(Bytes::mib(512).to_string(), "512 MiB");
        assert_eq!(Bytes::new(1023).to_string(), "1023 B");
        assert_eq!(Bytes::gib(3).to_string(), "3 GiB");
        assert_eq!(Bytes::new(i64::MIN).to_string(), "-8192 PiB");
    }

    #[test]
    fn units_round_as_named() {
        assert_eq!(Cpu::millicores(300).ecs_units_down(), 307);
        assert_eq!(Bytes::kib(1025).mib_down(), 1);
    }
}
