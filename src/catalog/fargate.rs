//! Fargate: which task sizes exist, and what they cost where.
//!
//! Knows nothing of how long a task is billed, nor of what a request that names another size is answered.

use std::fmt;
use std::sync::LazyLock;

use super::figure::{Basis, Figure};
use super::price::Rate;
use super::table::{self, Cells};
use crate::base::{Bytes, Cpu, Price, Unit};
use crate::mark;

/// A task size of Fargate.
///
/// ```
/// use windtunnel::catalog::fargate::{self, PlatformVersion};
/// let size = fargate::size(1024, 2048).expect("it exists");
/// assert!(size.windows);
/// let large = fargate::size(16384, 32768).expect("it exists");
/// assert_eq!(large.linux_from, PlatformVersion::V1_4_0);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// CPU units, 1024 to a vCPU.
    pub cpu_units: u32,
    /// MiB.
    pub memory_mib: u32,
    /// Whether Windows tasks may have it; Linux tasks always may.
    pub windows: bool,
    /// The first Linux platform version that has it.
    pub linux_from: PlatformVersion,
}

/// A Linux platform version; `LATEST` is 1.4.0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PlatformVersion {
    /// 1.3.0.
    V1_3_0,
    /// 1.4.0.
    V1_4_0,
}

/// Why there is no such size; writes the words of AWS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoSize {
    /// No size has this CPU.
    Cpu,
    /// This CPU does not come with this memory.
    Pair,
}

/// What a Fargate task runs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Platform {
    /// Linux on Intel and AMD.
    LinuxX86_64,
    /// Linux on Graviton.
    LinuxArm64,
    /// Windows on Intel and AMD.
    WindowsX86_64,
}

/// What Fargate costs for one platform in one region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Per vCPU-hour.
    pub cpu: Rate,
    /// Per GiB-hour.
    pub memory: Rate,
    /// The fee for the operating system per vCPU-hour, where there is one.
    pub licence: Option<Rate>,
    /// Spot per vCPU-hour and per GiB-hour, a snapshot; none for Windows.
    pub spot: Option<(Rate, Rate)>,
    /// Ephemeral storage above 20 GiB, per GiB-hour.
    pub ephemeral: Rate,
}

/// All 77 sizes, smallest first.
pub fn sizes() -> &'static [Size] {
    &SIZES
}

/// The size of so many CPU units and MiB.
///
/// # Errors
/// When no size has this CPU, or none has it with this memory.
pub fn size(cpu_units: u32, memory_mib: u32) -> Result<&'static Size, NoSize> {
    let of_cpu = || SIZES.iter().filter(|size| size.cpu_units == cpu_units);
    #[cfg(test)]
    reach_row(cpu_units);
    of_cpu().find(|size| size.memory_mib == memory_mib).ok_or_else(|| {
        mark!("TD-31");
        if of_cpu().next().is_some() { NoSize::Pair } else { NoSize::Cpu }
    })
}

/// The rates of a platform in a region; none where Fargate's prices are not known.
pub fn rates(region: &str, platform: Platform) -> Option<&'static Rates> {
    let row = RATES.iter().find(|(of, on, _)| *of == region && *on == platform);
    row.map(|(_, _, rates)| rates)
}

impl Size {
    /// Its CPU.
    pub fn cpu(&self) -> Cpu {
        Cpu::ecs_units(i64::from(self.cpu_units))
    }

    /// Its memory.
    pub fn memory(&self) -> Bytes {
        Bytes::mib(i64::from(self.memory_mib))
    }

    /// Whether a task of it may run on a platform of a version; Windows has none of these versions.
    pub fn runs_on(&self, platform: Platform, version: PlatformVersion) -> bool {
        mark!("TD-30");
        match platform {
            Platform::LinuxX86_64 | Platform::LinuxArm64 => version >= self.linux_from,
            Platform::WindowsX86_64 => self.windows,
        }
    }
}

impl PlatformVersion {
    /// What `LATEST` means for Linux.
    pub const LATEST: PlatformVersion = PlatformVersion::V1_4_0;
}

impl fmt::Display for NoSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoSize::Cpu => "Invalid 'cpu' setting for task.",
            NoSize::Pair => "No Fargate configuration exists for given values.",
        })
    }
}

impl std::error::Error for NoSize {}

/// The sizes are data: this names the row of section 1.4 that a lookup reads.
#[cfg(test)]
fn reach_row(cpu_units: u32) {
    match cpu_units {
        256 => {
            mark!("1.4/256");
        }
        512 => {
            mark!("1.4/512");
        }
        1024 => {
            mark!("1.4/1024");
        }
        2048 => {
            mark!("1.4/2048");
        }
        4096 => {
            mark!("1.4/4096");
        }
        8192 => {
            mark!("1.4/8192");
        }
        16384 => {
            mark!("1.4/16384");
        }
        _ => {}
    }
}

