//! The record of one ECS control plane: container instances, tasks, services, in one change log.
//!
//! The only writer is the driver. Each write updates a pair of counters that a recount must equal
//! (conservation). Knows nothing of why something is written.

use crate::base::versioned::Index;
use crate::base::{Edit, Reader, Revision, Row, Table, Timestamp};
use crate::control::ecs::objects::{ContainerInstance, Definitions, EcsView, Service, Task, TaskStatus};
use crate::control::ecs::scheduler::EcsChange;

use super::log::{Cursor, Log};

/// What the control plane has written down.
#[derive(Debug)]
pub struct EcsRecord {
    instances: Table<ContainerInstance>,
    tasks: Table<Task>,
    services: Table<Service>,
    tasks_of_service: Index<Task>,
    log: Log<Changed>,
    books: Books,
}

/// Which row a change was about. Eight bytes.
#[derive(Clone, Copy, Debug)]
enum Changed {
    Instance(Row<ContainerInstance>),
    Task(Row<Task>),
    TaskDeleted(Row<Task>),
    Service(Row<Service>),
}

/// What was written so far, counted at each write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Books {
    /// Task rows written for the first time.
    pub created: u64,
    /// Tasks that reached STOPPED.
    pub stopped: u64,
    /// Task rows deleted after their retention.
    pub deleted: u64,
    /// Tasks by status, in the order of [`TaskStatus`].
    pub by_status: [u64; 8],
}

impl EcsRecord {
    /// An empty record.
    pub fn new() -> Self {
        EcsRecord {
            instances: Table::default(),
            tasks: Table::default(),
            services: Table::default(),
            tasks_of_service: Index::default(),
            log: Log::default(),
            books: Books::default(),
        }
    }

    /// The record as of a revision.
    pub fn view<'a>(&'a self, as_of: Revision, definitions: &'a Definitions) -> EcsView<'a> {
        EcsView {
            definitions,
            instances: Reader::new(&self.instances, as_of),
            tasks: Reader::new(&self.tasks, as_of),
            services: Reader::new(&self.services, as_of),
            tasks_of_service: &self.tasks_of_service,
        }
    }

    /// A task as it is now.
    pub fn task(&self, row: Row<Task>) -> Option<&Task> {
        Reader::new(&self.tasks, Revision::LIVE).get(row)
    }

    /// A container instance as it is now.
    pub fn instance(&self, row: Row<ContainerInstance>) -> Option<&ContainerInstance> {
        Reader::new(&self.instances, Revision::LIVE).get(row)
    }

    /// A service as it is now.
    pub fn service(&self, row: Row<Service>) -> Option<&Service> {
        Reader::new(&self.services, Revision::LIVE).get(row)
    }

    /// Writes a new task and says where.
    pub fn create_task(&mut self, now: Timestamp, task: Task) -> Row<Task> {
        let row = self.tasks.vacant();
        self.write_task(now, row, Some(task));
        row
    }

    /// Writes or deletes a task.
    pub fn write_task(&mut self, now: Timestamp, row: Row<Task>, new: Option<Task>) {
        let old = self.task(row).copied();
        self.books.change(old.map(|task| task.status), new.map(|task| task.status));
        if old.is_none()
            && let Some(service) = new.and_then(|task| task.service)
        {
            self.tasks_of_service.enter(service.number(), row);
        }
        let change = if new.is_some() { Changed::Task(row) } else { Changed::TaskDeleted(row) };
        let revision = self.log.append(now, change);
        self.tasks.write(row, revision, new);
    }

    /// Changes a task in its place. What becomes of one task in one instant is one change until somebody
    /// reads it.
    pub fn change_task(&mut self, now: Timestamp, row: Row<Task>, change: impl FnOnce(&mut Task)) {
        let books = &mut self.books;
        let change = |task: &mut Task| {
            let former = task.status;
            change(task);
            books.change(Some(former), Some(task.status));
        };
        if matches!(self.log.unread(now), Some(Changed::Task(last)) if last == row) {
            self.tasks.amend(row, change);
        } else {
            let revision = self.log.append(now, Changed::Task(row));
            self.tasks.change(row, revision, change);
        }
    }

    /// Writes a new container instance and says where.
    pub fn create_instance(&mut self, now: Timestamp, instance: ContainerInstance) -> Row<ContainerInstance> {
        let row = self.instances.vacant();
        self.write_instance(now, row, Some(instance));
        row
    }

    /// Writes or deletes a container instance.
    pub fn write_instance(
        &mut self,
        now: Timestamp,
        row: Row<ContainerInstance>,
        new: Option<ContainerInstance>,
    ) {
        let revision = self.log.append(now, Changed::Instance(row));
        self.instances.write(row, revision, new);
    }

