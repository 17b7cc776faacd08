//! Which tasks stop first at scale-in, or when there are too many (section 4.6).
//!
//! A pure function: tasks as they are, the strategy they were placed by, and a source of chance give
//! the order. Knows nothing of how many should stop, or why.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::{Bytes, Cpu, Draw, EntityKey, Purpose, Row, Symbol};
use crate::control::ecs::objects::{
    ContainerInstance, Definitions, InstanceClass, LaunchType, Placing, TaskStatus,
};
use crate::mark;

use super::strategy::{Chain, Key, Step, Value};

/// A task that might stop. All tasks of the service belong into the list: the balance is between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stoppable {
    /// Its key, for draws.
    pub key: EntityKey,
    /// The order in which tasks of the service were created: the youngest has the largest.
    pub created: u64,
    /// How far it got.
    pub status: TaskStatus,
    /// Whether its health check says that it is unhealthy.
    pub unhealthy: bool,
    /// Whether it is under scale-in protection.
    pub protected: bool,
    /// Whether it belongs to a deployment before the newest.
    pub old_deployment: bool,
    /// Its zone.
    pub zone: Symbol,
    /// Its container instance, on EC2.
    pub seat: Option<StoppableSeat>,
}

/// The container instance of a task that might stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoppableSeat {
    /// Which one.
    pub instance: Row<ContainerInstance>,
    /// What it is.
    pub class: Row<InstanceClass>,
    /// Whether it is DRAINING.
    pub draining: bool,
    /// CPU that is left on it now.
    pub cpu_left: Cpu,
    /// Memory that is left on it now.
    pub memory_left: Bytes,
    /// CPU that the task gives back.
    pub cpu: Cpu,
    /// Memory that the task gives back.
    pub memory: Bytes,
}

/// What AWS has not published about the choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StopSettings {
    /// Which task of the fullest zone stops on Fargate (A-40).
    pub fargate: FargateStop,
    /// Whether tasks that are not RUNNING, then unhealthy ones, go before all others (A-39).
    pub weak_first: bool,
}

impl Default for StopSettings {
    fn default() -> Self {
        StopSettings { fargate: FargateStop::NewestFirst, weak_first: true }
    }
}

/// Which task of the fullest zone stops on Fargate (A-40).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FargateStop {
    /// The newest.
    NewestFirst,
    /// Any, with equal chances.
    Random,
}

/// The order in which tasks stop, as places in `tasks`: at most `count`, protected ones never.
///
/// ```
/// use windtunnel::base::{EntityKey, Symbols};
/// use windtunnel::control::ecs::objects::{Definitions, LaunchType, Placing, TaskStatus};
/// use windtunnel::control::ecs::placement::stop::{Stoppable, StopSettings, stop_order};
/// use windtunnel::engine::Luck;
///
/// let mut definitions = Definitions::default();
/// let zones = ["a", "b"].map(|zone| definitions.symbols.intern(zone));
/// let task = |created: u64, zone| Stoppable {
///     key: EntityKey::new("task", "web", created),
///     created,
///     status: TaskStatus::Running,
///     unhealthy: false,
///     protected: false,
///     old_deployment: false,
///     zone,
///     seat: None,
/// };
/// let tasks = [task(0, zones[0]), task(1, zones[0]), task(2, zones[1])];
/// let placing = Placing {
///     launch_type: LaunchType::Fargate,
///     strategies: Box::default(),
///     constraints: Box::default(),
///     subnets: Box::default(),
///     public_address: false,
///     volume: None,
/// };
/// let settings = StopSettings::default();
/// assert_eq!(stop_order(&settings, &definitions, &placing, &tasks, 1, &mut Luck::new(1)), [1]);
/// ```
pub fn stop_order(
    settings: &StopSettings,
    definitions: &Definitions,
    placing: &Placing,
    tasks: &[Stoppable],
    count: usize,
    draw: &mut dyn Draw,
) -> Vec<usize> {
    let steps = steps(definitions, placing);
    let mut balance = Balance::of(definitions, &steps, tasks);
    let mut order = Vec::new();
    for rank in ranks(*settings, tasks) {
        if order.len() >= count {
            break;
        }
        if rank.waits {
            balance.take_in_order(rank.tasks, tasks, count, &mut order);
        } else {
            let last = |task: &Stoppable| {
                last_word(*settings, placing, task, draw.draw(Purpose::StopChoice, task.key, 0))
            };
            balance.take_by_strategy(rank.tasks, tasks, last, count, &mut order);
        }
    }
    order
}

