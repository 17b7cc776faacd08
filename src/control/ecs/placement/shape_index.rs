//! Finds the best instance without looking at all of them.
//!
//! A *shape* is everything of a request that placement asks about: needs, constraints, strategies. A
//! *view* is the instances as one shape sees them: one [`Tree`] per combination of spread values, one
//! leaf per instance in the order of registration, its key the part of the chain that the instance
//! decides alone. Where the leaves stand is the same for all shapes that spread over the same keys: their
//! [`Layout`]. A view is brought up to date when it is used, from the rows touched since. What a
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

use super::belief::{Net, Seat, Touch, UNREGISTERED};
use super::feasible::{HeldMax, Question, has_attributes, is_located};
use super::layout::{Layout, Leaf, Part};
use super::ledger::{Ledger, Ledgers};
use super::strategy::{Chain, Key, Step, Value, own_number};
use super::tree::{NONE, Tree};
use super::{PlacementSettings, Rejection, Wanted, constraint, strategy};

/// The views of all shapes in use.
#[derive(Debug, Default)]
pub(super) struct ShapeIndex {
    /// Requests seen before, by task definition.
    known: Map<Row<TaskDefinition>, Vec<Known>>,
    shapes: Vec<Shape>,
    /// One per list of keys that a chain spreads over.
    layouts: Vec<Layout>,
    views: Vec<View>,
    /// The view of a shape, or of a shape and a group.
    view_of: Map<(usize, Option<Symbol>), usize>,
    uses: u64,
    /// How many layouts were made.
    made: u64,
    ledgers: Ledgers,
    pub(super) limits: Limits,
}

/// Where one way of finding the best gives way to another. No limit changes what is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many leaves all views may have together, at about 5 to 20 bytes; the view used longest ago goes.
    pub(super) leaves: usize,
    /// Up to how many instances with tasks of its group a request shares the view of its shape.
    pub(super) exceptions: usize,
    /// Up to how many instances a group lists. When more have become few again, a look at all finds them.
    pub(super) listed: usize,
    /// A view is made anew when more than this and half its leaves changed, or are gone.
    pub(super) slack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { leaves: 1 << 23, exceptions: 12, listed: 64, slack: 64 }
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
    /// The layout that it is for; another number makes the view void.
    layout: u64,
    classes: Vec<Class>,
    /// By part of the layout.
    trees: Vec<Tree>,
    used: u64,
}

/// What a view needs to know of a class.
#[derive(Clone, Copy, Debug)]
struct Class {
    /// Whether attributes and zone allow the task.
    allows: bool,
    held_max: HeldMax,
}

/// A view with the layout that it is for.
struct Seen<'a> {
    question: &'a Question<'a>,
    shape: &'a Shape,
    layout: &'a Layout,
    view: &'a mut View,
}

