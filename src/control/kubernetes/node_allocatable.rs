//! What an EKS node of an instance type has, and what of it is left for pods (K 4.1 to 4.4 and 4.7).
//!
//! The rules of the AL2023 machine image with its defaults: addresses of the default network card, no
//! prefix delegation, nothing reserved for the system. Knows nothing of Node objects and of clusters.

use crate::base::Bytes;
use crate::catalog::{InstanceType, Orchestrator};
use crate::mark;

/// Amounts of a node, in the units of the API.
///
/// ```
/// use windtunnel::base::Bytes;
/// use windtunnel::catalog;
/// use windtunnel::control::kubernetes::node_allocatable::{allocatable, capacity};
/// let large = catalog::instance_type("m5.large").expect("it exists");
/// let has = capacity(large, Bytes::gib(20));
/// assert_eq!((has.cpu_m, has.pods), (2000, 29));
/// assert_eq!(allocatable(has).cpu_m, 1930);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeAmounts {
    /// CPU in thousandths of a core.
    pub cpu_m: i64,
    /// Memory.
    pub memory: Bytes,
    /// Ephemeral storage.
    pub ephemeral: Bytes,
    /// How many pods.
    pub pods: u32,
    /// GPUs, as the device plugin of their maker shows them.
    pub gpus: u32,
}

/// What a node of a type has, on a root volume of this size.
pub fn capacity(of: &InstanceType, root_volume: Bytes) -> NodeAmounts {
    mark!("K 4.1 a node has the memory that its operating system sees");
    let memory = of.visible_memory(Orchestrator::Eks).value;
    let pods = pods_max(of.pod_enis, of.eni_addresses);
    NodeAmounts { cpu_m: i64::from(of.vcpus) * 1000, memory, ephemeral: root_volume, pods, gpus: of.gpus() }
}

/// What of it pods may request: less what is reserved for Kubernetes, and less the thresholds at which the
/// kubelet evicts. Never less than nothing.
pub fn allocatable(capacity: NodeAmounts) -> NodeAmounts {
    let NodeAmounts { cpu_m, memory, ephemeral, pods, gpus } = capacity;
    mark!("K 4.1 evictions keep memory and ephemeral storage free");
    let memory = memory - memory_reserved(pods) - EVICTION_MEMORY;
    NodeAmounts {
        cpu_m: (cpu_m - cpu_reserved_m(cpu_m)).max(0),
        memory: memory.max(Bytes::ZERO),
        ephemeral: (ephemeral - ephemeral_kept(ephemeral)).max(Bytes::ZERO),
        pods,
        gpus,
    }
}

/// How many pods a node takes: one for each address beside the first of every network interface, and two
/// that use the host's own.
pub fn pods_max(interfaces: u32, addresses: u32) -> u32 {
    mark!("K 4.4 a pod has an address of its own");
    interfaces * addresses.saturating_sub(1) + HOST_NETWORK_PODS
}

/// CPU kept for the kubelet and the runtime, in thousandths of a core: each tier of cores gives its share,
/// rounded down.
fn cpu_reserved_m(total_m: i64) -> i64 {
    mark!("K 4.2 each tier of cores gives a smaller share");
    let of = |&(start_m, end_m, per_10k): &(i64, i64, i64)| {
        (total_m.min(end_m) - start_m).max(0) * per_10k / 10_000
    };
    CPU_TIERS.iter().map(of).sum()
}

/// Memory kept for the kubelet and the runtime.
fn memory_reserved(pods: u32) -> Bytes {
    mark!("K 4.2 memory is reserved by the number of pods");
    Bytes::mib(RESERVED_MIB + RESERVED_MIB_PER_POD * i64::from(pods))
}

fn ephemeral_kept(capacity: Bytes) -> Bytes {
    mark!("K 4.7 a tenth of the root volume and a gibibyte are kept");
    Bytes::gib(1) + Bytes::new(capacity.bytes() / 10)
}