/// Tasks that go before all of the next rank.
struct Rank {
    /// Whether they are not RUNNING, so that age alone decides.
    waits: bool,
    tasks: Vec<usize>,
}

/// Draining before others, not RUNNING before RUNNING, unhealthy before well; protected ones nowhere.
fn ranks(settings: StopSettings, tasks: &[Stoppable]) -> Vec<Rank> {
    let mut ranks: BTreeMap<(bool, bool, bool), Vec<usize>> = BTreeMap::new();
    for (index, task) in tasks.iter().enumerate() {
        if task.protected {
            mark!("4.6/1");
            continue;
        }
        mark!("4.6/draining");
        let stays = !task.seat.is_some_and(|seat| seat.draining);
        mark!("4.6/2");
        let waits = settings.weak_first && task.status != TaskStatus::Running;
        mark!("4.6/3");
        let is_ill = settings.weak_first && !waits && task.unhealthy;
        ranks.entry((stays, !waits, !is_ill)).or_default().push(index);
    }
    ranks.into_iter().map(|((_, runs, _), tasks)| Rank { waits: !runs, tasks }).collect()
}

/// What is kept in balance: the strategy of a service, or the zones on Fargate.
fn steps(definitions: &Definitions, placing: &Placing) -> Vec<Step> {
    match placing.launch_type {
        LaunchType::Ec2 => {
            mark!("4.6/4");
            Chain::given(definitions, &placing.strategies, true).steps
        }
        LaunchType::Fargate => {
            mark!("4.6/6");
            vec![Step::Spread(Key::Zone)]
        }
    }
}

/// Who goes first among tasks that the strategy holds equal: old deployments, then chance or youth;
/// the smallest goes first.
fn last_word(
    settings: StopSettings,
    placing: &Placing,
    task: &Stoppable,
    draw: u64,
) -> (bool, Reverse<u64>, u64) {
    mark!("4.6/5");
    let by_age = placing.launch_type == LaunchType::Fargate && settings.fargate == FargateStop::NewestFirst;
    (!task.old_deployment, Reverse(if by_age { task.created } else { 0 }), draw)
}

/// How many tasks count under each step, and how much is left on each instance, while tasks go.
struct Balance {
    steps: Vec<Step>,
    /// For each task and step, which counter it counts in.
    counters_of: Vec<Vec<usize>>,
    counters: Vec<i64>,
}

/// What a counter counts: a step and a value or an instance.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Value(Value),
    Instance(Option<Row<ContainerInstance>>),
}

/// Tasks that every step holds equal: the last word on each, its key and its place in the list.
type Bucket<L> = Vec<(L, EntityKey, usize)>;

impl Balance {
    fn of(definitions: &Definitions, steps: &[Step], tasks: &[Stoppable]) -> Self {
        let mut numbers: BTreeMap<(usize, Counted), usize> = BTreeMap::new();
        let mut balance = Balance {
            steps: steps.to_vec(),
            counters_of: Vec::with_capacity(tasks.len()),
            counters: Vec::new(),
        };
        for task in tasks {
            let mut of_task = Vec::with_capacity(steps.len());
            for (place, &step) in steps.iter().enumerate() {
                let (counted, start, each) = counted(definitions, step, task);
                let next = balance.counters.len();
                let number = *numbers.entry((place, counted)).or_insert(next);
                if number == next {
                    balance.counters.push(start);
                }
                balance.counters[number] += each;
                of_task.push(number);
            }
            balance.counters_of.push(of_task);
        }
        balance
    }

