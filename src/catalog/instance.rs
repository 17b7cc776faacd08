//! EC2 instance types: what a machine of each type has, and what its operating system sees.
//!
//! Both orchestrators ask here, so that one type has one memory. Knows nothing of prices, of zones, or of
//! what a scenario overrides.

use std::sync::LazyLock;

use super::figure::{Basis, Figure};
use super::table::{self, Cells};
use crate::base::hash::Map;
use crate::base::{Bandwidth, Bytes, Cpu};
use crate::mark;

/// A type of EC2 instance.
///
/// ```
/// use windtunnel::catalog::{self, Orchestrator};
/// let large = catalog::instance_type("c5.large").expect("it exists");
/// assert_eq!((large.family, large.size, large.vcpus), ("c5", "large", 2));
/// assert_eq!(large.visible_memory(Orchestrator::Ecs).value.mib_down(), 3705);
/// assert_eq!(large.awsvpc_tasks(true).value, 10);
/// ```
#[derive(Debug)]
pub struct InstanceType {
    /// `m7i.large`.
    pub name: &'static str,
    /// `m7i`.
    pub family: &'static str,
    /// `large`.
    pub size: &'static str,
    /// How many vCPUs.
    pub vcpus: u32,
    /// The memory that AWS advertises; less of it is visible.
    pub advertised: Bytes,
    /// What its processors run.
    pub arch: Arch,
    /// What runs below the operating system.
    pub hypervisor: Hypervisor,
    /// Its GPUs, if it has any.
    pub gpu: Option<Gpu>,
    /// How many network interfaces it takes, over all network cards.
    pub max_enis: u32,
    /// How many of them give pods addresses: those of the default network card, as the EKS machine image
    /// counts them.
    pub pod_enis: u32,
    /// How many IPv4 addresses each network interface has.
    pub eni_addresses: u32,
    /// The bandwidth that it always has.
    pub network_baseline: Bandwidth,
    /// The bandwidth that it has for a while; the baseline when no burst is known.
    pub network_burst: Bandwidth,
    /// Whether it runs without a hypervisor.
    pub bare_metal: bool,
    /// Whether its CPU works on credits.
    pub burstable: bool,
    /// The share of each vCPU that a burstable type earns, in 1/10,000; none for others and where unknown.
    pub cpu_baseline: Option<u32>,
    /// Whether AWS counts it among the current ones.
    pub current_generation: bool,
    awsvpc_tasks: u32,
    awsvpc_tasks_trunking: Option<Figure<u32>>,
    visible: Visible,
    pub(super) position: usize,
}

/// The GPUs of an instance type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gpu {
    /// How many, in 1/1000: partitioned types have a part of one.
    pub thousandths: u32,
    /// Manufacturer and model.
    pub model: &'static str,
    /// The memory of each.
    pub memory: Option<Bytes>,
}

/// What processors run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Arch {
    /// 64-bit Intel and AMD.
    X86_64,
    /// 64-bit ARM: Graviton, and Apple silicon.
    Arm64,
}

/// What runs below the operating system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hypervisor {
    /// The present one.
    Nitro,
    /// The former one.
    Xen,
    /// Nothing: bare metal.
    None,
}

/// Who asks for the visible memory, since each reports it in its own step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Orchestrator {
    /// The ECS agent registers whole MiB.
    Ecs,
    /// The kubelet reports KiB.
    Eks,
}

/// Measured points in KiB: the newest of the type, and the newest of each orchestrator.
#[derive(Clone, Copy, Debug)]
struct Visible {
    any: Option<i64>,
    ecs: Option<i64>,
    eks: Option<i64>,
}

/// Every instance type: families in alphabetical order, sizes rising.
pub fn instance_types() -> &'static [InstanceType] {
    &CATALOGUE.types
}

/// The instance type of this exact name.
///
/// ```
/// use windtunnel::catalog;
/// assert!(catalog::instance_type("m7i.large").is_some());
/// assert!(catalog::instance_type("m7i.lrage").is_none());
/// ```
pub fn instance_type(name: &str) -> Option<&'static InstanceType> {
    CATALOGUE.positions.get(name).map(|&position| &CATALOGUE.types[position])
}

