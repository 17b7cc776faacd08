//! Money over time: what machines, Fargate tasks and an EKS cluster had cost by each instant of a grid.
//!
//! Computed after the run from its rows, so that a run pays nothing for it. Time is counted to the
//! nanosecond: minimum charges and started seconds are left to the bill.

use crate::base::money::HOUR_NS;
use crate::base::{Row, Span, Symbol, Timestamp, Usage};
use crate::catalog::{Item, Rate, price};
use crate::control::ecs::objects::{LaunchType, TaskDefinition};
use crate::sim::plan::Plan;

use super::bill::{STORAGE_INCLUDED, positive};
use super::collector::Measured;
use super::tables::{MachineRow, TaskRow};

/// What had been spent at the start of the run and at each `period` from then on, in 1e-10 USD; as many
/// points as the series of `measured` have. Needs the rows of tasks.
pub fn spent(plan: &Plan, measured: &Measured, period: Span, end: Timestamp) -> Vec<i64> {
    let billed = measured.machines.iter().filter(|row| row.running != Timestamp::NEVER);
    let machines = billed.map(|row| machine(plan, row));
    let tasks = measured.tasks.iter().filter(|row| row.launch_type == LaunchType::Fargate);
    let tasks = tasks.filter(|row| row.times.pull_started != Timestamp::NEVER).map(|row| task(plan, row));
    let mut changes: Vec<(Timestamp, i128)> = Vec::new();
    let cluster = plan.kubernetes.as_ref().map(|_| Use {
        from: plan.start,
        to: end,
        hourly: hourly(price::rate(Item::EksControlPlane, plan.rates.region), 1),
    });
    for Use { from, to, hourly } in machines.chain(tasks).chain(cluster) {
        changes.extend([(from, hourly), (to.min(end).max(from), -hourly)]);
    }
    changes.sort_unstable_by_key(|&(at, _)| at); // sums do not depend on the order within an instant
    integrate(&changes, plan.start, period, measured.occupancy.cpu.capacity.points().len())
}

/// What is paid for by the hour, in 1e-10 USD.
struct Use {
    from: Timestamp,
    to: Timestamp,
    hourly: i128,
}

fn machine(plan: &Plan, row: &MachineRow) -> Use {
    let rates = &plan.rates;
    let hourly = hourly(rates.instances[row.class.index()], 1)
        + hourly(rates.root_volume, positive(rates.root_volume_size.bytes()));
    Use { from: row.running, to: row.terminated, hourly }
}

fn task(plan: &Plan, row: &TaskRow) -> Use {
    let hourly = hourly_of_task(plan, row.definition) + hourly_of_address(plan, row.name.of);
    Use { from: row.times.pull_started, to: row.times.execution_stopped.min(row.times.stopped), hourly }
}

fn hourly_of_task(plan: &Plan, definition: Row<TaskDefinition>) -> i128 {
    let shape = plan.definitions[definition].fargate.expect("a Fargate task has a size");
    let (_, rates) = plan.rates.fargate(&shape);
    let cpu = positive(shape.cpu.parts());
    let above = positive((shape.ephemeral.bytes() - STORAGE_INCLUDED.bytes()).max(0));
    hourly(rates.cpu, cpu)
        + rates.licence.map_or(0, |licence| hourly(licence, cpu))
        + hourly(rates.memory, positive(shape.memory.bytes()))
        + hourly(rates.ephemeral, above)
}

fn hourly_of_address(plan: &Plan, workload: Symbol) -> i128 {
    let service = plan.definitions.services.iter().find(|service| service.name == workload);
    let request = plan.definitions.requests.iter().find(|request| request.name == workload);
    let placing = service.map(|service| &service.placing).or(request.map(|request| &request.placing));
    if placing.is_some_and(|placing| placing.public_address) {
        hourly(plan.rates.public_address, 1)
    } else {
        0
    }
}

/// What `amount` of something costs in an hour.
fn hourly(rate: Rate, amount: u128) -> i128 {
    let price = rate.price.value;
    price.line(Usage { amount: amount * HOUR_NS, unit: price.unit() }).nanos10()
}

/// The integral of what is spent per hour, on the grid.
fn integrate(changes: &[(Timestamp, i128)], start: Timestamp, period: Span, points: usize) -> Vec<i64> {
    let hour = i128::try_from(HOUR_NS).expect("small");
    let mut changes = changes.iter().peekable();
    let (mut since, mut hourly, mut sum) = (start, 0_i128, 0_i128);
    let mut spent = Vec::with_capacity(points);
    let mut at = start;
    for _ in 0..points {
        while let Some(&&(when, by)) = changes.peek().filter(|change| change.0 <= at) {
            sum += hourly * i128::from(when.since(since).as_nanos());
            (since, hourly) = (when, hourly + by);
            changes.next();
        }
        sum += hourly * i128::from(at.since(since).as_nanos());
        since = at;
        spent.push(i64::try_from(sum / hour).unwrap_or(i64::MAX));
        at += period;
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_summed_up_to_each_instant() {
        let start = Timestamp::from_nanos(1_000);
        let at = |minutes| start + Span::minutes(minutes);
        let rows = [
            (vec![], [0, 0, 0, 0]),
            (vec![(at(0), 60), (at(20), -60)], [0, 10, 20, 20]),
            (vec![(at(5), 60), (at(10), 120), (at(25), -180)], [0, 5, 35, 50]),
        ];
        for (changes, points) in rows {
            assert_eq!(integrate(&changes, start, Span::minutes(10), 4), points);
        }
    }
}
