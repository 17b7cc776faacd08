//! The column of devices: what is left on each GPU of each node, and which pods hold a part of it.
//!
//! A node says how many GPUs it has by the resource `alibabacloud.com/gpu-count`, and which by the label
//! `alibabacloud.com/gpu-card-model`; a pod says how many it wants, and which share of each, by the labels
//! `alibabacloud.com/gpu-count` and `alibabacloud.com/gpu-milli`. The study writes both on pods as
//! annotations of the same names; labels are what a scheduler's row of a pod holds.

use std::fmt;

use crate::base::{Row, Symbol, Symbols};
use crate::control::kubernetes::objects::{NodeSpec, Pod, PodSpec, Specs};
use crate::control::kubernetes::scheduler::NodeInfo;
use crate::mark;

use super::fragmentation::{Fragmentation, Model};

/// A node has so many devices at most.
pub const DEVICES_MAX: usize = 8;
/// Thousandths of a device.
pub const WHOLE: i64 = 1000;
/// The resource of nodes, and the label of pods: how many devices.
pub const COUNT: &str = "alibabacloud.com/gpu-count";
/// The label of pods: thousandths of each device.
pub const MILLI: &str = "alibabacloud.com/gpu-milli";
/// The label of nodes: the model of their devices.
pub const MODEL: &str = "alibabacloud.com/gpu-card-model";

const WHOLE_DEVICE: i32 = 1000;

/// What is left on each device, in thousandths; 0 where there is no device.
pub type Left = [i32; DEVICES_MAX];

/// Some devices of a node: bit `i` for device `i`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Devices(u8);

impl Devices {
    /// One device.
    pub const fn one(device: usize) -> Self {
        Devices(1 << device)
    }

    /// Whether a device is one of them.
    pub const fn has(self, device: usize) -> bool {
        self.0 & (1 << device) != 0
    }

    /// What is left when a share of each of them is taken.
    #[must_use]
    pub fn taken_from(self, left: &Left, milli: i32) -> Left {
        std::array::from_fn(|device| left[device] - if self.has(device) { milli } else { 0 })
    }
}

/// What a pod asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ask {
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// Thousandths of each device; 0 when it wants none.
    pub milli: i32,
    /// How many devices.
    pub devices: usize,
}

/// How a pod uses devices, as `GpuClustering` tells them apart.
pub const KINDS: usize = DEVICES_MAX + 1;

impl Ask {
    /// Whether it is content with a part of one device.
    pub const fn shares(self) -> bool {
        self.milli > 0 && self.milli < WHOLE_DEVICE
    }

    /// Thousandths of devices in all.
    pub fn total_milli(self) -> i64 {
        i64::from(self.milli) * i64::try_from(self.devices).unwrap_or(i64::MAX)
    }

    /// 0 for a part of a device, else how many whole ones; none for a pod that wants none.
    pub const fn kind(self) -> Option<usize> {
        if self.devices == 0 {
            None
        } else if self.shares() {
            Some(0)
        } else {
            Some(self.devices)
        }
    }
}

/// The devices of one node.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gpus {
    /// What is left on each.
    pub left: Left,
    /// How many there are.
    pub devices: usize,
    /// Which.
    pub model: Model,
    /// Thousandths of a core that no pod has requested.
    pub cpu_left: i64,
    /// Pods that are here, by kind.
    pub kinds: [u32; KINDS],
    /// What usual pods cannot use of it, in thousandths of a device.
    pub fragmentation: f64,
}

impl Gpus {
    /// Thousandths that are left in all.
    pub fn left_milli(&self) -> i64 {
        self.left.iter().map(|&left| i64::from(left)).sum()
    }

    /// Whether the devices can do for a pod.
    pub fn fit(&self, ask: Ask) -> bool {
        ask.milli == 0
            || (self.devices > 0
                && self.left.iter().filter(|&&left| left >= ask.milli).count() >= ask.devices)
    }

    /// The devices that a pod gets: the fullest that will do for a part of one, else the first free ones.
    pub fn first_choice(&self, ask: Ask) -> Devices {
        if ask.milli == 0 {
            return Devices::default();
        }
        let fitting = || (0..self.devices).filter(|&device| self.left[device] >= ask.milli);
        if ask.shares() {
            mark!("F a share goes to the fullest device that will do");
            let fullest = fitting().min_by_key(|&device| self.left[device]);
            return fullest.map_or(Devices::default(), Devices::one);
        }
        mark!("F whole devices are taken by number");
        fitting().take(ask.devices).fold(Devices::default(), |all, device| Devices(all.0 | 1 << device))
    }

    /// How many devices hold something.
    pub fn touched(&self) -> usize {
        self.left[..self.devices].iter().filter(|&&left| left < WHOLE_DEVICE).count()
    }
}

/// The devices of every node.
#[derive(Debug)]
pub struct Column {
    words: Words,
    /// What fragmentation means.
    pub meaning: Fragmentation,
    /// By row of the node.
    nodes: Vec<Gpus>,
    /// What pods ask for, by row of their spec, as far as it was read.
    asks: Vec<Option<Result<Ask, Malformed>>>,
    /// By row of the pod: what it holds.
    held: Vec<Option<(Ask, Devices)>>,
    /// Fragmentation of all nodes.
    pub fragmentation: f64,
}

#[derive(Clone, Copy, Debug)]
struct Words {
    count: Symbol,
    milli: Symbol,
    model: Symbol,
}

/// A pod's labels make no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT} must be 1 to {DEVICES_MAX}, {MILLI} 1 to 1000, and less for one device only")
    }
}