impl InstanceType {
    /// The CPU that ECS offers to tasks: all of it.
    pub fn cpu(&self) -> Cpu {
        mark!("CI-13");
        Cpu::vcpus(i64::from(self.vcpus))
    }

    /// How many whole GPUs it shows to containers; a part of one counts as one.
    pub fn gpus(&self) -> u32 {
        self.gpu.map_or(0, |gpu| gpu.thousandths.div_ceil(1000))
    }

    /// The memory that its operating system sees: the measured point, else a fit by hypervisor and
    /// processor. Source: the visible-memory table and its rule.
    pub fn visible_memory(&self, orchestrator: Orchestrator) -> Figure<Bytes> {
        let own = match orchestrator {
            Orchestrator::Ecs => self.visible.ecs,
            Orchestrator::Eks => self.visible.eks,
        };
        let visible = match own.or(self.visible.any) {
            Some(kib) => Figure::listed(Bytes::kib(kib)),
            None => Figure::estimated(Bytes::kib(self.fitted_kib())),
        };
        match orchestrator {
            Orchestrator::Ecs => {
                mark!("CI-12");
                visible.map(|bytes| Bytes::mib(bytes.mib_down()))
            }
            Orchestrator::Eks => visible,
        }
    }

    /// The memory that the ECS agent registers when `reserved` is kept back (`ECS_RESERVED_MEMORY`);
    /// none when nothing would be left, at which registration fails.
    pub fn registered_memory(&self, reserved: Bytes) -> Option<Figure<Bytes>> {
        mark!("CI-11");
        let left = self.visible_memory(Orchestrator::Ecs).map(|visible| visible - reserved);
        (left.value >= Bytes::ZERO).then_some(left)
    }

    /// How many `awsvpc` tasks it holds. Types that cannot trunk hold as many as without.
    pub fn awsvpc_tasks(&self, trunking: bool) -> Figure<u32> {
        mark!("EN-01");
        if let Some(tasks) = self.awsvpc_tasks_trunking.filter(|_| trunking) {
            return tasks;
        }
        mark!("EN-04");
        Figure::listed(self.awsvpc_tasks)
    }

    /// Whether it can trunk.
    pub fn trunks(&self) -> bool {
        self.awsvpc_tasks_trunking.is_some()
    }

    /// How many of its network interfaces are in use with this many `awsvpc` tasks: the primary one and
    /// the trunk, or the primary one and one per task.
    pub fn enis_in_use(&self, awsvpc_tasks: u32, trunking: bool) -> u32 {
        mark!("EN-02");
        if trunking && self.trunks() { 2 } else { 1 + awsvpc_tasks }
    }

    /// Advertised memory less the fitted loss, in KiB, rounded down. All in 1/10,000 MiB.
    fn fitted_kib(&self) -> i64 {
        let advertised = self.advertised.mib_down();
        let (fixed_mib, per_10k) = self.memory_loss();
        let visible = advertised * (10_000 - per_10k) - fixed_mib * 10_000;
        visible.max(0) * 1024 / 10_000
    }

    /// The fitted loss: so many MiB and so many 1/10,000 of the advertised memory.
    fn memory_loss(&self) -> (i64, i64) {
        match (self.hypervisor, self.arch) {
            (Hypervisor::None, Arch::Arm64) => (148, 181),
            (Hypervisor::None, Arch::X86_64) => (400, 158),
            (Hypervisor::Xen, _) => (60, 182),
            (Hypervisor::Nitro, _) if self.advertised <= Bytes::mib(1024) => (75, 280),
            (Hypervisor::Nitro, Arch::Arm64) => (140, 341),
            (Hypervisor::Nitro, Arch::X86_64) if self.is_late_amd() => (160, 364),
            (Hypervisor::Nitro, Arch::X86_64) => (152, 317),
        }
    }