    /// Writes a new service and says where.
    pub fn create_service(&mut self, now: Timestamp, service: Service) -> Row<Service> {
        let row = self.services.vacant();
        let revision = self.log.append(now, Changed::Service(row));
        self.services.write(row, revision, Some(service));
        row
    }

    /// A cursor at the head of the log.
    pub fn open(&mut self) -> Cursor {
        self.log.open()
    }

    /// How far a cursor has read.
    pub fn read_up_to(&self, cursor: Cursor) -> Revision {
        self.log.read_up_to(cursor).expect("an attached cursor")
    }

    /// Tells everything that `cursor` has not seen and that was written by `until`, in order.
    pub fn deliver<'a>(
        &'a mut self,
        cursor: Cursor,
        until: Timestamp,
        definitions: &'a Definitions,
        mut tell: impl FnMut(EcsChange<'_>),
    ) {
        let from = self.read_up_to(cursor);
        let to = self.log.written_by(until).max(from);
        for number in from.0 + 1..=to.0 {
            let revision = Revision(number);
            let change = self.told(revision, definitions);
            tell(change);
        }
        self.log.seek(cursor, to);
    }

    /// Forgets what every cursor has read. Call it now and then.
    pub fn trim(&mut self) {
        while let Some(change) = self.log.trim() {
            match change {
                Changed::Instance(_) => {
                    self.instances.trim();
                }
                Changed::Service(_) => {
                    self.services.trim();
                }
                Changed::Task(_) => {
                    self.tasks.trim();
                }
                Changed::TaskDeleted(_) => {
                    let (row, old) = self.tasks.trim();
                    if let Some(service) = old.and_then(|task| task.service) {
                        self.tasks_of_service.leave(service.number(), row);
                    }
                }
            }
        }
    }

    /// What was counted at each write.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Counts every task again and compares with the books.
    pub fn recount(&self) {
        let mut by_status = [0; 8];
        for (_, task) in Reader::new(&self.tasks, Revision::LIVE).iter() {
            by_status[task.status as usize] += 1;
        }
        assert_eq!(by_status, self.books.by_status, "tasks by status, counted again");
        let listed: u64 = by_status.iter().sum();
        assert_eq!(listed + self.books.deleted, self.books.created, "every task is listed or was deleted");
    }

    fn told<'a>(&'a self, revision: Revision, definitions: &'a Definitions) -> EcsChange<'a> {
        let view = self.view(revision, definitions);
        match self.log.change(revision) {
            Changed::Instance(row) => EcsChange::Instance(checked(view.instances.edit(row)), definitions),
            Changed::Task(row) | Changed::TaskDeleted(row) => {
                EcsChange::Task(checked(view.tasks.edit(row)), definitions)
            }
            Changed::Service(row) => EcsChange::Service(checked(view.services.edit(row)), definitions),
        }
    }
}

impl Default for EcsRecord {
    fn default() -> Self {
        EcsRecord::new()
    }
}

impl Books {
    fn change(&mut self, old: Option<TaskStatus>, new: Option<TaskStatus>) {
        if let Some(status) = old {
            self.by_status[status as usize] -= 1;
        }
        if let Some(status) = new {
            self.by_status[status as usize] += 1;
        }
        match (old, new) {
            (None, Some(_)) => self.created += 1,
            (Some(_), None) => self.deleted += 1,
            (Some(old), Some(new)) => assert!(old <= new, "a task's status goes forward: {old} to {new}"),
            (None, None) => panic!("a task is deleted once"),
        }
        if new == Some(TaskStatus::Stopped) && old != new {
            self.stopped += 1;
        }
        if old.is_none() || new.is_none() {
            let listed: u64 = self.by_status.iter().sum();
            assert_eq!(self.created, listed + self.deleted, "created = listed + deleted");
        }
    }
}