impl Column {
    /// A column without nodes.
    pub fn new(meaning: Fragmentation, symbols: &mut Symbols) -> Self {
        let [count, milli, model] = [COUNT, MILLI, MODEL].map(|word| symbols.intern(word));
        Column {
            words: Words { count, milli, model },
            meaning,
            nodes: Vec::new(),
            asks: Vec::new(),
            held: Vec::new(),
            fragmentation: 0.0,
        }
    }

    /// What a spec asks for; it is read once.
    ///
    /// # Errors
    /// When its labels make no sense.
    pub fn ask(&mut self, specs: &Specs, spec: Row<PodSpec>) -> Result<Ask, Malformed> {
        if self.asks.len() <= spec.index() {
            self.asks.resize(spec.index() + 1, None);
        }
        let words = self.words;
        *self.asks[spec.index()].get_or_insert_with(|| words.ask(&specs.symbols, &specs[spec]))
    }

    /// What a spec asks for that was read already.
    pub fn known_ask(&self, spec: Row<PodSpec>) -> Ask {
        let read = self.asks.get(spec.index()).copied().flatten();
        read.and_then(Result::ok).unwrap_or_default()
    }

    /// The devices of a node.
    pub fn gpus(&self, node: Row<NodeInfo>) -> &Gpus {
        &self.nodes[node.index()]
    }

    /// The devices of all nodes.
    pub fn all(&self) -> &[Gpus] {
        &self.nodes
    }

    /// Writes down an empty node: its pods hold nothing.
    pub fn reset(&mut self, specs: &Specs, node: &NodeInfo) {
        for pod in &node.pods {
            if let Some(held) = self.held.get_mut(pod.index()) {
                *held = None;
            }
        }
        let spec = node.spec.map(|spec| &specs[spec]);
        let gpus = spec.map_or_else(Gpus::default, |spec| self.empty(&specs.symbols, spec));
        *self.entry(node.row) = gpus;
        self.measure(node.row, specs, node);
    }

    /// A pod takes devices of a node.
    pub fn take(&mut self, specs: &Specs, node: &NodeInfo, pod: Row<Pod>, ask: Ask, devices: Devices) {
        let gpus = self.entry(node.row);
        gpus.left = devices.taken_from(&gpus.left, ask.milli);
        if let Some(kind) = ask.kind() {
            gpus.kinds[kind] += 1;
        }
        if self.held.len() <= pod.index() {
            self.held.resize(pod.index() + 1, None);
        }
        self.held[pod.index()] = Some((ask, devices));
        self.measure(node.row, specs, node);
    }

    /// A pod gives back what it holds.
    pub fn give_back(&mut self, specs: &Specs, node: &NodeInfo, pod: Row<Pod>) {
        let Some((ask, devices)) = self.held.get_mut(pod.index()).and_then(Option::take) else { return };
        let gpus = self.entry(node.row);
        gpus.left = devices.taken_from(&gpus.left, -ask.milli);
        if let Some(kind) = ask.kind() {
            gpus.kinds[kind] -= 1;
        }
        self.measure(node.row, specs, node);
    }

    fn entry(&mut self, node: Row<NodeInfo>) -> &mut Gpus {
        if self.nodes.len() <= node.index() {
            self.nodes.resize(node.index() + 1, Gpus::default());
        }
        &mut self.nodes[node.index()]
    }

    fn empty(&self, symbols: &Symbols, spec: &NodeSpec) -> Gpus {
        let count = spec.allocatable.extended(self.words.count).unwrap_or(0);
        let devices = usize::try_from(count).unwrap_or(0).min(DEVICES_MAX);
        let model = spec.labels.get(self.words.model).map_or("", |model| symbols.text(model));
        Gpus {
            left: std::array::from_fn(|device| if device < devices { WHOLE_DEVICE } else { 0 }),
            devices,
            model: self.meaning.model(model),
            ..Gpus::default()
        }
    }

    /// Works out anew what depends on the sums of a node.
    #[expect(clippy::float_arithmetic, reason = "a sum of what the study measures in f64")]
    fn measure(&mut self, row: Row<NodeInfo>, specs: &Specs, node: &NodeInfo) {
        let gpus = &mut self.nodes[row.index()];
        let cpu = node.spec.map_or(0, |spec| specs[spec].allocatable.cpu);
        gpus.cpu_left = cpu - node.requested.cpu;
        let before = gpus.fragmentation;
        gpus.fragmentation = self.meaning.of_upstream_f64(gpus.model, gpus.cpu_left, &gpus.left);
        self.fragmentation += gpus.fragmentation - before;
    }
}

impl Words {
    fn ask(&self, symbols: &Symbols, spec: &PodSpec) -> Result<Ask, Malformed> {
        let number = |key| match spec.labels.get(key) {
            None => Ok(0),
            Some(value) => symbols.text(value).parse::<u16>().map_err(|_| Malformed),
        };
        let (devices, milli) = (usize::from(number(self.count)?), i32::from(number(self.milli)?));
        let cpu_milli = spec.requests.effective.cpu;
        let ask = Ask { cpu_milli, milli, devices };
        let none = devices == 0 && milli == 0;
        let sizes = (1..=DEVICES_MAX).contains(&devices) && (1..=WHOLE_DEVICE).contains(&milli);
        let legal = none || (sizes && (devices == 1 || milli == WHOLE_DEVICE));
        legal.then_some(ask).ok_or(Malformed)
    }
}
