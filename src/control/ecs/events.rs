//! Service events: what a user of ECS reads in `describe-services` (sections 4.7 and 5.12).
//!
//! A message is a few numbers until somebody prints it.

use crate::base::Row;
use crate::mark;

use super::objects::ContainerInstance;
use super::placement::{Refusal, Rejection};

/// How many task ids one event lists (A-53).
pub const LISTED_MAX: usize = 10;

/// What a service event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServiceMessage {
    /// `has reached a steady state.`
    SteadyState,
    /// `has started N tasks: (task ID) ...`
    Started(Listed),
    /// `has stopped N running tasks: (task ID) ...`
    Stopped(Listed),
    /// `stopped N pending tasks.`
    StoppedPending(u32),
    /// `was unable to place a task ...`
    UnableToPlace(Rejection),
    /// `is unable to consistently start tasks successfully.`
    StartImpaired,
}

/// How the things that an event names are spelled: the caller knows the service that it is about.
pub trait Names {
    /// The id of a task of the service, by its serial.
    fn task(&self, serial: u64) -> String;
    /// The id of a container instance.
    fn instance(&self, row: Row<ContainerInstance>) -> String;
}

/// The tasks that one event lists, by their serials within the service: an event outlives the rows
/// of its tasks, and a task that was just started has no row yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Listed {
    /// How many are listed.
    pub count: u8,
    /// The first `count` of these.
    pub serials: [u64; LISTED_MAX],
    /// How many of them replace unhealthy ones (SVC-24).
    pub replaced_unhealthy: u8,
}

impl ServiceMessage {
    /// What stands after the prefix `(service NAME) `.
    ///
    /// ```
    /// use windtunnel::base::Row;
    /// use windtunnel::control::ecs::events::{Names, ServiceMessage};
    /// use windtunnel::control::ecs::objects::ContainerInstance;
    /// struct Plain;
    /// impl Names for Plain {
    ///     fn task(&self, serial: u64) -> String { format!("web-{serial}") }
    ///     fn instance(&self, row: Row<ContainerInstance>) -> String { format!("node-{}", row.number()) }
    /// }
    /// assert_eq!(ServiceMessage::SteadyState.text(&Plain), "has reached a steady state.");
    /// ```
    pub fn text(&self, names: &impl Names) -> String {
        match self {
            ServiceMessage::SteadyState => "has reached a steady state.".to_owned(),
            ServiceMessage::Started(listed) => {
                mark!("SVC-12");
                let started = format!("has started {} tasks: {}.", listed.count, listed.ids(names));
                started + &listed.replacements()
            }
            ServiceMessage::Stopped(listed) => {
                format!("has stopped {} running tasks: {}.", listed.count, listed.ids(names))
            }
            ServiceMessage::StoppedPending(count) => format!("stopped {count} pending tasks."),
            ServiceMessage::UnableToPlace(rejection) => rejection.event_text(names),
            ServiceMessage::StartImpaired => "is unable to consistently start tasks successfully.".to_owned(),
        }
    }
}

impl Listed {
    /// `(task ID) (task ID)`.
    fn ids(&self, names: &impl Names) -> String {
        let listed = &self.serials[..usize::from(self.count).min(LISTED_MAX)];
        let ids: Vec<String> =
            listed.iter().map(|&serial| format!("(task {})", names.task(serial))).collect();
        ids.join(" ")
    }

    /// The sentence about unhealthy tasks, if any was replaced (SVC-24).
    fn replacements(&self) -> String {
        if self.replaced_unhealthy == 0 {
            return String::new();
        }
        format!(" Amazon ECS replaced {} tasks due to an unhealthy status.", self.replaced_unhealthy)
    }
}

impl Rejection {
    /// `was unable to place a task ...` (section 4.7).
    pub fn event_text(&self, names: &impl Names) -> String {
        const UNABLE: &str = "was unable to place a task";
        if self.count(Refusal::Fargate) > 0 {
            mark!("4.7/Capacity is unavailable at this time.");
            return format!(
                "{UNABLE}. Reason: Capacity is unavailable at this time. \
                 Please try again later or in a different availability zone."
            );
        }
        if self.count(Refusal::FargateQuota) > 0 {
            mark!("4.7/You've reached the limit on the number of vCPUs");
            return format!(
                "{UNABLE}. Reason: You've reached the limit on the number of vCPUs you can run concurrently."
            );
        }
        if self.count(Refusal::FargateSize) > 0 {
            mark!("4.7/The requested CPU configuration is above your limit.");
            return format!("{UNABLE}. Reason: The requested CPU configuration is above your limit.");
        }
        if self.count(Refusal::FargateMemory) > 0 {
            mark!("4.7/The requested MEMORY configuration is above your limit.");
            return format!("{UNABLE}. Reason: The requested MEMORY configuration is above your limit.");
        }
        let reason = if let Some((instance, refusal)) = self.closest {
            let (id, lacks) = (names.instance(instance), closest_text(refusal));
            format!("The closest matching (container-instance {id}) {lacks}")
        } else {
            mark!("4.7/No Container Instances were found in your cluster.");
            "No Container Instances were found in your cluster.".to_owned()
        };
        mark!("4.7/For more information");
        format!(
            "{UNABLE} because no container instance met all of its requirements. Reason: {reason} \
             For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
        )
    }
}

