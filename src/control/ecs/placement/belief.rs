//! What placement believes about container instances: registered, held, counted per task group.
//!
//! Placing holds resources and counts the task at once; the ends of a task give them back in two
//! steps (CI-14). Each mutation keeps paired counters, and [`Belief::recount`] counts everything again.
//! Knows nothing of constraints, strategies, or what a task is for.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::base::hash::Map;
use crate::base::{Bytes, Cpu, Edit, Row, Symbol};
use crate::control::ecs::objects::{
    ContainerInstance, Definitions, InstanceClass, InstanceStatus, Reservation,
};
use crate::mark;

/// Every container instance as placement sees it.
#[derive(Debug, Default)]
pub(super) struct Belief {
    seats: Vec<Seat>,
    /// By instance, its tasks placed and not stopped, by group.
    members: Vec<SmallVec<[Members; 4]>>,
    details: Vec<Details>,
    /// Rows that were ACTIVE once and are not gone, by order of registration.
    registered: BTreeMap<u32, Row<ContainerInstance>>,
    registrations: u32,
    groups: Map<Symbol, Group>,
    touched: Touched,
    /// Rises when an instance changes its class: what was derived from classes is void.
    pub(super) epoch: u64,
    books: Books,
}

/// What a decision reads about one instance, close together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    /// What it is; meaningless while `status` is none.
    pub(super) class: Row<InstanceClass>,
    /// Its order of registration, or [`UNREGISTERED`].
    pub(super) order: u32,
    /// Its state; none when the row is free.
    pub(super) status: Option<InstanceStatus>,
    /// Whether its agent holds a session.
    pub(super) agent_connected: bool,
    /// What its tasks hold.
    pub(super) held: Held,
}

/// The order of an instance that was never ACTIVE, or is gone.
pub(super) const UNREGISTERED: u32 = u32::MAX;

/// What the tasks of one instance hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Held {
    pub(super) amounts: Amounts,
    /// Tasks that hold CPU, memory, ports and GPUs.
    pub(super) tasks: u32,
}

/// Amounts as ECS counts them, in whole units and whole MiB; narrow, since there are very many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Amounts {
    /// CPU units, 1024 to a vCPU.
    pub(super) cpu: i32,
    /// MiB.
    pub(super) memory: i32,
    pub(super) gpus: i32,
    pub(super) interfaces: i32,
}

/// What a decision rarely reads about one instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    /// The row as last observed.
    pub(super) instance: Option<ContainerInstance>,
    pub(super) ports: Vec<u16>,
    pub(super) ports_udp: Vec<u16>,
}

/// The tasks of one group on one instance; never none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members {
    pub(super) group: Symbol,
    pub(super) count: u32,
}

/// The tasks of one group, placed and not stopped.
#[derive(Debug)]
pub(super) struct Group {
    /// How many instances have such a task.
    pub(super) instances: u32,
    /// Which, once each, in no order; none where they were too many to be listed.
    few: Option<Vec<Row<ContainerInstance>>>,
    /// Per class of instance; sorted, no zeros.
    pub(super) classes: Vec<(Row<InstanceClass>, u32)>,
}

/// Which rows changed, in order; readers keep a position.
#[derive(Debug, Default)]
pub(super) struct Touched {
    touches: Vec<Touch>,
    /// By row, the position behind its last change; 0 for none.
    last: Vec<u64>,
    dropped: u64,
    /// Up to where somebody may have read.
    read: u64,
}

/// One change of what is believed of an instance. Readers walk the log, not the seats all over the
/// memory, so it says what was believed before and after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) row: Row<ContainerInstance>,
    /// The group whose count on the instance changed, if one did.
    pub(super) group: Option<Symbol>,
    /// What was believed before the change.
    pub(super) former: Seat,
    /// What was believed after the change.
    pub(super) seat: Seat,
    /// The position behind the change of this row before this one; 0 for none.
    before: u64,
}

/// What became of one instance between a position of the log and its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Net<'a> {
    pub(super) row: Row<ContainerInstance>,
    pub(super) former: &'a Seat,
    pub(super) seat: &'a Seat,
    /// Whether the count of the group that was asked about changed.
    pub(super) counts: bool,
}

/// Counted at each mutation: what was ever held, and what was given back.
#[derive(Clone, Copy, Debug, Default)]
struct Books {
    placed: u64,
    released: u64,
    forgotten: u64,
    cpu: i128,
    memory: i128,
    interfaces: i128,
}

