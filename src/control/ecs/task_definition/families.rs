//! Families: how revisions are numbered, which can be used, and which one a name means.

use std::collections::BTreeMap;

use super::{Rules, register};
use crate::base::{Row, Timestamp};
use crate::control::ecs::api::{ApiError, RegisterTaskDefinition};
use crate::control::ecs::objects::{Definitions, TaskDefinition};
use crate::mark;

/// The state of a revision (TD-02).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It can be used.
    Active,
    /// It was deregistered then, and is only used by what uses it already.
    Inactive(Timestamp),
    /// It waits for its last user.
    DeleteInProgress,
}

/// Every family and its revisions.
///
/// ```
/// use windtunnel::base::Timestamp;
/// use windtunnel::control::ecs::objects::Definitions;
/// use windtunnel::control::ecs::api::{RegisterTaskDefinition, read};
/// use windtunnel::control::ecs::task_definition::{Families, Rules};
/// let web = serde_json::json!({
///     "family": "web", "containerDefinitions": [{"name": "nginx", "image": "nginx", "memory": 64}],
/// });
/// let web = read::<RegisterTaskDefinition>(&web).expect("well formed").request;
/// let mut definitions = Definitions::default();
/// let mut families = Families::new(Rules::default());
/// let first = families.register(&web, &mut definitions).expect("valid");
/// let second = families.register(&web, &mut definitions).expect("valid");
/// let now = Timestamp::default();
/// assert_eq!(families.resolve("web", now), Ok(second));
/// assert_eq!(families.resolve("web:1", now), Ok(first));
/// ```
#[derive(Clone, Debug)]
pub struct Families {
    rules: Rules,
    families: BTreeMap<String, Family>,
}

/// Invariant: every number in `revisions` is at most `last`.
#[derive(Clone, Debug, Default)]
struct Family {
    last: u32,
    revisions: BTreeMap<u32, (Row<TaskDefinition>, Status)>,
}

/// Revisions per family (TD-05).
const REVISIONS_MAX: u32 = 1_000_000;

impl Families {
    /// No family yet.
    pub fn new(rules: Rules) -> Self {
        Families { rules, families: BTreeMap::new() }
    }

    /// The rules that every registration keeps.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Registers the next revision of a family, also when nothing changed (TD-01).
    ///
    /// # Errors
    /// The first failure in the order of section 1.8, or that the family has no number left.
    pub fn register(
        &mut self,
        request: &RegisterTaskDefinition,
        definitions: &mut Definitions,
    ) -> Result<Row<TaskDefinition>, ApiError> {
        let name = request.family.as_deref().unwrap_or_default();
        mark!("TD-01");
        let revision = self.families.get(name).map_or(0, |family| family.last) + 1;
        let definition = register(request, revision, &mut definitions.symbols, &self.rules)?;
        if revision > REVISIONS_MAX {
            mark!("TD-05");
            return Err(ApiError::client("family", "A family has at most 1000000 revisions."));
        }
        let row = Row::at(definitions.tasks.len());
        definitions.tasks.push(definition);
        self.insert(name, revision, row);
        Ok(row)
    }

    fn insert(&mut self, name: &str, revision: u32, row: Row<TaskDefinition>) {
        let family = self.families.entry(name.to_owned()).or_default();
        family.last = revision;
        family.revisions.insert(revision, (row, Status::Active));
    }