/// A part of a layout, and its leaves.
type Leaves<'a> = (&'a Part, &'a Tree);

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
        let layout = self.layout(question, shape);
        let group = self.shapes[shape].own_group(question, self.limits.exceptions);
        let at = self.view(question, shape, layout, group);
        let (shape, layout, view) = (&self.shapes[shape], &self.layouts[layout], &mut self.views[at]);
        let mut seen = Seen { question, shape, layout, view };
        let exceptions = seen.except();
        let best = seen.best(settings, pick);
        for (part, place, key) in exceptions {
            seen.set(part, place, key);
        }
        best
    }

    /// Why no instance can take the task of a request.
    pub(super) fn rejection(
        &mut self,
        question: &Question<'_>,
        wanted: &Wanted<'_>,
        settings: PlacementSettings,
    ) -> Rejection {
        let number = self.shape(question, wanted, settings);
        let shape = &self.shapes[number];
        if shape.is_by_seat && !shape.distinct {
            self.ledgers.rejection(question, number)
        } else {
            Ledger::of(question).rejection()
        }
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

    /// The layout of a shape, up to date.
    fn layout(&mut self, question: &Question<'_>, shape: usize) -> usize {
        let keys = &self.shapes[shape].keys;
        let known = self.layouts.iter().position(|layout| layout.keys() == keys);
        let at = known.unwrap_or(self.layouts.len());
        if let Some(layout) = self.layouts.get_mut(at)
            && layout.catch_up(question, self.limits.slack)
        {
            return at;
        }
        self.made += 1;
        let layout = Layout::of(question, keys.clone(), self.made);
        if known.is_some() {
            self.layouts[at] = layout;
        } else {
            self.layouts.push(layout);
        }
        at
    }

    /// A view that is up to date.
    fn view(&mut self, question: &Question<'_>, shape: usize, layout: usize, group: Option<Symbol>) -> usize {
        self.uses += 1;
        let name = (shape, group);
        let (shape, layout) = (&self.shapes[shape], &self.layouts[layout]);
        let at = if let Some(&at) = self.view_of.get(&name) {
            let view = &mut self.views[at];
            if !(Seen { question, shape, layout, view }).catch_up(self.limits.slack) {
                self.views[at] = View::of(question, shape, layout, name);
            }
            at
        } else {
            let view = View::of(question, shape, layout, name);
            self.add(view)
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
        let exceptions = question.known.map_or(0, |group| group.instances as usize);
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
        of_class: &Class,
        count: u32,
    ) -> u128 {
        if !of_class.allows || !fits(seat, of_class) || (self.distinct && count > 0) {
            return NONE;
        }
        let class = &question.definitions[seat.class];
        if question.lacks_ports(row, class) {
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

/// Whether an instance takes tasks at all, and has room for this one; ports apart.
fn fits(seat: &Seat, class: &Class) -> bool {
    seat.status == Some(InstanceStatus::Active) && seat.agent_connected && class.held_max.leaves_room(seat)
}

/// Whether attributes and zones of a class allow the task.
fn allows(question: &Question<'_>, class: &InstanceClass) -> bool {
    has_attributes(question.task, class) && is_located(question.task, question.placing, class)
}

/// How many bits of a key a step takes: 131,000 vCPUs, 128 TiB and 16,000 tasks of one group on one
/// instance. All steps together fit, and each alone makes a small [`Tree`].
const fn width(step: Step) -> u32 {
    match step {
        Step::Cpu | Step::Memory => 28,
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
    fn of(question: &Question<'_>, shape: &Shape, layout: &Layout, name: (usize, Option<Symbol>)) -> Self {
        let belief = question.belief;
        let class = |class: &InstanceClass| Class {
            allows: allows(question, class),
            held_max: HeldMax::of(&shape.needs, class),
        };
        let mut view = View {
            name,
            position: belief.touched().end(),
            layout: layout.number(),
            classes: question.definitions.classes.iter().map(class).collect(),
            trees: Vec::new(),
            used: 0,
        };
        for part in layout.parts() {
            let key = |&(row, order)| match belief.seat(row).filter(|seat| seat.order == order) {
                Some(seat) => view.key(question, shape, row, seat),
                None => NONE,
            };
            let keys: Vec<u128> = part.instances.iter().map(key).collect();
            view.trees.push(shape.tree(&keys));
        }
        view
    }

    fn len(&self) -> usize {
        self.trees.iter().map(Tree::len).sum()
    }

    fn key(&self, question: &Question<'_>, shape: &Shape, row: Row<ContainerInstance>, seat: &Seat) -> u128 {
        let (_, group) = self.name;
        let count = group.map_or(0, |group| question.belief.count(row, group));
        shape.key(question, row, seat, &self.classes[seat.class.index()], count)
    }
}

impl Seen<'_> {
    /// Reads the rows touched since the last use. False where a new view is the better way.
    fn catch_up(&mut self, slack: usize) -> bool {
        let log = self.question.belief.touched();
        let Some(touches) = log.since(self.view.position) else { return false };
        if self.view.layout != self.layout.number() || touches.len() > self.view.len() / 2 + slack {
            return false;
        }
        let position = std::mem::replace(&mut self.view.position, log.end());
        if self.layout.changed_since(position) {
            self.extend();
            for touch in touches {
                self.follow(touch);
            }
            return true;
        }
        let (_, group) = self.view.name;
        for net in log.net(position, group) {
            if net.seat.order != UNREGISTERED && self.matters(&net) {
                let Leaf { part, place } = self.layout.leaf(net.row);
                let key = self.view.key(self.question, self.shape, net.row, net.seat);
                self.set(part, place, key);
            }
        }
        true
    }

    /// Whether a change of an instance that neither came nor went may change its key. Most do not, and
    /// this is found without a look at the leaf.
    fn matters(&self, net: &Net<'_>) -> bool {
        if !self.shape.is_by_seat {
            return true;
        }
        let class = &self.view.classes[net.seat.class.index()];
        let (before, after) = (fits(net.former, class), fits(net.seat, class));
        let moves = net.counts || self.shape.depends_on_amounts && net.former.held != net.seat.held;
        before != after || before && moves
    }

    /// Adds a leaf for everyone who came.
    fn extend(&mut self) {
        for (tree, part) in self.view.trees.iter_mut().zip(self.layout.parts()) {
            while tree.len() < part.instances.len() {
                tree.push(NONE);
            }
        }
    }

    /// Follows one change, when some instances came or went.
    fn follow(&mut self, touch: &Touch) {
        let Touch { row, former, seat, .. } = touch;
        if former.order != seat.order
            && let Some(leaf) = self.layout.leaf_of(former)
        {
            self.set(leaf.part, leaf.place, NONE);
        }
        if let Some(leaf) = self.layout.leaf_of(seat) {
            let key = self.view.key(self.question, self.shape, *row, seat);
            self.set(leaf.part, leaf.place, key);
        }
    }

    fn set(&mut self, part: u32, place: u32, key: u128) {
        self.view.trees[part as usize].set(place as usize, key);
    }

    /// Puts the counts of the group into a view that does not count; hands back what stood there.
    fn except(&mut self) -> Vec<(u32, u32, u128)> {
        let counted = self.view.name.1.is_some() || !self.shape.counts_on_instances();
        let belief = self.question.belief;
        let Some(group) = self.question.known.filter(|_| !counted) else { return Vec::new() };
        let few = group.few().expect("few instances are listed before they are asked about");
        let mut changed = Vec::with_capacity(few.len());
        for &row in few {
            let leaf = self.layout.leaf(row);
            let Some(seat) = belief.seat(row).filter(|_| leaf != Leaf::NOWHERE) else { continue };
            let Leaf { part, place } = leaf;
            changed.push((part, place, self.view.trees[part as usize].key(place as usize)));
            let count = belief.count(row, self.question.group);
            let class = &self.view.classes[seat.class.index()];
            let key = self.shape.key(self.question, row, seat, class, count);
            self.set(part, place, key);
        }
        changed
    }

    /// The best instance of all parts.
    fn best(
        &self,
        settings: PlacementSettings,
        pick: impl FnOnce(usize) -> usize,
    ) -> Option<Row<ContainerInstance>> {
        mark!("PL-12");
        let counts = self.spread_counts(settings);
        let parts = self.layout.parts().iter().zip(&self.view.trees);
        let parts = parts.filter(|(_, tree)| tree.least() != NONE);
        let compare = |one: Leaves<'_>, other: Leaves<'_>| self.shape.compare(&counts, one, other);
        if self.shape.chain.random {
            let best = parts.clone().min_by(|&one, &other| compare(one, other))?;
            let tied: Vec<_> = parts.filter(|&part| compare(part, best).is_eq()).collect();
            drawn(&tied, pick)
        } else {
            let best = parts
                .min_by(|&one, &other| compare(one, other).then_with(|| first(one).1.cmp(&first(other).1)));
            best.map(|part| first(part).0)
        }
    }

    /// Per key of the chain and value: how many tasks of the group count there.
    fn spread_counts(&self, settings: PlacementSettings) -> Vec<Vec<u64>> {
        let question = self.question;
        let of = |(key, values): (&Key, &Vec<Value>)| {
            let count = |value: &Value| {
                strategy::spread_count(question.definitions, question.known, *key, *value, settings)
            };
            values.iter().map(count).collect()
        };
        self.shape.keys.iter().zip(self.layout.values()).map(of).collect()
    }
}

impl Shape {
    /// Which of two parts has the better instance, ties apart.
    fn compare(
        &self,
        counts: &[Vec<u64>],
        (one, one_tree): Leaves<'_>,
        (other, other_tree): Leaves<'_>,
    ) -> Ordering {
        let mut key = 0;
        let (one_least, other_least) = (one_tree.least(), other_tree.least());
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

/// The first of the best of a part, and its order of registration.
fn first((part, tree): Leaves<'_>) -> (Row<ContainerInstance>, u32) {
    part.instances[tree.first()]
}

fn drawn(parts: &[Leaves<'_>], pick: impl FnOnce(usize) -> usize) -> Option<Row<ContainerInstance>> {
    let ties: usize = parts.iter().map(|(_, tree)| tree.ties()).sum();
    if ties == 0 {
        return None;
    }
    let mut n = pick(ties);
    for (part, tree) in parts {
        if n < tree.ties() {
            return Some(part.instances[tree.nth(n)].0);
        }
        n -= tree.ties();
    }
    None
}
