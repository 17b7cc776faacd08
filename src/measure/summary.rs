//! The table of all measures: name, unit, definition, and how one is computed from a run.
//!
//! One list feeds the terminal, the csv header, the report and the documentation. Knows nothing of
//! how a number is printed, but for its decimals.

use crate::base::Money;

use super::bill::Component;
use super::collector::Measured;
use super::occupancy::Levels;

/// One number that a run comes down to.
#[derive(Clone, Copy)]
pub struct Measure {
    /// Its name in files: `start_p99_s`.
    pub name: &'static str,
    /// What people read: `time to start, p99`.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it means.
    pub about: &'static str,
    /// How many decimals are printed.
    pub decimals: usize,
    /// Computed from one run; none where the run has no such thing.
    pub(super) of: fn(&Measured) -> Option<f64>,
}

impl std::fmt::Debug for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measure({})", self.name)
    }
}

macro_rules! measure {
    ($name:literal, $label:literal, $unit:literal, $decimals:literal, $about:literal, $of:expr) => {
        Measure { name: $name, label: $label, unit: $unit, about: $about, decimals: $decimals, of: $of }
    };
}

/// Every measure, in the order of the table.
pub const MEASURES: &[Measure] = &[
    measure!("cost_usd", "cost", "USD", 2, "The sum of the bill over the run.", |m| usd(m.bill.total())),
    measure!("cost_compute_usd", "  compute", "USD", 2, "Instances, or the vCPUs of Fargate tasks.", |m| {
        usd(m.bill.of(Component::Compute))
    }),
    measure!(
        "cost_memory_usd",
        "  memory",
        "USD",
        2,
        "The memory of Fargate tasks; part of the instance on EC2.",
        |m| { usd(m.bill.of(Component::Memory)) }
    ),
    measure!(
        "cost_storage_usd",
        "  storage",
        "USD",
        2,
        "Root volumes, or ephemeral storage above what is included.",
        |m| { usd(m.bill.of(Component::Storage)) }
    ),
    measure!("cost_address_usd", "  public IPv4", "USD", 2, "Public IPv4 addresses.", |m| {
        usd(m.bill.of(Component::Address))
    }),
    measure!(
        "cost_control_plane_usd",
        "  control plane",
        "USD",
        2,
        "The control plane of EKS; that of ECS has no price.",
        |m| of_cluster(m, usd(m.bill.of(Component::ControlPlane)))
    ),
    measure!(
        "place_p50_s",
        "time to place, p50",
        "s",
        2,
        "From arrival, of a pod its creation, to placement, of a pod its binding; half are faster.",
        |m| m.to_place.seconds_at(50.0)
    ),
    measure!("place_p90_s", "time to place, p90", "s", 2, "From arrival to placement.", |m| m
        .to_place
        .seconds_at(90.0)),
    measure!("place_p99_s", "time to place, p99", "s", 2, "From arrival to placement.", |m| m
        .to_place
        .seconds_at(99.0)),
    measure!("place_max_s", "time to place, max", "s", 2, "From arrival to placement.", |m| m
        .to_place
        .seconds_at(100.0)),
    measure!(
        "start_p50_s",
        "time to start, p50",
        "s",
        2,
        "From arrival to RUNNING: all containers started; of a pod, its phase Running.",
        |m| m.to_start.seconds_at(50.0)
    ),
    measure!("start_p90_s", "time to start, p90", "s", 2, "From arrival to RUNNING.", |m| m
        .to_start
        .seconds_at(90.0)),
    measure!("start_p99_s", "time to start, p99", "s", 2, "From arrival to RUNNING.", |m| m
        .to_start
        .seconds_at(99.0)),
    measure!("start_max_s", "time to start, max", "s", 2, "From arrival to RUNNING.", |m| m
        .to_start
        .seconds_at(100.0)),
    measure!(
        "ready_p50_s",
        "time to ready, p50",
        "s",
        2,
        "From arrival to HEALTHY, or to RUNNING without a health check; of a pod, to its condition Ready.",
        |m| m.to_ready.seconds_at(50.0)
    ),
    measure!("ready_p90_s", "time to ready, p90", "s", 2, "From arrival to ready.", |m| m
        .to_ready
        .seconds_at(90.0)),
    measure!("ready_p99_s", "time to ready, p99", "s", 2, "From arrival to ready.", |m| m
        .to_ready
        .seconds_at(99.0)),
    measure!("ready_max_s", "time to ready, max", "s", 2, "From arrival to ready.", |m| m
        .to_ready
        .seconds_at(100.0)),
    measure!(
        "cpu_allocated_pct",
        "CPU allocated",
        "%",
        1,
        "Reserved over registered CPU, weighted by time; 100 on Fargate, where a task brings what it reserves. Of a node, requested over allocatable.",
        |m| allocated(&m.occupancy.cpu)
    ),
    measure!(
        "memory_allocated_pct",
        "memory allocated",
        "%",
        1,
        "Reserved over registered memory, weighted by time.",
        |m| allocated(&m.occupancy.memory)
    ),
    measure!(
        "cpu_stranded_pct",
        "free CPU stranded",
        "%",
        1,
        "Of the free CPU, the share on instances where no task or pod of the plan fits any more; none where nothing is free.",
        |m| stranded(&m.occupancy.cpu)
    ),
    measure!(
        "memory_stranded_pct",
        "free memory stranded",
        "%",
        1,
        "Of the free memory, the share on instances where no task or pod of the plan fits any more.",
        |m| stranded(&m.occupancy.memory)
    ),
    measure!(
        "instances_peak",
        "instances, peak",
        "",
        0,
        "Most container instances registered, or nodes Ready, at once.",
        |m| whole(m.occupancy.instances.peak())
    ),
    measure!("running_peak", "tasks running, peak", "", 0, "Most tasks or pods in RUNNING at once.", |m| {
        whole(m.occupancy.running.peak())
    }),
    measure!("tasks_started", "tasks started", "", 0, "Tasks or pods that reached RUNNING.", |m| count(
        m.counts.started
    )),
    measure!(
        "tasks_failed",
        "tasks failed",
        "",
        0,
        "Tasks that stopped by themselves with an error: an essential container exited with a code other than 0, or the task never started; pods that failed.",
        |m| count(m.counts.failed)
    ),
    measure!(
        "tasks_failed_to_start",
        "  before RUNNING",
        "",
        0,
        "Of those, the ones that never reached RUNNING.",
        |m| count(m.counts.failed_to_start)
    ),
    measure!(
        "tasks_refused",
        "tasks refused",
        "",
        0,
        "Standalone tasks whose call ended in a failure: nothing was created. Pods wait instead.",
        |m| if m.kubernetes { None } else { count(m.counts.refused) }
    ),
    measure!(
        "pending_end",
        "pods pending at the end",
        "",
        0,
        "Pods without a node when the run ends.",
        |m| { of_cluster(m, count(m.counts.pending)) }
    ),
    measure!(
        "preempted",
        "pods preempted",
        "",
        0,
        "Pods that were deleted to make room for others of higher priority.",
        |m| of_cluster(m, count(m.counts.preempted))
    ),
];

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::unnecessary_wraps,
    reason = "the float island of measures; every measure may be absent"
)]
fn usd(money: Money) -> Option<f64> {
    Some(money.nanos10() as f64 / 1e10)
}

/// What only a Kubernetes cluster has.
fn of_cluster(measured: &Measured, value: Option<f64>) -> Option<f64> {
    value.filter(|_| measured.kubernetes)
}

fn allocated(levels: &Levels) -> Option<f64> {
    percent(levels.reserved.integral(), levels.capacity.integral())
}

fn stranded(levels: &Levels) -> Option<f64> {
    percent(levels.stranded.integral(), levels.capacity.integral() - levels.reserved.integral())
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the float island of measures")]
fn percent(part: i128, whole: i128) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::unnecessary_wraps,
    reason = "counts stay below 2^53; every measure may be absent"
)]
fn whole(value: i64) -> Option<f64> {
    Some(value as f64)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::unnecessary_wraps,
    reason = "counts stay below 2^53; every measure may be absent"
)]
fn count(value: u64) -> Option<f64> {
    Some(value as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_described_once() {
        let mut names: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MEASURES.len());
        assert!(MEASURES.iter().all(|measure| measure.about.ends_with('.') && !measure.label.is_empty()));
    }
}