impl Belief {
    /// Takes in a change of the record.
    pub(super) fn observe(&mut self, edit: Edit<'_, ContainerInstance>, definitions: &Definitions) {
        let row = edit.row;
        self.make_room(row);
        let former = self.seats[row.index()];
        match edit.new {
            None => self.leave(row, None),
            Some(new) => self.see(row, new, definitions),
        }
        self.touch(row, former, None);
    }

    /// Holds what a new task needs and counts it in its group, which lists its instances while they are at
    /// most `listed`.
    pub(super) fn hold(
        &mut self,
        row: Row<ContainerInstance>,
        needs: &Reservation,
        group: Symbol,
        listed: usize,
    ) {
        let seat = &mut self.seats[row.index()];
        let former = *seat;
        seat.held.amounts.add(Amounts::of(needs));
        seat.held.tasks += 1;
        let details = &mut self.details[row.index()];
        take_ports(&mut details.ports, &needs.ports);
        take_ports(&mut details.ports_udp, &needs.ports_udp);
        let class = seat.class;
        let known = self.groups.get_or_insert_with(group, Group::default);
        known.add_class(class, 1);
        let groups = &mut self.members[row.index()];
        match groups.iter_mut().find(|members| members.group == group) {
            Some(members) => members.count += 1,
            None => {
                groups.push(Members { group, count: 1 });
                known.add_instance(row, listed);
            }
        }
        self.books.hold(needs);
        self.touch(row, former, Some(group));
    }

    /// Gives back what is free once a task stops: CPU, memory, ports and GPUs.
    pub(super) fn release(&mut self, row: Row<ContainerInstance>, needs: &Reservation) {
        mark!("CI-14");
        let seat = &mut self.seats[row.index()];
        let former = *seat;
        let amounts = Amounts { interfaces: 0, ..Amounts::of(needs) };
        seat.held.amounts.take(amounts);
        seat.held.tasks -= 1;
        let details = &mut self.details[row.index()];
        give_ports(&mut details.ports, &needs.ports);
        give_ports(&mut details.ports_udp, &needs.ports_udp);
        self.books.release(needs);
        self.touch(row, former, None);
    }

    /// Gives back the rest once a task has stopped: its interface and its place in the counts.
    pub(super) fn forget(&mut self, row: Row<ContainerInstance>, needs: &Reservation, group: Symbol) {
        let seat = &mut self.seats[row.index()];
        let former = *seat;
        seat.held.amounts.interfaces -= pieces(needs.interfaces);
        let class = seat.class;
        let is_last = self.count_down(row, group);
        let known = self.groups.get_mut(&group).expect("a task that stops was counted in its group");
        known.take_class(class, 1);
        if is_last {
            known.take_instance(row);
        }
        self.books.forget(needs);
        self.touch(row, former, Some(group));
    }

    /// What is known of an instance that is in the record.
    pub(super) fn seat(&self, row: Row<ContainerInstance>) -> Option<&Seat> {
        self.seats.get(row.index()).filter(|seat| seat.status.is_some())
    }

    /// The rest of what is known of an instance.
    pub(super) fn details(&self, row: Row<ContainerInstance>) -> &Details {
        &self.details[row.index()]
    }

    /// The tasks on an instance, placed and not stopped, by group.
    pub(super) fn members(&self, row: Row<ContainerInstance>) -> &[Members] {
        &self.members[row.index()]
    }

    /// Instances that were ACTIVE once and are not gone, by order of registration.
    pub(super) fn registered(&self) -> impl Iterator<Item = (Row<ContainerInstance>, &Seat)> {
        self.registered.values().map(|&row| (row, &self.seats[row.index()]))
    }

    /// Whether any instance is listed that was not deregistered.
    pub(super) fn any_listed(&self) -> bool {
        let gone = |seat: &Seat| seat.status.is_none_or(|status| status == InstanceStatus::Inactive);
        self.seats.iter().any(|seat| !gone(seat))
    }

    /// How many tasks of a group an instance has.
    pub(super) fn count(&self, row: Row<ContainerInstance>, group: Symbol) -> u32 {
        let groups = &self.members[row.index()];
        groups.iter().find(|members| members.group == group).map_or(0, |members| members.count)
    }

    /// The tasks of a group, if it has or had any.
    pub(super) fn group(&self, group: Symbol) -> Option<&Group> {
        self.groups.get(&group)
    }

    /// Lists the instances of a group anew if they are few and are not listed.
    pub(super) fn list_few(&mut self, group: Symbol, few: usize) {
        let Some(known) = self.groups.get_mut(&group) else { return };
        if known.few.is_none() && known.instances as usize <= few {
            let has = |groups: &[Members]| groups.iter().any(|members| members.group == group);
            let rows = (0..).zip(&self.members).filter(|(_, groups)| has(groups));
            known.few = Some(rows.map(|(index, _)| Row::at(index)).collect());
        }
    }