/// From and to in thousandths of a core, and the share in 1/10,000 (K 4.2).
const CPU_TIERS: [(i64, i64, i64); 4] =
    [(0, 1000, 600), (1000, 2000, 100), (2000, 4000, 50), (4000, i64::MAX, 25)];
/// Memory reserved whatever runs (K 4.2).
const RESERVED_MIB: i64 = 255;
/// Memory reserved for each pod that may come (K 4.2).
const RESERVED_MIB_PER_POD: i64 = 11;
/// `memory.available` of the hard eviction (K 4.2).
const EVICTION_MEMORY: Bytes = Bytes::mib(100);
/// `aws-node` and `kube-proxy` (K 4.4).
const HOST_NETWORK_PODS: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;
    use crate::catalog::instance_type;

    fn known(name: &str) -> &'static InstanceType {
        instance_type(name).expect(name)
    }

    #[test]
    fn cpu_is_reserved_by_tiers() {
        let rows = [(1, 60), (2, 70), (4, 80), (8, 90), (16, 110), (32, 150), (48, 190), (64, 230)];
        for (vcpus, reserved) in rows.into_iter().chain([(96, 310), (192, 550)]) {
            let rule = "K 4.2 each tier of cores gives a smaller share";
            assert_eq!(must_reach(&[rule], || cpu_reserved_m(vcpus * 1000)), reserved, "{vcpus}");
        }
    }

    #[test]
    fn memory_is_reserved_by_pods() {
        for (pods, mib) in [(29, 574), (58, 893), (110, 1465), (234, 2829), (737, 8362)] {
            let rule = "K 4.2 memory is reserved by the number of pods";
            assert_eq!(must_reach(&[rule], || memory_reserved(pods)), Bytes::mib(mib), "{pods}");
        }
    }

    #[test]
    fn pods_have_addresses() {
        let rows = [
            ("t3.micro", 4),
            ("t3.small", 11),
            ("t3.medium", 17),
            ("t3.large", 35),
            ("t3.xlarge", 58),
            ("t4g.medium", 17),
            ("m5.large", 29),
            ("m7i.large", 29),
            ("c7g.2xlarge", 58),
            ("m6i.4xlarge", 234),
            ("m5.12xlarge", 234),
            ("m5.16xlarge", 737),
            ("g5.xlarge", 58),
            ("g5.12xlarge", 737),
            ("p4d.24xlarge", 737),
            ("p5.48xlarge", 100),
        ];
        for (name, pods) in rows {
            let of = known(name);
            let found =
                must_reach(&["K 4.4 a pod has an address of its own"], || capacity(of, Bytes::gib(20)));
            assert_eq!(found.pods, pods, "{name}");
        }
    }

    /// Type, capacity and allocatable memory in KiB.
    #[test]
    fn memory_is_what_is_seen_less_what_is_kept() {
        let rules = [
            "K 4.1 a node has the memory that its operating system sees",
            "K 4.1 evictions keep memory and ephemeral storage free",
        ];
        let rows = [("m5.large", 7_816_532, 7_126_356), ("t3.nano", 433_500, 24_924)];
        for (name, has, left) in rows {
            let found = must_reach(&rules, || {
                let has = capacity(known(name), Bytes::gib(20));
                (has.memory.bytes() / 1024, allocatable(has).memory.bytes() / 1024)
            });
            assert_eq!(found, (has, left), "{name}");
        }
    }

    #[test]
    fn root_volumes_keep_some_free() {
        for (gib, left_gib) in [(20, 17), (100, 89), (1, 0)] {
            let left = must_reach(&["K 4.7 a tenth of the root volume and a gibibyte are kept"], || {
                allocatable(capacity(known("m5.large"), Bytes::gib(gib))).ephemeral
            });
            assert_eq!(left, Bytes::gib(left_gib), "{gib}");
        }
    }
}