/// What is said of the closest matching instance.
fn closest_text(refusal: Refusal) -> String {
    match refusal {
        Refusal::Cpu => {
            mark!("4.7/has insufficient CPU units available.");
            "has insufficient CPU units available.".to_owned()
        }
        Refusal::Memory => {
            mark!("4.7/has insufficient memory available.");
            "has insufficient memory available.".to_owned()
        }
        Refusal::Ports => {
            mark!("4.7/is already using a port required by your task.");
            "is already using a port required by your task.".to_owned()
        }
        Refusal::Attribute => {
            mark!("4.7/is missing an attribute required by your task.");
            "is missing an attribute required by your task.".to_owned()
        }
        Refusal::Agent => {
            mark!("4.7/encountered error AGENT");
            encountered(refusal)
        }
        Refusal::Interface => {
            mark!("4.7/encountered error RESOURCE:ENI");
            encountered(refusal)
        }
        Refusal::Constraint => {
            mark!("4.7/encountered error MemberOf");
            encountered(refusal)
        }
        Refusal::Gpu
        | Refusal::Location
        | Refusal::Inactive
        | Refusal::Missing
        | Refusal::NoActiveInstances
        | Refusal::NoInstances
        | Refusal::Fargate
        | Refusal::FargateQuota
        | Refusal::FargateSize
        | Refusal::FargateMemory => encountered(refusal),
    }
}

/// The words for what has none of its own.
fn encountered(refusal: Refusal) -> String {
    format!("encountered error \"{}\".", refusal.reason())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;

    struct Plain;
    impl Names for Plain {
        fn task(&self, serial: u64) -> String {
            format!("web-{serial}")
        }
        fn instance(&self, row: Row<ContainerInstance>) -> String {
            format!("node-{}", row.number())
        }
    }

    fn listed(serials: &[u64], replaced_unhealthy: u8) -> Listed {
        let mut listed = Listed { count: 0, serials: [0; LISTED_MAX], replaced_unhealthy };
        for (place, &serial) in serials.iter().enumerate() {
            listed.serials[place] = serial;
            listed.count += 1;
        }
        listed
    }

    fn check(rules: &[&str], message: ServiceMessage, text: &str) {
        must_reach(rules, || assert_eq!(message.text(&Plain), text));
    }

    #[test]
    fn service_messages_read_as_documented() {
        check(&[], ServiceMessage::SteadyState, "has reached a steady state.");
        check(
            &["SVC-12"],
            ServiceMessage::Started(listed(&[3, 5], 0)),
            "has started 2 tasks: (task web-3) (task web-5).",
        );
        check(
            &[],
            ServiceMessage::Started(listed(&[3], 1)),
            "has started 1 tasks: (task web-3). Amazon ECS replaced 1 tasks due to an unhealthy status.",
        );
        check(&[], ServiceMessage::Stopped(listed(&[8], 0)), "has stopped 1 running tasks: (task web-8).");
        check(&[], ServiceMessage::StoppedPending(4), "stopped 4 pending tasks.");
        check(&[], ServiceMessage::StartImpaired, "is unable to consistently start tasks successfully.");
    }

    #[test]
    fn placement_failures_read_as_documented() {
        let closest = [
            (
                "4.7/has insufficient CPU units available.",
                Refusal::Cpu,
                "has insufficient CPU units available.",
            ),
            ("4.7/has insufficient memory available.", Refusal::Memory, "has insufficient memory available."),
            (
                "4.7/is already using a port required by your task.",
                Refusal::Ports,
                "is already using a port required by your task.",
            ),
            (
                "4.7/is missing an attribute required by your task.",
                Refusal::Attribute,
                "is missing an attribute required by your task.",
            ),
            (
                "4.7/encountered error MemberOf",
                Refusal::Constraint,
                "encountered error \"MemberOf placement constraint unsatisfied.\".",
            ),
            ("4.7/encountered error AGENT", Refusal::Agent, "encountered error \"AGENT\"."),
            ("4.7/encountered error RESOURCE:ENI", Refusal::Interface, "encountered error \"RESOURCE:ENI\"."),
            ("4.7/RESOURCE:GPU", Refusal::Gpu, "encountered error \"RESOURCE:GPU\"."),
            ("4.7/LOCATION", Refusal::Location, "encountered error \"LOCATION\"."),
        ];
        for (rule, refusal, text) in closest {
            let rejection = Rejection { closest: Some((Row::at(7), refusal)), ..Rejection::default() };
            check(
                &[rule, "4.7/For more information"],
                ServiceMessage::UnableToPlace(rejection),
                &format!(
                    "was unable to place a task because no container instance met all of its requirements. \
                     Reason: The closest matching (container-instance node-7) {text} For more information, \
                     see the Troubleshooting section of the Amazon ECS Developer Guide."
                ),
            );
        }
        for refusal in [Refusal::NoInstances, Refusal::NoActiveInstances] {
            check(
                &["4.7/No Container Instances were found in your cluster."],
                ServiceMessage::UnableToPlace(Rejection::of(refusal)),
                "was unable to place a task because no container instance met all of its requirements. \
                 Reason: No Container Instances were found in your cluster. For more information, see the \
                 Troubleshooting section of the Amazon ECS Developer Guide.",
            );
        }
        check(
            &["4.7/Capacity is unavailable at this time."],
            ServiceMessage::UnableToPlace(Rejection::of(Refusal::Fargate)),
            "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again \
             later or in a different availability zone.",
        );
        check(
            &["4.7/You've reached the limit on the number of vCPUs"],
            ServiceMessage::UnableToPlace(Rejection::of(Refusal::FargateQuota)),
            "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can \
             run concurrently.",
        );
        check(
            &["4.7/The requested CPU configuration is above your limit."],
            ServiceMessage::UnableToPlace(Rejection::of(Refusal::FargateSize)),
            "was unable to place a task. Reason: The requested CPU configuration is above your limit.",
        );
        check(
            &["4.7/The requested MEMORY configuration is above your limit."],
            ServiceMessage::UnableToPlace(Rejection::of(Refusal::FargateMemory)),
            "was unable to place a task. Reason: The requested MEMORY configuration is above your limit.",
        );
    }
}
