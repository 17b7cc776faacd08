//! Finds the best instance without looking at all of them.
//!
//! A *shape* is everything of a request that placement asks about: needs, constraints, strategies. A
//! *view* is the instances as one shape sees them: one [`Tree`] per combination of spread values, one
//! leaf per instance in the order of registration, its key the part of the chain that the instance
//! decides alone. A view is brought up to date when it is used, from the rows touched since. What a
//! group counts on instances is either few exceptions, put into the tree for one decision, or a view of
//! the group's own. Knows no rule: the answers come from `feasible`, `constraint` and `strategy`.

use std::cmp::Ordering;

use crate::base::hash::Map;
use crate::base::{Row, Symbol};
use crate::control::ecs::objects::{
    Constraint, ContainerInstance, InstanceClass, InstanceStatus, NetworkMode, Placing, Reservation,
    Strategy, Subnet, TaskDefinition,
};
use crate::control::ecs::query::Expression;
use crate::mark;

use super::belief::{Net, Seat, UNREGISTERED};
use super::feasible::{HeldMax, Question, has_attributes, has_room, is_located};
use super::strategy::{Chain, Key, Step, Value, own_number};
use super::tree::{NONE, Tree};
use super::{PlacementSettings, Wanted, constraint, strategy};

/// The views of all shapes in use.
#[derive(Debug, Default)]
pub(super) struct ShapeIndex {
    /// Requests seen before, by task definition.
    known: Map<Row<TaskDefinition>, Vec<Known>>,
    shapes: Vec<Shape>,
    views: Vec<View>,
    /// The view of a shape, or of a shape and a group.
    view_of: Map<(usize, Option<Symbol>), usize>,
    uses: u64,
    pub(super) limits: Limits,
}

/// Where one way of finding the best gives way to another. No limit changes what is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many leaves all views may have together, at about 40 bytes; the view used longest ago goes.
    pub(super) leaves: usize,
    /// Up to how many instances with tasks of its group a request shares the view of its shape.
    pub(super) exceptions: usize,
    /// A view is made anew when more than this and half its leaves changed, or are gone.
    pub(super) slack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { leaves: 1 << 23, exceptions: 12, slack: 64 }
    }
}

/// A request as it was made, and its shape.
#[derive(Debug)]
struct Known {
    strategies: Box<[Strategy]>,
    constraints: Box<[Constraint]>,
    subnets: Box<[Subnet]>,
    for_service: bool,
    shape: usize,
}

/// Everything of a request that placement asks about.
#[derive(PartialEq, Eq, Debug)]
struct Shape {
    needs: Reservation,
    required: Box<[(Symbol, Option<Symbol>)]>,
    /// The zones with a subnet, sorted; none where zones do not matter.
    zones: Option<Vec<Symbol>>,
    expressions: Vec<Expression>,
    /// Whether amounts and states alone can make an instance fit that did not, or the other way round.
    is_by_seat: bool,
    distinct: bool,
    chain: Chain,
    /// The keys that the chain spreads over, in order.
    keys: Vec<Key>,
    /// The steps that an instance decides alone, in order, no step twice.
    own: Vec<Step>,
    /// Whether what is left of an instance is one of them.
    depends_on_amounts: bool,
}

/// The instances as one shape sees them.
#[derive(Debug)]
struct View {
    name: (usize, Option<Symbol>),
    /// How far the touched rows were read.
    position: u64,
    epoch: u64,
    classes: Vec<Class>,
    /// Per key of the chain, the values that classes have.
    values: Vec<Vec<Value>>,
    parts: Vec<Part>,
    /// By row of the instance.
    leaves: Vec<Leaf>,
    /// Leaves of instances that are gone.
    dead: usize,
    used: u64,
}

/// What a view needs to know of a class.
#[derive(Clone, Copy, Debug)]
struct Class {
    /// Whether attributes and zone allow the task.
    allows: bool,
    part: u32,
    held_max: HeldMax,
}

/// The instances with the same value for every key of the chain.
#[derive(Debug)]
struct Part {
    /// Per key, which of the view's values.
    values: Vec<usize>,
    tree: Tree,
    /// Per leaf, which instance and its order of registration.
    instances: Vec<(Row<ContainerInstance>, u32)>,
}

/// Where an instance stands; `order` is [`UNREGISTERED`] for none.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    place: u32,
    order: u32,
}

