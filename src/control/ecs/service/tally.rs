//! The live tasks of one service, counted as they change.
//!
//! A look at a service must not walk over its tasks, so every edit moves a task between a few
//! counters; only tasks whose worth will change by time alone, or that are to be replaced, are held
//! by row. Knows nothing of what is done about the counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Row, Span, Timestamp};
use crate::mark;

use super::super::objects::{Definitions, Desired, Health, Task, TaskDefinition, TaskStatus};

/// How many tasks a service has, and how many of them count.
///
/// ```
/// use windtunnel::control::ecs::service::Tally;
/// let tally = Tally::default();
/// assert_eq!((tally.live(), tally.counted()), (0, 0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pending: u32,
    running: u32,
    counted: u32,
    /// Running tasks that count as soon as this time has come.
    young: BTreeSet<(Timestamp, Row<Task>)>,
    /// Tasks that fail their health check, and when their grace ends.
    unhealthy: BTreeMap<Row<Task>, Timestamp>,
}

/// The spans that decide what a task is worth.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a health check: it counts after running this long (section 5.4).
    pub healthy_after: Span,
    /// With one: it may fail for this long (SVC-21).
    pub grace: Span,
}

/// What one live task is worth to its service (section 5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It has not reached RUNNING.
    Pending,
    /// It runs, has no health check, and counts in time. Since when it runs.
    Running(Timestamp),
    /// It runs, and its health check has not spoken.
    Unproven,
    /// It runs, and passes its health check.
    Healthy,
    /// It runs, and fails its health check. Since when it runs.
    Unhealthy(Timestamp),
}

impl Standing {
    /// What a task is worth, if it is live. A task past RUNNING never comes back, so it is not,
    /// whatever was asked of it.
    pub fn of(task: &Task, definitions: &Definitions) -> Option<Standing> {
        if task.desired == Desired::Stopped || task.status > TaskStatus::Running {
            mark!("SVC-10");
            return None;
        }
        let started = task.times.started;
        Some(match (task.status == TaskStatus::Running, task.health) {
            (false, _) => Standing::Pending,
            (true, _) if !has_health_check(&definitions[task.definition]) => Standing::Running(started),
            (true, Health::Unknown) => Standing::Unproven,
            (true, Health::Healthy) => Standing::Healthy,
            (true, Health::Unhealthy) => Standing::Unhealthy(started),
        })
    }
}

impl Tally {
    /// Takes a task in.
    pub fn enter(&mut self, row: Row<Task>, standing: Standing, patience: Patience) {
        if standing != Standing::Pending {
            self.running += 1;
        }
        match standing {
            Standing::Pending => self.pending += 1,
            Standing::Running(since) => {
                self.young.insert((later(since, patience.healthy_after), row));
            }
            Standing::Unproven => {}
            Standing::Healthy => {
                mark!("5.4/no yes");
                self.counted += 1;
            }
            Standing::Unhealthy(since) => {
                mark!("SVC-20");
                self.unhealthy.insert(row, later(since, patience.grace));
            }
        }
    }

    /// Lets a task go that was taken in with this standing.
    pub fn leave(&mut self, row: Row<Task>, standing: Standing, patience: Patience) {
        if standing != Standing::Pending {
            self.running -= 1;
        }
        match standing {
            Standing::Pending => self.pending -= 1,
            Standing::Running(since) => {
                if !self.young.remove(&(later(since, patience.healthy_after), row)) {
                    self.counted -= 1;
                }
            }
            Standing::Unproven => {}
            Standing::Healthy => self.counted -= 1,
            Standing::Unhealthy(_) => {
                self.unhealthy.remove(&row).expect("an unhealthy task is held by row");
            }
        }
    }

    /// Counts the tasks that have run long enough by now.
    pub fn mature(&mut self, now: Timestamp) {
        while let Some(&(at, row)) = self.young.first()
            && at <= now
        {
            mark!("5.4/no no");
            self.young.remove(&(at, row));
            self.counted += 1;
        }
    }