    /// Which rows changed.
    pub(super) const fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Somebody has read which rows changed.
    pub(super) fn was_read(&mut self) {
        self.touched.was_read();
    }

    /// Counts everything again and compares.
    pub(super) fn recount(&self) {
        let (mut cpu, mut memory, mut interfaces, mut tasks, mut members) = (0, 0, 0, 0, 0);
        let mut instances = BTreeMap::<Symbol, u32>::new();
        for (index, seat) in self.seats.iter().enumerate() {
            let row = Row::at(index);
            let held = seat.held.amounts;
            cpu += i128::from(Cpu::ecs_units(held.cpu.into()).parts());
            memory += i128::from(Bytes::mib(held.memory.into()).bytes());
            interfaces += i128::from(held.interfaces);
            tasks += u64::from(seat.held.tasks);
            for &Members { group, count } in self.members(row) {
                let known = self.group(group).expect("a group that is counted is known");
                let listed = known.few.as_ref().is_none_or(|few| few.contains(&row));
                assert!(listed, "a group that lists its instances lists all of them");
                *instances.entry(group).or_default() += 1;
                let in_class = known.classes.iter().find(|(class, _)| *class == seat.class);
                assert!(in_class.is_some_and(|&(_, all)| all >= count), "a class counts its instances");
                members += u64::from(count);
            }
        }
        for (group, instances) in instances {
            let known = self.group(group).expect("asked before");
            assert_eq!(known.instances, instances, "instances of a group, counted again");
            assert!(known.few().is_none_or(|few| few.len() == instances as usize), "listed once each");
        }
        assert_eq!(cpu, self.books.cpu, "CPU held, counted again");
        assert_eq!(memory, self.books.memory, "memory held, counted again");
        assert_eq!(interfaces, self.books.interfaces, "interfaces held, counted again");
        assert_eq!(tasks, self.books.placed - self.books.released, "tasks that hold, counted again");
        assert_eq!(members, self.books.placed - self.books.forgotten, "tasks in groups, counted again");
    }

    fn make_room(&mut self, row: Row<ContainerInstance>) {
        while self.seats.len() <= row.index() {
            self.seats.push(Seat::empty());
            self.members.push(SmallVec::new());
            self.details.push(Details::default());
        }
    }

    fn see(&mut self, row: Row<ContainerInstance>, new: &ContainerInstance, definitions: &Definitions) {
        let class = definitions.classes.get(new.class.index()).expect("an instance has a known class");
        let registered = (units(class.cpu), mebibytes(class.memory));
        assert!(registered.0 >= 0 && registered.1 >= 0, "an agent registers no less than nothing");
        let former = self.details[row.index()].instance.replace(*new);
        if former.is_some_and(|former| former.key != new.key) {
            self.leave(row, None);
        }
        if self.seats[row.index()].class != new.class {
            self.change_class(row, new.class);
        }
        let seat = &mut self.seats[row.index()];
        seat.status = Some(new.status);
        seat.agent_connected = new.agent_connected;
        match new.status {
            InstanceStatus::Active | InstanceStatus::Draining => self.register(row),
            InstanceStatus::Inactive => self.leave(row, Some(InstanceStatus::Inactive)),
            InstanceStatus::Registering => {}
        }
    }

    fn register(&mut self, row: Row<ContainerInstance>) {
        let seat = &mut self.seats[row.index()];
        if seat.order == UNREGISTERED {
            seat.order = self.registrations;
            self.registrations += 1;
            assert!(seat.order < UNREGISTERED, "fewer than 2^32 - 1 registrations in one run");
            self.registered.insert(seat.order, row);
        }
    }

    fn leave(&mut self, row: Row<ContainerInstance>, status: Option<InstanceStatus>) {
        let seat = &mut self.seats[row.index()];
        let former = *seat;
        seat.status = status;
        if seat.order != UNREGISTERED {
            self.registered.remove(&seat.order);
            seat.order = UNREGISTERED;
            self.touch(row, former, None);
        }
    }

    /// Another class: tasks of a former instance of this row that have not stopped move with it.
    fn change_class(&mut self, row: Row<ContainerInstance>, class: Row<InstanceClass>) {
        let seat = &mut self.seats[row.index()];
        if seat.status.is_some() {
            self.epoch += 1;
        }
        for &Members { group, count, .. } in &self.members[row.index()] {
            let known = self.groups.get_mut(&group).expect("a group that is counted is known");
            known.take_class(seat.class, count);
            known.add_class(class, count);
        }
        seat.class = class;
    }