impl Leaf {
    const NOWHERE: Leaf = Leaf { place: 0, order: UNREGISTERED };
}

impl ShapeIndex {
    /// The best instance for a request; `pick` chooses one of as many equals where chance decides.
    pub(super) fn choose(
        &mut self,
        question: &Question<'_>,
        wanted: &Wanted<'_>,
        settings: PlacementSettings,
        pick: impl FnOnce(usize) -> usize,
    ) -> Option<Row<ContainerInstance>> {
        let shape = self.shape(question, wanted, settings);
        let group = self.shapes[shape].own_group(question, self.limits.exceptions);
        let at = self.view(question, shape, group);
        let (shape, view) = (&self.shapes[shape], &mut self.views[at]);
        let exceptions = view.except(question, shape);
        let best = view.best(question, shape, settings, pick);
        for (part, leaf, key) in exceptions {
            view.set(part, leaf, key);
        }
        best
    }

    /// The shape of a request, found among those seen before or added.
    fn shape(&mut self, question: &Question<'_>, wanted: &Wanted<'_>, settings: PlacementSettings) -> usize {
        let known = self.known.get_or_insert_with(wanted.task_definition, Vec::new);
        let same = |known: &&Known| known.is(question.placing, wanted.for_service);
        if let Some(known) = known.iter().find(same) {
            return known.shape;
        }
        let made = Shape::of(question, wanted, settings);
        let number = self.shapes.iter().position(|shape| *shape == made).unwrap_or(self.shapes.len());
        if number == self.shapes.len() {
            self.shapes.push(made);
        }
        known.push(Known {
            strategies: question.placing.strategies.clone(),
            constraints: question.placing.constraints.clone(),
            subnets: question.placing.subnets.clone(),
            for_service: wanted.for_service,
            shape: number,
        });
        number
    }

    /// A view that is up to date.
    fn view(&mut self, question: &Question<'_>, shape: usize, group: Option<Symbol>) -> usize {
        self.uses += 1;
        let name = (shape, group);
        let at = if let Some(&at) = self.view_of.get(&name) {
            if !self.views[at].catch_up(question, &self.shapes[shape], self.limits.slack) {
                self.views[at] = View::of(question, &self.shapes[shape], name);
            }
            at
        } else {
            self.add(View::of(question, &self.shapes[shape], name))
        };
        self.views[at].used = self.uses;
        at
    }

    /// Adds a view, in the place of one that was used long ago where all together grow too large.
    fn add(&mut self, view: View) -> usize {
        let mut leaves: usize = self.views.iter().map(View::len).sum();
        while leaves + view.len() > self.limits.leaves && !self.views.is_empty() {
            let oldest = (0..self.views.len()).min_by_key(|&at| self.views[at].used).expect("not empty");
            leaves -= self.views[oldest].len();
            self.remove(oldest);
        }
        self.view_of.insert(view.name, self.views.len());
        self.views.push(view);
        self.views.len() - 1
    }

    fn remove(&mut self, at: usize) {
        let gone = self.views.swap_remove(at);
        self.view_of.remove(&gone.name);
        if let Some(moved) = self.views.get(at) {
            self.view_of.insert(moved.name, at);
        }
    }
}

impl Known {
    fn is(&self, placing: &Placing, for_service: bool) -> bool {
        self.for_service == for_service
            && self.strategies == placing.strategies
            && self.subnets == placing.subnets
            && self.constraints.len() == placing.constraints.len()
            && self.constraints.iter().zip(&placing.constraints).all(|(one, other)| same(one, other))
    }
}

fn same(one: &Constraint, other: &Constraint) -> bool {
    match (one, other) {
        (Constraint::DistinctInstance, Constraint::DistinctInstance) => true,
        (Constraint::MemberOf(one), Constraint::MemberOf(other)) => one == other,
        (Constraint::DistinctInstance, Constraint::MemberOf(_))
        | (Constraint::MemberOf(_), Constraint::DistinctInstance) => false,
    }
}