static SIZES: LazyLock<Vec<Size>> = LazyLock::new(|| {
    let table = include_str!("../../data/fargate_sizes.csv");
    table::rows(table, "cpu_units,memory_mib,windows,min_linux_platform_version")
        .map(|mut cells| Size {
            cpu_units: cells.number(),
            memory_mib: cells.number(),
            windows: cells.number(),
            linux_from: match cells.text() {
                "1.3.0" => PlatformVersion::V1_3_0,
                "1.4.0" => PlatformVersion::V1_4_0,
                other => panic!("{other} is no platform version"),
            },
        })
        .collect()
});

static RATES: LazyLock<Vec<(&str, Platform, Rates)>> = LazyLock::new(|| {
    table::rows(include_str!("../../data/fargate_prices.csv"), RATES_HEADER)
        .map(|mut cells| (cells.text(), read_platform(&mut cells), read_rates(&mut cells)))
        .collect()
});

const RATES_HEADER: &str = "region,os,arch,usd_per_vcpu_hour,usd_per_gb_hour,usd_os_license_per_vcpu_hour,spot_usd_per_vcpu_hour,spot_usd_per_gb_hour,ephemeral_usd_per_gb_hour,basis,spot_basis,ephemeral_basis,source,as_of";

fn read_platform(cells: &mut Cells) -> Platform {
    match (cells.text(), cells.text()) {
        ("linux", "x86_64") => Platform::LinuxX86_64,
        ("linux", "arm64") => Platform::LinuxArm64,
        ("windows", "x86_64") => Platform::WindowsX86_64,
        other => panic!("{other:?} is no platform"),
    }
}