    /// Whether it is an AMD type from generation 6: letters, generation, `a`.
    fn is_late_amd(&self) -> bool {
        let after_letters = self.family.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let attributes = after_letters.trim_start_matches(|c: char| c.is_ascii_digit());
        let generation = &after_letters[..after_letters.len() - attributes.len()];
        generation.parse::<u32>().is_ok_and(|generation| generation >= 6) && attributes.starts_with('a')
    }
}

struct Catalogue {
    types: Vec<InstanceType>,
    positions: Map<&'static str, usize>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let types: Vec<InstanceType> = table::rows(include_str!("../../data/instance_types.csv"), HEADER)
        .enumerate()
        .map(|(position, mut cells)| read(&mut cells, position))
        .collect();
    let mut positions = Map::default();
    for instance_type in &types {
        positions.insert(instance_type.name, instance_type.position);
    }
    Catalogue { types, positions }
});

const HEADER: &str = "instance_type,arch,vcpu,memory_mib,hypervisor,gpus,gpu_model,gpu_mib,max_enis,pod_enis,eni_ipv4,awsvpc,awsvpc_trunk,trunk_basis,net_gbps,net_burst_gbps,cpu_baseline,flags,visible_kib,visible_kib_ecs,visible_kib_eks";

fn read(cells: &mut Cells, position: usize) -> InstanceType {
    let name = cells.text();
    let (family, size) = name.split_once('.').expect("a name is family, dot, size");
    let arch = match cells.text() {
        "a" => Arch::Arm64,
        "x" => Arch::X86_64,
        other => panic!("{other} is no arch"),
    };
    let vcpus = cells.number();
    let advertised = Bytes::mib(cells.number());
    let hypervisor = match cells.text() {
        "nitro" => Hypervisor::Nitro,
        "xen" => Hypervisor::Xen,
        "none" => Hypervisor::None,
        other => panic!("{other} is no hypervisor"),
    };
    let gpu = read_gpu(cells);
    let max_enis = cells.number();
    let (pod_enis, eni_addresses) = (cells.number(), cells.number());
    let awsvpc_tasks = cells.number();
    let awsvpc_tasks_trunking = read_trunking(cells);
    let network_baseline = read_gbps(cells).expect("every type has a bandwidth");
    let network_burst = read_gbps(cells).unwrap_or(network_baseline);
    let cpu_baseline =
        cells.optional_decimal(4).map(|share| u32::try_from(share).expect("a share of a vCPU"));
    let flags = cells.text();
    let visible =
        Visible { any: cells.optional_number(), ecs: cells.optional_number(), eks: cells.optional_number() };
    InstanceType {
        name,
        family,
        size,
        vcpus,
        advertised,
        arch,
        hypervisor,
        gpu,
        max_enis,
        pod_enis,
        eni_addresses,
        network_baseline,
        network_burst,
        bare_metal: flags.contains('m'),
        burstable: flags.contains('b'),
        cpu_baseline,
        current_generation: flags.contains('c'),
        awsvpc_tasks,
        awsvpc_tasks_trunking,
        visible,
        position,
    }
}

fn read_gpu(cells: &mut Cells) -> Option<Gpu> {
    let thousandths = cells.optional_decimal(3);
    let model = cells.text();
    let memory = cells.optional_number().map(Bytes::mib);
    let thousandths = u32::try_from(thousandths?).expect("a number of GPUs");
    Some(Gpu { thousandths, model, memory })
}

fn read_trunking(cells: &mut Cells) -> Option<Figure<u32>> {
    let tasks = cells.optional_number();
    let basis: Option<Basis> = cells.basis();
    Some(Figure { value: tasks?, basis: basis.expect("a number of tasks has a basis") })
}

/// Gigabits per second with up to three places: 1/1000 Gbit/s is 125,000 bytes/s.
fn read_gbps(cells: &mut Cells) -> Option<Bandwidth> {
    let thousandths = cells.optional_decimal(3)?;
    Some(Bandwidth::per_second(u64::try_from(thousandths).expect("a bandwidth") * 125_000))
}

#[cfg(test)]
mod tests;