impl Shape {
    fn of(question: &Question<'_>, wanted: &Wanted<'_>, settings: PlacementSettings) -> Self {
        let (task, placing) = (question.task, question.placing);
        let chain = Chain::of(question.definitions, wanted, settings);
        let keys = chain.keys().collect();
        let mut own = Vec::new();
        for step in &chain.steps {
            if !matches!(step, Step::Spread(_)) && !own.contains(step) {
                own.push(*step);
            }
        }
        let zones = (task.network_mode == NetworkMode::Awsvpc).then(|| {
            let mut zones: Vec<Symbol> = placing.subnets.iter().map(|subnet| subnet.zone).collect();
            zones.sort_unstable();
            zones.dedup();
            zones
        });
        let expressions: Vec<Expression> = constraint::expressions(task, placing).cloned().collect();
        Shape {
            needs: task.reservation.clone(),
            required: task.required_attributes.clone(),
            zones,
            is_by_seat: task.reservation.ports.is_empty()
                && task.reservation.ports_udp.is_empty()
                && expressions.iter().all(|expression| expression.depends_on().is_fixed()),
            expressions,
            distinct: constraint::wants_distinct(placing),
            depends_on_amounts: own.iter().any(|step| matches!(step, Step::Cpu | Step::Memory)),
            chain,
            keys,
            own,
        }
    }

    fn tree(&self, keys: &[u128]) -> Tree {
        let bits: u32 = self.own.iter().map(|&step| width(step)).sum();
        Tree::of(keys, bits, self.chain.random)
    }

    /// The group whose own view the request uses; none where the view of the shape will do.
    fn own_group(&self, question: &Question<'_>, shared_max: usize) -> Option<Symbol> {
        let exceptions = question.belief.group(question.group).map_or(0, |group| group.instances.len());
        (self.counts_on_instances() && exceptions > shared_max).then_some(question.group)
    }

    /// Whether it matters how many tasks of the group an instance has.
    fn counts_on_instances(&self) -> bool {
        self.distinct || self.own.contains(&Step::Instance)
    }

    /// The key of an instance with `count` tasks of the group.
    fn key(
        &self,
        question: &Question<'_>,
        row: Row<ContainerInstance>,
        seat: &Seat,
        allows: bool,
        count: u32,
    ) -> u128 {
        if !allows || !is_candidate(seat) || (self.distinct && count > 0) {
            return NONE;
        }
        let class = &question.definitions[seat.class];
        if !has_room(&self.needs, seat, class) || question.lacks_ports(row, class) {
            return NONE;
        }
        if !self.expressions.iter().all(|expression| constraint::holds(question, expression, row)) {
            return NONE;
        }
        self.own.iter().fold(0, |key, &step| {
            let width = width(step);
            key << width | packed(own_number(step, seat, class, count), width)
        })
    }

    /// The number that a key holds for a step.
    fn number(&self, key: u128, step: Step) -> u128 {
        let place = self.own.iter().position(|own| *own == step).expect("an own step of the chain");
        let shift: u32 = self.own[place + 1..].iter().map(|&step| width(step)).sum();
        key >> shift & ((1 << width(step)) - 1)
    }
}

/// Whether an instance takes tasks at all.
fn is_candidate(seat: &Seat) -> bool {
    seat.status == Some(InstanceStatus::Active) && seat.agent_connected
}

/// Whether attributes and zones of a class allow the task.
fn allows(question: &Question<'_>, class: &InstanceClass) -> bool {
    has_attributes(question.task, class) && is_located(question.task, question.placing, class)
}

/// How many bits of a key a step takes: 4 million vCPUs, 128 TiB and 16,000 tasks of one group on one
/// instance. All steps together fit, and each alone leaves room for [`NONE`].
const fn width(step: Step) -> u32 {
    match step {
        Step::Cpu => 40,
        Step::Memory => 48,
        Step::Instance => 15,
        Step::Spread(_) => 0,
    }
}

/// A signed number in so many bits, in the same order; what does not fit becomes the nearest that does.
fn packed(number: i64, width: u32) -> u128 {
    let half = 1_i64 << (width - 1);
    let number = number.clamp(-half, half - 1) + half;
    u128::from(number.unsigned_abs())
}