    /// A group has one task less on an instance. Whether it has none there now.
    fn count_down(&mut self, row: Row<ContainerInstance>, group: Symbol) -> bool {
        let groups = &mut self.members[row.index()];
        let at = groups.iter().position(|members| members.group == group);
        let at = at.expect("a task that stops was counted on its instance");
        groups[at].count -= 1;
        let is_last = groups[at].count == 0;
        if is_last {
            groups.swap_remove(at);
        }
        is_last
    }

    fn touch(&mut self, row: Row<ContainerInstance>, former: Seat, group: Option<Symbol>) {
        let seat = self.seats[row.index()];
        let touch = Touch { row, group, former, seat, before: 0 };
        self.touched.push(touch, self.seats.len());
    }
}

impl Seat {
    fn empty() -> Self {
        let (order, held) = (UNREGISTERED, Held::default());
        Seat { class: Row::at(0), order, status: None, agent_connected: false, held }
    }

    /// CPU that is left.
    pub(super) fn cpu_left(&self, class: &InstanceClass) -> Cpu {
        mark!("CI-10");
        class.cpu - Cpu::ecs_units(self.held.amounts.cpu.into())
    }

    /// Memory that is left.
    pub(super) fn memory_left(&self, class: &InstanceClass) -> Bytes {
        class.memory - Bytes::mib(self.held.amounts.memory.into())
    }

    /// GPUs that are left.
    pub(super) fn gpus_left(&self, class: &InstanceClass) -> i64 {
        i64::from(class.gpus) - i64::from(self.held.amounts.gpus)
    }

    /// Interface slots that are left.
    pub(super) fn interfaces_left(&self, class: &InstanceClass) -> i64 {
        i64::from(class.interfaces) - i64::from(self.held.amounts.interfaces)
    }
}

impl Amounts {
    fn of(needs: &Reservation) -> Self {
        Amounts {
            cpu: units(needs.cpu),
            memory: mebibytes(needs.memory),
            gpus: pieces(needs.gpus),
            interfaces: pieces(needs.interfaces),
        }
    }

    fn add(&mut self, other: Amounts) {
        self.cpu += other.cpu;
        self.memory += other.memory;
        self.gpus += other.gpus;
        self.interfaces += other.interfaces;
    }

    fn take(&mut self, other: Amounts) {
        self.cpu -= other.cpu;
        self.memory -= other.memory;
        self.gpus -= other.gpus;
        self.interfaces -= other.interfaces;
    }

    /// Whether each is at most that of `max`.
    #[expect(clippy::needless_bitwise_bool, reason = "to compare all is faster than to stop at one")]
    pub(super) const fn is_within(self, max: Amounts) -> bool {
        (self.cpu <= max.cpu)
            & (self.memory <= max.memory)
            & (self.gpus <= max.gpus)
            & (self.interfaces <= max.interfaces)
    }
}

impl Default for Group {
    fn default() -> Self {
        Group { instances: 0, few: Some(Vec::new()), classes: Vec::new() }
    }
}

impl Group {
    /// The instances with such a task, where they are listed.
    pub(super) fn few(&self) -> Option<&[Row<ContainerInstance>]> {
        self.few.as_deref()
    }

    fn add_instance(&mut self, row: Row<ContainerInstance>, listed: usize) {
        self.instances += 1;
        match &mut self.few {
            Some(few) if few.len() < listed => few.push(row),
            few => *few = None,
        }
    }

    fn take_instance(&mut self, row: Row<ContainerInstance>) {
        self.instances -= 1;
        if let Some(few) = &mut self.few {
            let at = few.iter().position(|&listed| listed == row);
            few.swap_remove(at.expect("a list that is kept is whole"));
        } else if self.instances == 0 {
            self.few = Some(Vec::new());
        }
    }

    fn add_class(&mut self, class: Row<InstanceClass>, count: u32) {
        match self.classes.binary_search_by_key(&class, |&(known, _)| known) {
            Ok(at) => self.classes[at].1 += count,
            Err(at) => self.classes.insert(at, (class, count)),
        }
    }

    fn take_class(&mut self, class: Row<InstanceClass>, count: u32) {
        let at = self.classes.binary_search_by_key(&class, |&(known, _)| known);
        let at = at.expect("a task that stops was counted in its class");
        self.classes[at].1 -= count;
        if self.classes[at].1 == 0 {
            self.classes.remove(at);
        }
    }
}

