//! Placement constraints (section 4.3): `distinctInstance` and `memberOf`, all of them binding.
//!
//! An expression sees an instance through [`Seen`]. Knows nothing of resources or strategies.

use crate::base::{Row, Timestamp};
use crate::control::ecs::objects::{
    Constraint, ContainerInstance, Definitions, InstanceClass, Placing, TaskDefinition,
};
use crate::control::ecs::query::{Candidate, Expression};
use crate::mark;

use super::belief::{Belief, Seat};
use super::feasible::Question;

/// Whether every constraint of the task definition and of the request holds on an instance.
pub(super) fn hold(question: &Question<'_>, row: Row<ContainerInstance>) -> bool {
    is_distinct(question, row)
        && expressions(question.task, question.placing).all(|expression| holds(question, expression, row))
}

/// Whether an expression holds on an instance; on one that has left the record none does.
pub(super) fn holds(question: &Question<'_>, expression: &Expression, row: Row<ContainerInstance>) -> bool {
    mark!("4.3/memberOf");
    let Some(seat) = question.belief.seat(row) else { return false };
    let (definitions, belief) = (question.definitions, question.belief);
    expression.matches(&Seen::new(definitions, belief, row, seat))
}

/// Every `memberOf` that binds a task.
pub(super) fn expressions<'a>(
    task: &'a TaskDefinition,
    placing: &'a Placing,
) -> impl Iterator<Item = &'a Expression> {
    task.constraints.iter().chain(placing.constraints.iter().filter_map(|constraint| match constraint {
        Constraint::MemberOf(expression) => Some(expression),
        Constraint::DistinctInstance => None,
    }))
}

/// Whether each task of the group needs an instance of its own.
pub(super) fn wants_distinct(placing: &Placing) -> bool {
    placing.constraints.iter().any(|constraint| matches!(constraint, Constraint::DistinctInstance))
}

fn is_distinct(question: &Question<'_>, row: Row<ContainerInstance>) -> bool {
    if !wants_distinct(question.placing) {
        return true;
    }
    mark!("4.3/distinctInstance");
    question.belief.count(row, question.group) == 0
}

/// A container instance as the query language sees it: the row, its class, and what is believed of
/// its tasks.
pub(super) struct Seen<'a> {
    definitions: &'a Definitions,
    belief: &'a Belief,
    row: Row<ContainerInstance>,
    seat: &'a Seat,
    class: &'a InstanceClass,
    instance: &'a ContainerInstance,
    id: String,
}

impl<'a> Seen<'a> {
    fn new(
        definitions: &'a Definitions,
        belief: &'a Belief,
        row: Row<ContainerInstance>,
        seat: &'a Seat,
    ) -> Self {
        let instance = belief.details(row).instance.as_ref().expect("an instance in the record was observed");
        let name = instance.name;
        let id = format!("{}-{}", definitions.symbols.text(name.of), name.serial);
        Seen { definitions, belief, row, seat, class: &definitions[seat.class], instance, id }
    }
}

impl Candidate for Seen<'_> {
    fn agent_connected(&self) -> bool {
        self.seat.agent_connected
    }

    fn agent_version(&self) -> &str {
        self.definitions.symbols.text(self.class.agent_version)
    }

    fn ec2_instance_id(&self) -> &str {
        &self.id
    }

    fn registered_at(&self) -> Timestamp {
        self.instance.registered_at
    }

    /// Tasks that hold resources, those placed a moment ago included (PL-03).
    fn running_tasks(&self) -> u32 {
        self.seat.held.tasks
    }

    fn runs_group_where(&self, wanted: &dyn Fn(&str) -> bool) -> bool {
        let groups = self.belief.members(self.row);
        groups.iter().any(|members| wanted(self.definitions.symbols.text(members.group)))
    }

    fn attribute(&self, name: &str) -> Option<Option<&str>> {
        let value = self.class.attribute(self.definitions.symbols.find(name)?)?;
        Some(value.map(|value| self.definitions.symbols.text(value)))
    }
}