fn read_rates(cells: &mut Cells) -> Rates {
    let mut usd = || cells.optional_decimal(10);
    let (cpu, memory, licence) = (usd(), usd(), usd().filter(|&fee| fee != 0));
    let (spot_cpu, spot_memory, ephemeral) = (usd(), usd(), usd());
    let mut basis = || cells.basis();
    let (on_demand_basis, spot_basis, ephemeral_basis) = (basis(), basis(), basis());
    let (source, as_of) = (cells.text(), cells.text());
    let rate = |nanos10: i64, unit, basis: Option<Basis>, source, as_of| Rate {
        price: Figure { value: Price::per_hour(nanos10, unit), basis: basis.expect("a rate has a basis") },
        source,
        as_of,
    };
    let on_demand = |nanos10, unit| rate(nanos10, unit, on_demand_basis, source, as_of);
    let (spot_source, spot_as_of) = match spot_basis {
        Some(Basis::Listed) => (source, as_of),
        Some(Basis::Estimated | Basis::Assumed) | None => ("x86 spot times the on-demand ratio", ""),
    };
    let spot = |nanos10, unit| rate(nanos10, unit, spot_basis, spot_source, spot_as_of);
    let ephemeral_source = match ephemeral_basis {
        Some(Basis::Listed) => "public price pages",
        Some(Basis::Estimated | Basis::Assumed) | None => "us-east-1 times the gp2 ratio",
    };
    Rates {
        cpu: on_demand(cpu.expect("a price per vCPU"), Unit::CpuNs),
        memory: on_demand(memory.expect("a price per GiB"), Unit::ByteNs),
        licence: licence.map(|fee| on_demand(fee, Unit::CpuNs)),
        spot: spot_cpu
            .zip(spot_memory)
            .map(|(cpu, memory)| (spot(cpu, Unit::CpuNs), spot(memory, Unit::ByteNs))),
        ephemeral: rate(
            ephemeral.expect("a price of storage"),
            Unit::ByteNs,
            ephemeral_basis,
            ephemeral_source,
            "",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;
    use crate::base::money::HOUR_NS;
    use crate::base::{Money, Usage};

    #[test]
    fn all_sizes_of_section_1_4() {
        let step = |cpu: u32, from: u32, to: u32, by: usize| {
            (from..=to).step_by(by).map(move |memory| (cpu, memory))
        };
        let expected: Vec<(u32, u32)> = [(256, 512), (256, 1024), (256, 2048)]
            .into_iter()
            .chain(step(512, 1024, 4096, 1024))
            .chain(step(1024, 2048, 8192, 1024))
            .chain(step(2048, 4096, 16384, 1024))
            .chain(step(4096, 8192, 30720, 1024))
            .chain(step(8192, 16384, 61440, 4096))
            .chain(step(16384, 32768, 122_880, 8192))
            .chain([(32768, 61440), (32768, 122_880), (32768, 249_856)])
            .collect();
        let known: Vec<(u32, u32)> = sizes().iter().map(|size| (size.cpu_units, size.memory_mib)).collect();
        assert_eq!(known.len(), 77);
        assert_eq!(known, expected);
    }

    /// The least and the most memory of each row, and what lies just outside.
    #[test]
    fn rows_of_section_1_4() {
        let rows = [
            ("1.4/256", 256, 512, 2048, 512),
            ("1.4/512", 512, 1024, 4096, 1024),
            ("1.4/1024", 1024, 2048, 8192, 1024),
            ("1.4/2048", 2048, 4096, 16384, 1024),
            ("1.4/4096", 4096, 8192, 30720, 1024),
            ("1.4/8192", 8192, 16384, 61440, 4096),
            ("1.4/16384", 16384, 32768, 122_880, 8192),
        ];
        for (rule, cpu, least, most, step) in rows {
            for (memory, is_size) in
                [(least, true), (most, true), (least - step, false), (most + step, false)]
            {
                let found = must_reach(&[rule], || size(cpu, memory));
                assert_eq!(found.is_ok(), is_size, "{cpu}/{memory}");
            }
        }
    }

    #[test]
    fn sizes_know_where_they_run() {
        use Platform::{LinuxArm64, LinuxX86_64, WindowsX86_64};
        use PlatformVersion::{V1_3_0, V1_4_0};
        let rows = [
            (256, 512, LinuxX86_64, V1_3_0, true),
            (256, 512, WindowsX86_64, V1_4_0, false),
            (1024, 2048, WindowsX86_64, V1_4_0, true),
            (4096, 30720, WindowsX86_64, V1_4_0, true),
            (8192, 16384, LinuxArm64, V1_3_0, false),
            (8192, 16384, LinuxArm64, V1_4_0, true),
            (8192, 16384, WindowsX86_64, V1_4_0, false),
            (16384, 122_880, LinuxX86_64, V1_3_0, false),
        ];
        for (cpu, memory, platform, version, expected) in rows {
            let runs =
                must_reach(&["TD-30"], || size(cpu, memory).expect("a size").runs_on(platform, version));
            assert_eq!(runs, expected, "{cpu}/{memory} on {platform:?} {version:?}");
        }
    }

    #[test]
    fn other_sizes_are_refused_in_the_words_of_aws() {
        let rows = [
            (256, 4096, NoSize::Pair),
            (300, 512, NoSize::Cpu),
            (0, 0, NoSize::Cpu),
            (8192, 17408, NoSize::Pair),
        ];
        for (cpu, memory, expected) in rows {
            assert_eq!(must_reach(&["TD-31"], || size(cpu, memory)), Err(expected), "{cpu}/{memory}");
        }
        assert_eq!(NoSize::Pair.to_string(), "No Fargate configuration exists for given values.");
    }

    /// What a task of a size costs for some seconds.
    fn cost(platform: Platform, cpu: Cpu, memory: Bytes, seconds: u128) -> Money {
        let rates = rates("us-east-1", platform).expect("rates");
        let ns = seconds * HOUR_NS / 3600;
        let amount = |parts: i64| u128::from(parts.unsigned_abs()) * ns;
        rates.cpu.price.value.line(Usage { amount: amount(cpu.parts()), unit: Unit::CpuNs })
            + rates.memory.price.value.line(Usage { amount: amount(memory.bytes()), unit: Unit::ByteNs })
    }

    #[test]
    fn money_vectors() {
        let (quarter, half_gib) = (Cpu::ecs_units(256), Bytes::mib(512));
        assert_eq!(cost(Platform::LinuxX86_64, quarter, half_gib, 3600).to_string(), "0.0123425");
        assert_eq!(cost(Platform::LinuxArm64, Cpu::vcpus(4), Bytes::gib(8), 90).to_string(), "0.00395");
    }

    #[test]
    fn rates_of_section_12_1() {
        let (x86, arm, windows) = (Platform::LinuxX86_64, Platform::LinuxArm64, Platform::WindowsX86_64);
        let nanos10 = |rate: Rate| rate.price.value.nanos10();
        let rows = [
            (x86, 404_800_000, 44_450_000),
            (arm, 323_800_000, 35_600_000),
            (windows, 914_800_000, 100_500_000),
        ];
        for (platform, cpu, memory) in rows {
            let rates = rates("us-east-1", platform).expect("rates");
            assert_eq!((nanos10(rates.cpu), nanos10(rates.memory)), (cpu, memory), "{platform:?}");
            assert_eq!(rates.cpu.price.basis, Basis::Listed);
            assert_eq!(nanos10(rates.ephemeral), 1_110_000);
            assert_eq!(rates.licence.map(nanos10), (platform == windows).then_some(460_000_000));
            assert_eq!(rates.spot.is_some(), platform != windows);
        }
        let frankfurt = rates("eu-central-1", arm).expect("rates");
        assert_eq!(frankfurt.cpu.to_string(), "estimated; x86*0.8");
        assert_eq!(rates("il-central-1", x86), None);
    }
}