impl Touched {
    /// The position behind the last change.
    pub(super) fn end(&self) -> u64 {
        self.dropped + self.touches.len() as u64
    }

    /// What changed since a position; none when that is no longer known.
    pub(super) fn since(&self, position: u64) -> Option<&[Touch]> {
        let skip = usize::try_from(position.checked_sub(self.dropped)?).ok()?;
        self.touches.get(skip..)
    }

    /// What became of every row that changed since a position that is still known, each row once.
    pub(super) fn net(&self, position: u64, group: Option<Symbol>) -> impl Iterator<Item = Net<'_>> {
        let touches = self.since(position).expect("a position that is still known");
        let latest = (position + 1..).zip(touches).filter(|(at, touch)| self.last[touch.row.index()] == *at);
        latest.map(move |(_, touch)| {
            let (mut first, mut counts) = (touch, group.is_some() && touch.group == group);
            while first.before > position {
                first = &self.touches[self.place(first.before - 1)];
                counts |= group.is_some() && first.group == group;
            }
            Net { row: touch.row, former: &first.former, seat: &touch.seat, counts }
        })
    }

    /// Somebody may have read everything up to here: what comes next must be told apart.
    pub(super) fn was_read(&mut self) {
        self.read = self.end();
    }

    /// Keeps at least a quarter as many changes as there are rows, and at most twice so many: whoever is
    /// further behind is better off looking at every row, and a short log stays in the cache.
    fn push(&mut self, touch: Touch, rows: usize) {
        if self.is_told_by_last(touch) {
            return;
        }
        let keep = rows / 4 + Touched::KEPT_MIN;
        if self.touches.len() >= 2 * keep {
            self.touches.drain(..keep);
            self.dropped += keep as u64;
        }
        self.last.resize(rows, 0);
        let after = self.end() + 1;
        let before = std::mem::replace(&mut self.last[touch.row.index()], after);
        self.touches.push(Touch { before, ..touch });
    }

    /// Whether the last change, which nobody has read yet, can stand for this one as well.
    fn is_told_by_last(&mut self, touch: Touch) -> bool {
        let unread = self.read < self.end();
        let Some(last) = self.touches.last_mut().filter(|_| unread) else { return false };
        let is_one_group = last.group.is_none() || touch.group.is_none() || last.group == touch.group;
        if last.row != touch.row || last.seat.order != touch.seat.order || !is_one_group {
            return false;
        }
        last.group = last.group.or(touch.group);
        last.seat = touch.seat;
        true
    }

    /// Where the change at a position is kept.
    fn place(&self, position: u64) -> usize {
        usize::try_from(position - self.dropped).expect("a change that is kept")
    }

    const KEPT_MIN: usize = 64;
}

impl Books {
    fn hold(&mut self, needs: &Reservation) {
        self.placed += 1;
        self.cpu += i128::from(needs.cpu.parts());
        self.memory += i128::from(needs.memory.bytes());
        self.interfaces += i128::from(needs.interfaces);
    }

    fn release(&mut self, needs: &Reservation) {
        self.released += 1;
        assert!(self.released <= self.placed, "what is released was placed");
        self.cpu -= i128::from(needs.cpu.parts());
        self.memory -= i128::from(needs.memory.bytes());
    }

    fn forget(&mut self, needs: &Reservation) {
        self.forgotten += 1;
        assert!(self.forgotten <= self.released, "what is forgotten was released");
        self.interfaces -= i128::from(needs.interfaces);
    }
}

fn units(cpu: Cpu) -> i32 {
    let units = cpu.ecs_units_down();
    assert!(Cpu::ecs_units(units) == cpu, "ECS counts whole CPU units");
    i32::try_from(units).expect("no instance has 2 million vCPUs")
}

fn mebibytes(memory: Bytes) -> i32 {
    let mebibytes = memory.mib_down();
    assert!(Bytes::mib(mebibytes) == memory, "ECS counts whole MiB");
    i32::try_from(mebibytes).expect("no instance has 2 PiB")
}

fn pieces(count: u32) -> i32 {
    i32::try_from(count).expect("no instance has 2 billion of anything")
}

fn take_ports(taken: &mut Vec<u16>, ports: &[u16]) {
    for port in ports {
        if let Err(at) = taken.binary_search(port) {
            taken.insert(at, *port);
        }
    }
}

fn give_ports(taken: &mut Vec<u16>, ports: &[u16]) {
    for port in ports {
        let at = taken.binary_search(port).expect("a port that is given back was taken");
        taken.remove(at);
    }
}