/// An edit that changed something: a change without an old or a new value would be no change.
fn checked<T>(edit: Edit<'_, T>) -> Edit<'_, T> {
    assert!(edit.old.is_some() || edit.new.is_some(), "a change has a value before or after");
    edit
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::base::{EntityKey, Name, Span, Symbols};
    use crate::control::ecs::objects::{Desired, Health, LaunchType, TaskTimes};

    /// What happens next: a new task of a service, a step of one, or its deletion, or one of the readers
    /// reads; every third time, time passes.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Create(u32),
        Advance(usize),
        Change(usize),
        Delete(usize),
        Read(usize),
        Trim,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..4_u32).prop_map(Step::Create),
            3 => (0..60_usize).prop_map(Step::Advance),
            6 => (0..6_usize).prop_map(Step::Change),
            2 => (0..60_usize).prop_map(Step::Delete),
            3 => (0..3_usize).prop_map(Step::Read),
            2 => Just(Step::Trim),
        ];
        prop::collection::vec(step, 1..400)
    }

    const LAGS: [u64; 3] = [0, 4, 30];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_view_as_of_a_revision_equals_a_copy_taken_then(steps in steps()) {
            let mut symbols = Symbols::default();
            let name = symbols.intern("web");
            let definitions = Definitions { symbols, ..Definitions::default() };
            let mut record = EcsRecord::new();
            let cursors = LAGS.map(|_| record.open());
            let mut copies: Vec<BTreeMap<Row<Task>, Task>> = vec![BTreeMap::new()];
            let mut last = None;
            for (number, step) in steps.into_iter().enumerate() {
                let now = Timestamp::from_nanos(number as u64 / 3);
                let newest = copies.last().expect("one at least").clone();
                let pick = |index: usize| newest.iter().nth(index % newest.len().max(1)).map(|(row, task)| (*row, *task));
                let mut copy = newest.clone();
                match step {
                    Step::Create(service) => {
                        let task = Task {
                            key: EntityKey::new("task", "web", number as u64),
                            name: Name { of: name, serial: number as u64 },
                            definition: Row::at(0),
                            group: name,
                            service: Some(Row::at(service as usize)),
                            launch_type: LaunchType::Ec2,
                            instance: None,
                            zone: name,
                            public_address: false,
                            volume: None,
                            desired: Desired::Running,
                            status: TaskStatus::Provisioning,
                            health: Health::Unknown,
                            stop: None,
                            times: TaskTimes::created(now, now),
                        };
                        let row = record.create_task(now, task);
                        prop_assert!(copies.iter().rev().take(copies.len() - usize::try_from(record.log.horizon().0).unwrap()).all(|copy| !copy.contains_key(&row)), "a row in use is not given away");
                        last = Some((row, now));
                        copy.insert(row, task);
                        copies.push(copy);
                    }
                    Step::Advance(index) => {
                        if let Some((row, mut task)) = pick(index) {
                            task.status = if task.status == TaskStatus::Provisioning { TaskStatus::Running } else { TaskStatus::Stopped };
                            record.write_task(now, row, Some(task));
                            last = Some((row, now));
                            copy.insert(row, task);
                            copies.push(copy);
                        }
                    }
                    Step::Change(index) => {
                        if let Some((row, mut task)) = pick(index) {
                            let head = record.log.head();
                            record.change_task(now, row, |task| task.times.ready = now);
                            task.times.ready = now;
                            let unread = cursors.iter().all(|&cursor| record.read_up_to(cursor) < head);
                            let amends = unread && last == Some((row, now));
                            prop_assert_eq!(record.log.head() == head, amends);
                            if amends {
                                copies.pop();
                            }
                            last = Some((row, now));
                            copy.insert(row, task);
                            copies.push(copy);
                        }
                    }
                    Step::Delete(index) => {
                        if let Some((row, _)) = pick(index) {
                            record.write_task(now, row, None);
                            last = None;
                            copy.remove(&row);
                            copies.push(copy);
                        }
                    }
                    Step::Read(reader) => {
                        let from = record.read_up_to(cursors[reader]).0;
                        let until = now.saturating_sub(Span::from_nanos(LAGS[reader]));
                        let mut told = from;
                        let mut wrong = None;
                        record.deliver(cursors[reader], until, &definitions, |change| {
                            let EcsChange::Task(edit, _) = change else { panic!("only tasks were written") };
                            told += 1;
                            let at = |revision: u64| copies[usize::try_from(revision).unwrap()].get(&edit.row);
                            if edit.revision.0 != told || (edit.old, edit.new) != (at(told - 1), at(told)) {
                                wrong = Some(told);
                            }
                        });
                        prop_assert_eq!(wrong, None);
                    }
                    Step::Trim => record.trim(),
                }
                let (horizon, head) = (record.log.horizon().0, record.log.head().0);
                for revision in [horizon, u64::midpoint(horizon, head), head] {
                    let view = record.view(Revision(revision), &definitions);
                    let copy = &copies[usize::try_from(revision).unwrap()];
                    prop_assert!(view.tasks.iter().map(|(row, task)| (row, *task)).eq(copy.iter().map(|(row, task)| (*row, *task))));
                    for service in 0..4 {
                        let service_row = Row::at(service);
                        let of_service = view.tasks_of_service.rows(service_row.number()).filter(|row| view.tasks.get(*row).is_some());
                        let expected = copy.iter().filter(|(_, task)| task.service == Some(service_row)).map(|(row, _)| *row);
                        prop_assert!(of_service.eq(expected), "the index as of {}", revision);
                    }
                }
                record.recount();
            }
            let end = Timestamp::from_nanos(1_000_000);
            for cursor in cursors {
                record.deliver(cursor, end, &definitions, |_| {});
            }
            record.trim();
            prop_assert_eq!(record.log.horizon(), record.log.head());
            prop_assert_eq!(record.tasks_of_service.len(), copies.last().expect("one at least").len());
        }
    }
}