    /// Youngest first.
    fn take_in_order(
        &mut self,
        mut rank: Vec<usize>,
        tasks: &[Stoppable],
        count: usize,
        order: &mut Vec<usize>,
    ) {
        rank.sort_unstable_by_key(|&index| (Reverse(tasks[index].created), tasks[index].key));
        for index in rank {
            if order.len() < count {
                self.take(index, tasks, order);
            }
        }
    }

    /// One at a time: each stop moves the balance. Tasks that every step holds equal share a bucket, so
    /// that a look at all buckets is enough.
    fn take_by_strategy<L: Ord>(
        &mut self,
        rank: Vec<usize>,
        tasks: &[Stoppable],
        mut last: impl FnMut(&Stoppable) -> L,
        count: usize,
        order: &mut Vec<usize>,
    ) {
        let mut buckets: BTreeMap<(Vec<usize>, Cpu, Bytes), Bucket<L>> = BTreeMap::new();
        for index in rank {
            let (cpu, memory) = gives(&tasks[index]);
            let entry = (last(&tasks[index]), tasks[index].key, index);
            buckets.entry((self.counters_of[index].clone(), cpu, memory)).or_default().push(entry);
        }
        let mut buckets: Vec<Bucket<L>> = buckets.into_values().collect();
        for bucket in &mut buckets {
            bucket.sort_unstable_by(|one, other| other.cmp(one));
        }
        while order.len() < count {
            let best = buckets.iter_mut().filter(|bucket| !bucket.is_empty()).min_by(|one, other| {
                let (one, other) = (one.last().expect("not empty"), other.last().expect("not empty"));
                let first = self.numbers(other.2, tasks).cmp(self.numbers(one.2, tasks));
                first.then_with(|| one.cmp(other))
            });
            let Some(best) = best else { break };
            let (_, _, index) = best.pop().expect("not empty");
            self.take(index, tasks, order);
        }
    }

    /// The numbers of a task under each step; the largest goes first.
    fn numbers<'a>(&'a self, index: usize, tasks: &'a [Stoppable]) -> impl Iterator<Item = i64> + use<'a> {
        let (cpu, memory) = gives(&tasks[index]);
        self.steps.iter().zip(&self.counters_of[index]).map(move |(step, &counter)| match step {
            Step::Cpu => self.counters[counter] + cpu.parts(),
            Step::Memory => self.counters[counter] + memory.bytes(),
            Step::Instance | Step::Spread(_) => self.counters[counter],
        })
    }

    fn take(&mut self, index: usize, tasks: &[Stoppable], order: &mut Vec<usize>) {
        let (cpu, memory) = gives(&tasks[index]);
        for (step, &counter) in self.steps.iter().zip(&self.counters_of[index]) {
            self.counters[counter] += match step {
                Step::Cpu => cpu.parts(),
                Step::Memory => memory.bytes(),
                Step::Instance | Step::Spread(_) => -1,
            };
        }
        order.push(index);
    }
}

/// What a step counts a task in, where that counter starts, and what each task adds.
fn counted(definitions: &Definitions, step: Step, task: &Stoppable) -> (Counted, i64, i64) {
    let instance = Counted::Instance(task.seat.map(|seat| seat.instance));
    match step {
        Step::Spread(key) => (Counted::Value(value(definitions, key, task)), 0, 1),
        Step::Instance => (instance, 0, 1),
        Step::Cpu => (instance, task.seat.map_or(0, |seat| seat.cpu_left.parts()), 0),
        Step::Memory => (instance, task.seat.map_or(0, |seat| seat.memory_left.bytes()), 0),
    }
}

fn value(definitions: &Definitions, key: Key, task: &Stoppable) -> Value {
    match key {
        Key::Zone => Some(Some(task.zone)),
        Key::Attribute(_) => task.seat.and_then(|seat| key.value(&definitions[seat.class])),
    }
}

fn gives(task: &Stoppable) -> (Cpu, Bytes) {
    task.seat.map_or((Cpu::ZERO, Bytes::ZERO), |seat| (seat.cpu, seat.memory))
}