impl View {
    /// A view made by a look at every instance.
    fn of(question: &Question<'_>, shape: &Shape, name: (usize, Option<Symbol>)) -> Self {
        let belief = question.belief;
        let mut view = View {
            name,
            position: belief.touched().end(),
            epoch: belief.epoch,
            classes: Vec::new(),
            values: vec![Vec::new(); shape.keys.len()],
            parts: Vec::new(),
            leaves: Vec::new(),
            dead: 0,
            used: 0,
        };
        for class in &question.definitions.classes {
            view.add_class(question, shape, class);
        }
        let mut keys = vec![Vec::new(); view.parts.len()];
        for (row, seat) in belief.registered() {
            let Class { allows, part, .. } = view.classes[seat.class.index()];
            keys[part as usize].push(view.key(question, shape, row, seat, allows));
            view.stand(row, part, seat.order);
        }
        for (part, keys) in view.parts.iter_mut().zip(keys) {
            part.tree = shape.tree(&keys);
        }
        view
    }

    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.tree.len()).sum()
    }

    fn add_class(&mut self, question: &Question<'_>, shape: &Shape, class: &InstanceClass) {
        let values: Vec<usize> = shape
            .keys
            .iter()
            .zip(&mut self.values)
            .map(|(key, values)| {
                let value = key.value(class);
                values.iter().position(|known| *known == value).unwrap_or_else(|| {
                    values.push(value);
                    values.len() - 1
                })
            })
            .collect();
        let part = self.parts.iter().position(|part| part.values == values).unwrap_or_else(|| {
            self.parts.push(Part { values, tree: shape.tree(&[]), instances: Vec::new() });
            self.parts.len() - 1
        });
        let part = u32::try_from(part).expect("fewer parts than classes");
        let held_max = HeldMax::of(&shape.needs, class);
        self.classes.push(Class { allows: allows(question, class), part, held_max });
    }

    /// Reads the rows touched since the last use. False where a new view is the better way.
    fn catch_up(&mut self, question: &Question<'_>, shape: &Shape, slack: usize) -> bool {
        let belief = question.belief;
        if self.epoch != belief.epoch || self.classes.len() != question.definitions.classes.len() {
            return false;
        }
        let Some(touches) = belief.touched().since(self.position) else { return false };
        let standing = self.len();
        if touches.len() > standing / 2 + slack || self.dead > standing / 2 + slack {
            return false;
        }
        let position = std::mem::replace(&mut self.position, belief.touched().end());
        if touches.iter().all(|touch| touch.former.order == touch.seat.order) {
            let (_, group) = self.name;
            for net in belief.touched().net(position, group) {
                if net.seat.order != UNREGISTERED && self.matters(shape, &net) {
                    self.refresh(question, shape, net.row, net.seat);
                }
            }
        } else {
            for touch in touches {
                self.refresh(question, shape, touch.row, &touch.seat);
            }
        }
        true
    }

    /// Whether a change of an instance that neither came nor went may change its key. Most do not, and
    /// this is found without a look at the leaf.
    fn matters(&self, shape: &Shape, net: &Net<'_>) -> bool {
        if !shape.is_by_seat {
            return true;
        }
        let held_max = &self.classes[net.seat.class.index()].held_max;
        let fits = |seat: &Seat| is_candidate(seat) && held_max.leaves_room(seat);
        let (before, after) = (fits(net.former), fits(net.seat));
        let moves = net.counts || shape.depends_on_amounts && net.former.held != net.seat.held;
        before != after || before && moves
    }

    /// Brings one instance up to date.
    fn refresh(&mut self, question: &Question<'_>, shape: &Shape, row: Row<ContainerInstance>, seat: &Seat) {
        let leaf = self.leaf(row);
        if leaf.order == UNREGISTERED && seat.order == UNREGISTERED {
            return;
        }
        let Class { allows, part, .. } = self.classes[seat.class.index()];
        if seat.order == UNREGISTERED {
            self.set(part, leaf, NONE);
            self.leaves[row.index()] = Leaf::NOWHERE;
            self.dead += 1;
            return;
        }
        let key = self.key(question, shape, row, seat, allows);
        if leaf.order == seat.order {
            self.set(part, leaf, key);
        } else {
            self.stand(row, part, seat.order);
            self.parts[part as usize].tree.push(key);
        }
    }

    fn key(
        &self,
        question: &Question<'_>,
        shape: &Shape,
        row: Row<ContainerInstance>,
        seat: &Seat,
        allows: bool,
    ) -> u128 {
        let (_, group) = self.name;
        let count = group.map_or(0, |group| question.belief.count(row, group));
        shape.key(question, row, seat, allows, count)
    }

    fn stand(&mut self, row: Row<ContainerInstance>, part: u32, order: u32) {
        let instances = &mut self.parts[part as usize].instances;
        let place = u32::try_from(instances.len()).expect("fewer leaves than registrations");
        instances.push((row, order));
        if self.leaves.len() <= row.index() {
            self.leaves.resize(row.index() + 1, Leaf::NOWHERE);
        }
        self.leaves[row.index()] = Leaf { place, order };
    }

    fn leaf(&self, row: Row<ContainerInstance>) -> Leaf {
        self.leaves.get(row.index()).copied().unwrap_or(Leaf::NOWHERE)
    }

    fn set(&mut self, part: u32, leaf: Leaf, key: u128) {
        self.parts[part as usize].tree.set(leaf.place as usize, key);
    }

    /// Puts the counts of the group into a view that does not count; hands back what stood there.
    fn except(&mut self, question: &Question<'_>, shape: &Shape) -> Vec<(u32, Leaf, u128)> {
        let counted = self.name.1.is_some() || !shape.counts_on_instances();
        let group = if counted { None } else { question.belief.group(question.group) };
        let Some(group) = group else { return Vec::new() };
        let mut changed = Vec::with_capacity(group.instances.len());
        for (&row, &count) in &group.instances {
            let leaf = self.leaf(row);
            let Some(seat) = question.belief.seat(row).filter(|_| leaf.order != UNREGISTERED) else {
                continue;
            };
            let Class { allows, part, .. } = self.classes[seat.class.index()];
            let former = self.parts[part as usize].tree.key(leaf.place as usize);
            changed.push((part, leaf, former));
            self.set(part, leaf, shape.key(question, row, seat, allows, count));
        }
        changed
    }

    /// The best instance of all parts.
    fn best(
        &self,
        question: &Question<'_>,
        shape: &Shape,
        settings: PlacementSettings,
        pick: impl FnOnce(usize) -> usize,
    ) -> Option<Row<ContainerInstance>> {
        mark!("PL-12");
        let counts = self.spread_counts(question, shape, settings);
        let mut best: Vec<&Part> = Vec::new();
        for part in self.parts.iter().filter(|part| part.tree.least() != NONE) {
            let order = best.first().map_or(Ordering::Less, |best| shape.compare(&counts, part, best));
            match order {
                Ordering::Less => {
                    best.clear();
                    best.push(part);
                }
                Ordering::Equal => best.push(part),
                Ordering::Greater => {}
            }
        }
        if shape.chain.random { drawn(&best, pick) } else { first_registered(&best) }
    }

    /// Per key of the chain and value: how many tasks of the group count there.
    fn spread_counts(
        &self,
        question: &Question<'_>,
        shape: &Shape,
        settings: PlacementSettings,
    ) -> Vec<Vec<u64>> {
        let group = question.belief.group(question.group);
        let of = |(key, values): (&Key, &Vec<Value>)| {
            let count =
                |value: &Value| strategy::spread_count(question.definitions, group, *key, *value, settings);
            values.iter().map(count).collect()
        };
        shape.keys.iter().zip(&self.values).map(of).collect()
    }
}