    /// Makes a revision INACTIVE; to do so again changes nothing.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn deregister(&mut self, reference: &str, now: Timestamp) -> Result<(), ApiError> {
        let (_, status) = self.exact(reference)?;
        match *status {
            Status::Active => {
                mark!("TD-02");
                *status = Status::Inactive(now);
            }
            Status::Inactive(_) | Status::DeleteInProgress => {}
        }
        Ok(())
    }

    /// Begins to delete an INACTIVE revision.
    ///
    /// # Errors
    /// When there is no such revision, or it is ACTIVE.
    pub fn delete(&mut self, reference: &str) -> Result<(), ApiError> {
        let (_, status) = self.exact(reference)?;
        match *status {
            Status::Active => {
                mark!("TD-02");
                let words = "The specified task definition is still in ACTIVE status. Deregister it first.";
                Err(ApiError::client("taskDefinitions", words))
            }
            Status::Inactive(_) | Status::DeleteInProgress => {
                mark!("TD-02");
                *status = Status::DeleteInProgress;
                Ok(())
            }
        }
    }

    /// Forgets every revision of which deletion began and which nobody uses. Their numbers stay
    /// taken.
    pub fn collect(&mut self, is_used: impl Fn(Row<TaskDefinition>) -> bool) {
        mark!("TD-02");
        for family in self.families.values_mut() {
            family.revisions.retain(|_, (row, status)| *status != Status::DeleteInProgress || is_used(*row));
        }
    }

    /// The state of a revision, none when it is gone or never was.
    pub fn status(&self, family: &str, revision: u32) -> Option<Status> {
        self.families.get(family)?.revisions.get(&revision).map(|(_, status)| *status)
    }

    /// The revision that `FAMILY`, `FAMILY:REVISION` or an ARN means now: the latest ACTIVE one of a
    /// bare family (TD-04).
    ///
    /// # Errors
    /// When there is none, or it cannot be used any more (TD-03).
    pub fn resolve(&self, reference: &str, now: Timestamp) -> Result<Row<TaskDefinition>, ApiError> {
        let (name, revision) = split(reference)?;
        let revisions = &self.families.get(name).ok_or_else(not_found)?.revisions;
        let Some(revision) = revision else {
            mark!("TD-04");
            let mut latest = revisions.values().rev();
            let usable = latest.find(|(_, status)| *status == Status::Active);
            return usable.map(|(row, _)| *row).ok_or_else(not_found);
        };
        let &(row, status) = revisions.get(&revision).ok_or_else(not_found)?;
        if self.is_usable(status, now) {
            Ok(row)
        } else {
            mark!("TD-03");
            Err(ApiError::client("taskDefinition", "TaskDefinition is inactive."))
        }
    }

    fn is_usable(&self, status: Status, now: Timestamp) -> bool {
        match status {
            Status::Active => true,
            Status::Inactive(since) => now.saturating_since(since) < self.rules.inactive_window,
            Status::DeleteInProgress => false,
        }
    }

    fn exact(&mut self, reference: &str) -> Result<&mut (Row<TaskDefinition>, Status), ApiError> {
        let (name, revision) = split(reference)?;
        let Some(revision) = revision else {
            return Err(ApiError::invalid("taskDefinition", "A revision is required, FAMILY:REVISION."));
        };
        self.families
            .get_mut(name)
            .and_then(|family| family.revisions.get_mut(&revision))
            .ok_or_else(not_found)
    }
}

/// `FAMILY`, `FAMILY:REVISION`, or either at the end of an ARN.
fn split(reference: &str) -> Result<(&str, Option<u32>), ApiError> {
    let text = match reference.strip_prefix("arn:") {
        Some(arn) => arn.split_once(":task-definition/").map(|(_, text)| text).ok_or_else(|| {
            ApiError::invalid("taskDefinition", format!("{reference} is not the ARN of a task definition."))
        })?,
        None => reference,
    };
    let Some((family, revision)) = text.split_once(':') else { return Ok((text, None)) };
    let number = revision.parse().map_err(|_| {
        ApiError::invalid("taskDefinition", format!("Invalid revision number. Number: {revision}"))
    })?;
    Ok((family, Some(number)))
}

