//! The files of the study: machines, pods, and orders of arrival.
//!
//! Reads text that somebody else opened. Knows nothing of scheduling.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::mark;

use super::devices::{DEVICES_MAX, WHOLE};

/// A machine with GPUs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// MiB.
    pub memory_mib: i64,
    /// How many GPUs.
    pub devices: usize,
    /// Which GPUs.
    pub model: String,
}

/// What a pod asks for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shape {
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// MiB.
    pub memory_mib: i64,
    /// Thousandths of each device; 0 when it wants none.
    pub milli: i64,
    /// How many devices.
    pub devices: i64,
    /// The models that it may have, joined by `|` as in the file; empty for any.
    pub models: String,
}

impl Shape {
    /// The models that it may have; none for any.
    pub fn permitted(&self) -> impl Iterator<Item = &str> {
        self.models.split('|').filter(|model| !model.is_empty())
    }
}

/// Machines and pods.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// Those with GPUs, in the order of the file.
    pub machines: Vec<Machine>,
    /// In the order of their names.
    pub pods: Vec<Shape>,
}

/// Who arrives when, and who wins among equals.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Order {
    /// Pods of the trace, by number; repeats are new pods of the same shape.
    pub arrivals: Vec<usize>,
    /// A rank for each machine: the lowest wins.
    pub ranks: Vec<u64>,
}

/// What is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The row of the table, counted from 1 without the header; 0 for the whole table.
    pub row: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            0 => f.write_str(&self.message),
            row => write!(f, "row {row}: {}", self.message),
        }
    }
}

#[derive(Deserialize)]
struct MachineRow {
    sn: String,
    cpu_milli: u32,
    memory_mib: u32,
    gpu: usize,
    #[serde(default)]
    model: String,
}

#[derive(Deserialize)]
struct PodRow {
    name: String,
    cpu_milli: u32,
    memory_mib: u32,
    num_gpu: u32,
    gpu_milli: Option<u32>,
    #[serde(default)]
    gpu_spec: String,
}

#[derive(Deserialize)]
struct OrderRow {
    kind: String,
    value: u64,
}

impl Trace {
    /// Reads the two tables of a trace.
    ///
    /// ```
    /// use windtunnel::study::openb::Trace;
    /// let machines = "sn,cpu_milli,memory_mib,gpu,model\nold,32000,65536,0,\nnew,64000,131072,2,T4\n";
    /// let pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\nb,4000,8192,1,500,T4|P100\na,1000,64,0,0,\n";
    /// let trace = Trace::read(machines.as_bytes(), pods.as_bytes()).unwrap();
    /// assert_eq!(trace.machines.len(), 1, "only machines with GPUs take part");
    /// assert_eq!((trace.pods[0].milli, trace.pods[1].milli), (0, 500));
    /// ```
    ///
    /// # Errors
    /// The first row that is wrong.
    pub fn read(machines: impl Read, pods: impl Read) -> Result<Self, Invalid> {
        let mut trace = Trace::default();
        for (at, row) in rows::<MachineRow>(machines)?.into_iter().enumerate() {
            if row.gpu > DEVICES_MAX {
                let message = format!("{} GPUs; a machine has at most {DEVICES_MAX}", row.gpu);
                return Err(Invalid { row: at + 1, message });
            }
            if row.gpu > 0 {
                trace.machines.push(Machine {
                    name: row.sn,
                    cpu_milli: i64::from(row.cpu_milli),
                    memory_mib: i64::from(row.memory_mib),
                    devices: row.gpu,
                    model: row.model,
                });
            }
        }
        let mut pods = rows::<PodRow>(pods)?;
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        trace.pods = pods.into_iter().map(shape).collect();
        Ok(trace)
    }

    /// Thousandths of all devices.
    pub fn capacity_milli(&self) -> i64 {
        let devices: usize = self.machines.iter().map(|machine| machine.devices).sum();
        i64::try_from(devices).expect("few devices") * WHOLE
    }
}

impl Order {
    /// Reads an order of arrival for a trace.
    ///
    /// # Errors
    /// The first row that is wrong, or that there is not one rank for each machine.
    pub fn read(table: impl Read, trace: &Trace) -> Result<Self, Invalid> {
        let mut order = Order::default();
        for (at, row) in rows::<OrderRow>(table)?.into_iter().enumerate() {
            let wrong = |message: String| Invalid { row: at + 1, message };
            match &*row.kind {
                "pod" => {
                    let pod = usize::try_from(row.value).ok().filter(|&pod| pod < trace.pods.len());
                    let Some(pod) = pod else {
                        return Err(wrong(format!("the trace has no pod {}", row.value)));
                    };
                    order.arrivals.push(pod);
                }
                "node_rank" => order.ranks.push(row.value),
                other => return Err(wrong(format!("{other:?} is neither pod nor node_rank"))),
            }
        }
        if order.ranks.len() != trace.machines.len() {
            let (ranks, machines) = (order.ranks.len(), trace.machines.len());
            let message = format!("{ranks} ranks for {machines} machines");
            return Err(Invalid { row: 0, message });
        }
        Ok(order)
    }
}

fn rows<T: DeserializeOwned>(table: impl Read) -> Result<Vec<T>, Invalid> {
    let mut reader = csv::Reader::from_reader(table);
    let rows = reader.deserialize().enumerate();
    rows.map(|(at, row)| row.map_err(|error| Invalid { row: at + 1, message: error.to_string() })).collect()
}

fn shape(row: PodRow) -> Shape {
    mark!("F a pod asks for a whole device at most, of each");
    let milli = if row.num_gpu == 0 { 0 } else { i64::from(row.gpu_milli.unwrap_or(0)).min(WHOLE) };
    Shape {
        cpu_milli: i64::from(row.cpu_milli),
        memory_mib: i64::from(row.memory_mib),
        milli,
        devices: i64::from(row.num_gpu),
        models: row.gpu_spec,
    }
}