impl Shape {
    /// Which of two parts has the better instance, ties apart.
    fn compare(&self, counts: &[Vec<u64>], one: &Part, other: &Part) -> Ordering {
        let mut key = 0;
        let (one_least, other_least) = (one.tree.least(), other.tree.least());
        for &step in &self.chain.steps {
            let order = if let Step::Spread(_) = step {
                key += 1;
                let of = |part: &Part| counts[key - 1][part.values[key - 1]];
                of(one).cmp(&of(other))
            } else {
                self.number(one_least, step).cmp(&self.number(other_least, step))
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn first_registered(parts: &[&Part]) -> Option<Row<ContainerInstance>> {
    let firsts = parts.iter().map(|part| part.instances[part.tree.first()]);
    firsts.min_by_key(|&(_, order)| order).map(|(row, _)| row)
}

fn drawn(parts: &[&Part], pick: impl FnOnce(usize) -> usize) -> Option<Row<ContainerInstance>> {
    let ties: usize = parts.iter().map(|part| part.tree.ties()).sum();
    if ties == 0 {
        return None;
    }
    let mut n = pick(ties);
    for part in parts {
        if n < part.tree.ties() {
            return Some(part.instances[part.tree.nth(n)].0);
        }
        n -= part.tree.ties();
    }
    None
}