    /// Whether a task counts as healthy, as of the last [`mature`](Self::mature).
    pub fn counts(&self, row: Row<Task>, standing: Standing, patience: Patience) -> bool {
        match standing {
            Standing::Pending | Standing::Unproven | Standing::Unhealthy(_) => false,
            Standing::Running(since) => !self.young.contains(&(later(since, patience.healthy_after), row)),
            Standing::Healthy => true,
        }
    }

    /// When time alone changes something next: a task counts, or its grace ends.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let matures = self.young.first().map(|&(at, _)| at);
        let grace_ends = self.unhealthy.values().copied().filter(|&at| at > now).min();
        matures.into_iter().chain(grace_ends).min()
    }

    /// The tasks that fail their health check and whose grace is over, in row order.
    pub fn to_replace(&self, now: Timestamp) -> impl Iterator<Item = Row<Task>> {
        mark!("SVC-21");
        self.unhealthy.iter().filter(move |&(_, &grace_ends)| grace_ends <= now).map(|(&row, _)| row)
    }

    /// Every live task: RUNNING and before.
    pub const fn live(&self) -> u32 {
        self.pending + self.running
    }

    /// Tasks before RUNNING.
    pub const fn pending(&self) -> u32 {
        self.pending
    }

    /// Tasks that are RUNNING.
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// Tasks that count as healthy (section 5.4), as of the last [`mature`](Self::mature).
    pub const fn counted(&self) -> u32 {
        self.counted
    }
}

fn has_health_check(definition: &TaskDefinition) -> bool {
    definition.containers.iter().any(|container| container.essential && container.health_check.is_some())
}

fn later(from: Timestamp, span: Span) -> Timestamp {
    from.checked_add(span).unwrap_or(Timestamp::NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;
    use crate::base::{EntityKey, Name, Symbol};
    use crate::control::ecs::objects::{LaunchType, NetworkMode, Reservation, TaskStatus, TaskTimes};

    fn definitions() -> Definitions {
        let mut definitions = Definitions::default();
        definitions.tasks.push(TaskDefinition {
            family: definitions.symbols.intern("web"),
            revision: 1,
            network_mode: NetworkMode::Bridge,
            containers: Box::default(),
            reservation: Reservation::default(),
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            volume_at_launch: None,
            fargate: None,
        });
        definitions
    }

    fn task(of: Symbol, status: TaskStatus, desired: Desired) -> Task {
        Task {
            key: EntityKey::new("task", "web", 0),
            name: Name { of, serial: 0 },
            definition: Row::at(0),
            group: of,
            service: None,
            launch_type: LaunchType::Ec2,
            instance: None,
            zone: of,
            public_address: false,
            volume: None,
            desired,
            status,
            health: Health::Unknown,
            stop: None,
            times: TaskTimes::created(Timestamp::default(), Timestamp::default()),
        }
    }

    /// PENDING counts as live, RUNNING counts, and what is to stop counts nowhere.
    #[test]
    fn what_stops_is_not_live() {
        use Desired::{Running, Stopped};
        let definitions = definitions();
        let of = definitions.tasks[0].family;
        let never = Timestamp::NEVER;
        let rows = [
            (TaskStatus::Provisioning, Running, &[][..], Some(Standing::Pending)),
            (TaskStatus::Pending, Running, &[], Some(Standing::Pending)),
            (TaskStatus::Activating, Running, &[], Some(Standing::Pending)),
            (TaskStatus::Running, Running, &[], Some(Standing::Running(never))),
            (TaskStatus::Pending, Stopped, &["SVC-10"], None),
            (TaskStatus::Running, Stopped, &["SVC-10"], None),
            (TaskStatus::Stopping, Running, &["SVC-10"], None),
            (TaskStatus::Stopped, Stopped, &["SVC-10"], None),
        ];
        for (status, desired, marks, standing) in rows {
            let task = task(of, status, desired);
            assert_eq!(must_reach(marks, || Standing::of(&task, &definitions)), standing, "{status}");
        }
    }
}