fn not_found() -> ApiError {
    ApiError::client("taskDefinition", "TaskDefinition not found.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::base::mark::must_reach;
    use crate::control::ecs::api::read;

    /// Runs a script: `+web` registers, `-web:1` deregisters, `!web:1` deletes, `*` collects what
    /// nobody uses, `*web:1` collects while that one is used, `?web` resolves, `=web:1` asks for the
    /// state, `@5` moves the clock. Prints the answers: revisions, or the first letters of a state.
    fn run(script: &str, inactive_window: Span) -> String {
        let mut definitions = Definitions::default();
        let mut families = Families::new(Rules { inactive_window, ..Rules::default() });
        let mut now = Timestamp::default();
        let mut answers = Vec::new();
        for step in script.split(' ') {
            let (verb, name) = step.split_at(1);
            let tell = |definitions: &Definitions, row: Result<Row<TaskDefinition>, ApiError>| match row {
                Ok(row) => definitions[row].revision.to_string(),
                Err(error) => error.message.replace("TaskDefinition ", ""),
            };
            match verb {
                "+" => {
                    let document = serde_json::json!({
                        "family": name,
                        "containerDefinitions": [{"name": "a", "image": "x", "memory": 64}],
                    });
                    let request = read(&document).expect("well formed").request;
                    let row = families.register(&request, &mut definitions);
                    answers.push(tell(&definitions, row));
                }
                "?" => answers.push(tell(&definitions, families.resolve(name, now))),
                "-" => answers.extend(families.deregister(name, now).err().map(|error| error.message)),
                "!" => answers.extend(families.delete(name).err().map(|error| error.message)),
                "*" => {
                    let used = families.exact(name).map(|(row, _)| *row).ok();
                    families.collect(|row| Some(row) == used);
                }
                "=" => {
                    let (family, revision) = name.split_once(':').expect("the script names a revision");
                    let status = families.status(family, revision.parse().expect("a number"));
                    answers.push(match status {
                        None => "gone".into(),
                        Some(Status::Active) => "active".into(),
                        Some(Status::Inactive(_)) => "inactive".into(),
                        Some(Status::DeleteInProgress) => "deleting".into(),
                    });
                }
                "@" => now = Timestamp::default() + Span::seconds(name.parse().expect("seconds")),
                other => panic!("no verb {other}"),
            }
        }
        answers.join(" ")
    }

    fn check(script: &str, expected: &str, marks: &[&str]) {
        assert_eq!(must_reach(marks, || run(script, Span::ZERO)), expected, "{script}");
    }

    #[test]
    fn revisions_are_numbered_and_resolved() {
        check("+web +web +db +web", "1 2 1 3", &["TD-01"]);
        check("+web +web ?web ?web:1 ?web:2", "1 2 2 1 2", &["TD-04"]);
        check("+web ?web:2", "1 not found.", &[]);
        check("+web ?db ?db:1", "1 not found. not found.", &[]);
        check("+web ?arn:aws:ecs:us-east-1:111122223333:task-definition/web:1", "1 1", &[]);
        check("+web ?arn:aws:ecs:us-east-1:111122223333:task-definition/web", "1 1", &[]);
        let cluster = "arn:aws:ecs:us-east-1:111122223333:cluster/web";
        check(&format!("?{cluster}"), &format!("{cluster} is not the ARN of a task definition."), &[]);
        check("+web ?web:x", "1 Invalid revision number. Number: x", &[]);
        check("+web ?web:", "1 Invalid revision number. Number: ", &[]);
    }

    #[test]
    fn revisions_are_retired() {
        check("+web -web:1 ?web:1 ?web", "1 is inactive. not found.", &["TD-02", "TD-03"]);
        check("+web +web -web:2 ?web", "1 2 1", &["TD-04"]);
        check("+web -web:1 +web ?web", "1 2 2", &["TD-01"]);
        check("+web =web:1 -web:1 =web:1 !web:1 =web:1", "1 active inactive deleting", &["TD-02"]);
        check("+web -web:1 !web:1 ?web:1 -web:1 =web:1", "1 is inactive. deleting", &["TD-03"]);
        check("+web -web:1 !web:1 !web:1 * =web:1 +web", "1 gone 2", &["TD-01", "TD-02"]);
        check("+web -web:1 !web:1 *web:1 =web:1", "1 deleting", &["TD-02"]);
        check("+web +web -web:1 * =web:1 =web:2", "1 2 inactive active", &["TD-02"]);
        let active = "The specified task definition is still in ACTIVE status. Deregister it first.";
        check("+web !web:1 =web:1", &format!("1 {active} active"), &["TD-02"]);
        check("-web:1 !web:1", "TaskDefinition not found. TaskDefinition not found.", &[]);
        check("+web -web", "1 A revision is required, FAMILY:REVISION.", &[]);
    }

    #[test]
    fn the_old_status_is_honoured_for_a_while() {
        let script = "+web @10 -web:1 @12 -web:1 @14 ?web:1 @15 ?web:1 ?web";
        assert_eq!(run(script, Span::seconds(5)), "1 1 is inactive. not found.");
    }

    #[test]
    fn a_family_has_a_last_number() {
        let request = read(&serde_json::json!({
            "family": "web",
            "containerDefinitions": [{"name": "a", "image": "x", "memory": 64}],
        }));
        let request = request.expect("well formed").request;
        let mut definitions = Definitions::default();
        let mut families = Families::new(Rules::default());
        families.insert("web", 999_999, Row::at(0));
        let last = families.register(&request, &mut definitions).map(|row| definitions[row].revision);
        assert_eq!(last, Ok(1_000_000));
        let error =
            must_reach(&["TD-05"], || families.register(&request, &mut definitions)).expect_err("full");
        assert_eq!(error.message, "A family has at most 1000000 revisions.");
        assert_eq!(definitions.tasks.len(), 1);
    }
}
