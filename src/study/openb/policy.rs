//! The policies of the study: how good a node is for a pod.
//!
//! Each function states one formula of the study, in its order of operations. All knowledge of a node is
//! in [`Gpus`]; nothing here changes anything.

use crate::mark;

use super::devices::{Ask, Devices, Gpus};
use super::fragmentation::Fragmentation;

/// Cores of the largest machine, in thousandths.
const CPU_MOST: i64 = 128_000;
/// Devices of the largest machine, in thousandths.
const DEVICES_MOST: i64 = 8_000;

/// Who chooses the node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Policy {
    /// The node with the least left.
    BestFit,
    /// The node whose free amounts are least like the pod's.
    DotProd,
    /// Devices in use before free ones, used nodes before free ones.
    GpuPacking,
    /// Nodes that run pods of the same kind.
    GpuClustering,
    /// The node whose fragmentation grows least.
    Fgd,
    /// The emptiest node, by the plugin of kube-scheduler.
    LeastAllocated,
    /// The same, with the balance of CPU and memory as kube-scheduler took it at the time of the study.
    LeastAllocatedBalanced,
    /// The same, with the balance as kube-scheduler 1.36 takes it: what the pod changes.
    KubeScheduler,
    /// Any node.
    Random,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Policy; 9] = [
        Policy::BestFit,
        Policy::DotProd,
        Policy::GpuPacking,
        Policy::GpuClustering,
        Policy::Fgd,
        Policy::LeastAllocated,
        Policy::LeastAllocatedBalanced,
        Policy::KubeScheduler,
        Policy::Random,
    ];

    /// As the study spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::BestFit => "BestFit",
            Policy::DotProd => "DotProd",
            Policy::GpuPacking => "GpuPacking",
            Policy::GpuClustering => "GpuClustering",
            Policy::Fgd => "FGD",
            Policy::LeastAllocated => "LeastAllocated",
            Policy::LeastAllocatedBalanced => "LeastAllocated+Balanced",
            Policy::KubeScheduler => "kube-scheduler",
            Policy::Random => "Random",
        }
    }

    /// The policy of a name.
    pub fn find(name: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.name() == name)
    }

    /// How good a node is, by the formula of the policy. Those that leave it to plugins of kube-scheduler or
    /// to luck find all nodes equal. `used` are the shares of CPU and memory that pods would request.
    pub fn score(
        self,
        meaning: &Fragmentation,
        gpus: &Gpus,
        ask: Ask,
        used: impl FnOnce() -> [f64; 2],
    ) -> i64 {
        match self {
            Policy::BestFit => best_fit_upstream_f64(gpus, ask),
            Policy::DotProd => dot_product_upstream_f64(gpus, ask),
            Policy::GpuPacking => packing(gpus, ask),
            Policy::GpuClustering => clustering(gpus, ask),
            Policy::Fgd => least_fragmented(meaning, gpus, ask).0,
            Policy::LeastAllocatedBalanced => evenness_upstream_f64(used()),
            Policy::LeastAllocated | Policy::KubeScheduler | Policy::Random => 0,
        }
    }

    /// The devices that a pod gets on its node.
    pub fn devices(self, meaning: &Fragmentation, gpus: &Gpus, ask: Ask) -> Devices {
        match self {
            Policy::Fgd if ask.shares() => least_fragmented(meaning, gpus, ask).1,
            _ => gpus.first_choice(ask),
        }
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn best_fit_upstream_f64(gpus: &Gpus, ask: Ask) -> i64 {
    let cpu = (gpus.cpu_left - ask.cpu_milli) as f64 / CPU_MOST as f64;
    let devices = (gpus.left_milli() - ask.total_milli()) as f64 / DEVICES_MOST as f64;
    mark!("F BestFit");
    let slack = 0.5 * cpu + 0.5 * devices;
    ((1.0 - slack) * 100.0) as i64
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn dot_product_upstream_f64(gpus: &Gpus, ask: Ask) -> i64 {
    let share = |amount: i64, most: i64| amount as f64 / most as f64;
    let cpu = share(gpus.cpu_left, CPU_MOST) * share(ask.cpu_milli, CPU_MOST);
    let devices = share(gpus.left_milli(), DEVICES_MOST) * share(ask.total_milli(), DEVICES_MOST);
    mark!("F DotProd");
    let likeness = 0.5 * (cpu + devices);
    (100.0 * (1.0 - likeness)) as i64
}

fn packing(gpus: &Gpus, ask: Ask) -> i64 {
    if ask.milli == 0 {
        return 0;
    }
    let untouched = gpus.devices - gpus.touched();
    let free = i64::try_from(untouched).expect("few devices");
    if untouched == gpus.devices {
        mark!("F GpuPacking: an untouched node");
        return (100 / 3 - free).max(free);
    }
    let mut fitting: Vec<i64> =
        gpus.left.iter().filter(|&&left| left >= ask.milli).map(|&left| i64::from(left)).collect();
    fitting.sort_unstable();
    fitting.truncate(ask.devices);
    let opened = fitting.iter().filter(|&&left| left == 1000).count();
    if opened > 0 {
        mark!("F GpuPacking: a free device of a used node");
        return (50 - i64::try_from(opened).expect("few devices")).max(33);
    }
    mark!("F GpuPacking: devices in use");
    let left: i64 = fitting.iter().map(|left| left * 100 / 1000).sum();
    (100 - left / 10).max(50)
}

fn clustering(gpus: &Gpus, ask: Ask) -> i64 {
    let Some(kind) = ask.kind() else { return 0 };
    let base = 25 * (DEVICES_MOST - gpus.left_milli()) / DEVICES_MOST;
    let kinds = gpus.kinds.iter().filter(|&&pods| pods > 0).count();
    mark!("F GpuClustering");
    base + match (gpus.kinds[kind] > 0, kinds) {
        (true, 1) => 75,
        (true, _) => 50,
        (false, 0) => 25,
        (false, _) => 0,
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation)]
fn evenness_upstream_f64([cpu, memory]: [f64; 2]) -> i64 {
    ((1.0 - (cpu - memory).abs()) * 100.0) as i64
}

/// The best score, and the devices that give it: a part of a device is tried on each that will do, and the
/// first of equal scores wins.
fn least_fragmented(meaning: &Fragmentation, gpus: &Gpus, ask: Ask) -> (i64, Devices) {
    let cpu_left = gpus.cpu_left - ask.cpu_milli;
    let score = |devices: Devices| {
        let left = devices.taken_from(&gpus.left, ask.milli);
        let after = meaning.of_upstream_f64(gpus.model, cpu_left, &left);
        gain_upstream_f64(gpus.fragmentation, after)
    };
    if !ask.shares() {
        let devices = gpus.first_choice(ask);
        return (score(devices), devices);
    }
    let mut best = (-1, Devices::default());
    for device in (0..gpus.devices).filter(|&device| gpus.left[device] >= ask.milli) {
        // A device with as much left as an earlier one gives the same score.
        if gpus.left[..device].contains(&gpus.left[device]) {
            continue;
        }
        let devices = Devices::one(device);
        let score = score(devices);
        if score > best.0 {
            mark!("F scores are compared without fraction, and the first of equals wins");
            best = (score, devices);
        }
    }
    best
}

/// The logistic function of what fragmentation falls by, in percent, without fraction.
#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation)]
fn gain_upstream_f64(before: f64, after: f64) -> i64 {
    mark!("F FGD: the logistic function of what fragmentation falls by");
    let fall = (before - after) / 1000.0;
    (1.0 / (1.0 + libm::exp(-fall)) * 100.0) as i64
}
