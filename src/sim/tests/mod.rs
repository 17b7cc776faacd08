//! Tests of whole runs, on plans made by hand.

use std::fmt::Write as _;

use super::fact::{Fact, FactKind, Observer};
use super::plan::Plan;
use super::simulation::run;
use crate::base::{Name, Span, Timestamp};
use crate::control::ecs::objects::{LaunchType, NetworkMode, Task};

pub(crate) mod fixture;
pub(crate) mod pods;
mod promises;
mod rules;
mod traces;

use fixture::{Fixture, START};

/// Writes facts as `61s placed job-0` lines.
#[derive(Default)]
struct Log(String);

impl Observer for Log {
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        let named = |name: Name| format!("{}-{}", plan.definitions.symbols.text(name.of), name.serial);
        let task = |task: &Task| named(task.name);
        let who = match *fact {
            Fact::Arrived(name) | Fact::Refused { name, .. } => named(name),
            Fact::Placed { task: of, instance } => {
                format!(
                    "{} {}",
                    task(of),
                    instance.map_or("fargate".to_owned(), |instance| named(instance.name))
                )
            }
            Fact::Pulling(of) | Fact::Started(of) | Fact::Ready(of) | Fact::Stopping(of) => task(of),
            Fact::Stopped(of) => format!("{} {}", task(of), of.stop.map_or("", |stop| stop.code())),
            Fact::MachineRunning(machine) | Fact::MachineTerminated(machine) => named(machine.name),
            Fact::Registered { instance, .. } => named(instance.name),
            Fact::Pod(_) => return,
            Fact::Said { message, .. } => {
                format!("{message:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
            }
        };
        let kind = FactKind::ALL[fact.kind() as usize].1;
        writeln!(self.0, "{} {kind} {who}", at.since(START)).expect("strings take all");
    }
}

fn log(plan: &Plan) -> String {
    let mut log = Log::default();
    run(plan, 1, &mut log);
    log.0
}

#[test]
fn one_task_on_ec2_from_request_to_stopped() {
    let once = (Span::minutes(5), Span::HOUR, 1);
    let fixture = Fixture::new(Span::minutes(30)).pool("fleet", 1).run_task(
        "job",
        NetworkMode::Awsvpc,
        LaunchType::Ec2,
        once,
        Span::minutes(10),
    );
    assert_eq!(
        log(&fixture.plan),
        "\
10s machine-running fleet-0
1m01s registered fleet-0
5m00s arrived job-0
5m00s placed job-0 fleet-0
5m04s pulling job-0
5m10s started job-0
5m10s ready job-0
15m10s stopping job-0
15m15s stopped job-0 EssentialContainerExited
"
    );
}

#[test]
fn one_task_on_fargate_from_request_to_stopped() {
    let once = (Span::minutes(5), Span::HOUR, 1);
    let fixture = Fixture::new(Span::minutes(30)).run_task(
        "job",
        NetworkMode::Awsvpc,
        LaunchType::Fargate,
        once,
        Span::minutes(10),
    );
    assert_eq!(
        log(&fixture.plan),
        "\
5m00s arrived job-0
5m00s placed job-0 fargate
5m18s pulling job-0
5m30s started job-0
5m30s ready job-0
15m30s stopping job-0
15m40s stopped job-0 EssentialContainerExited
"
    );
}

#[test]
fn a_service_is_kept_at_its_count() {
    let fixture =
        Fixture::new(Span::HOUR).pool("fleet", 3).service("web", LaunchType::Ec2, 3, Span::minutes(2), None);
    assert_eq!(
        log(&fixture.plan),
        "\
10s machine-running fleet-0
10s machine-running fleet-1
10s machine-running fleet-2
1m01s registered fleet-0
1m01s registered fleet-1
1m01s registered fleet-2
2m01s placed web-0 fleet-0
2m01s placed web-1 fleet-1
2m01s placed web-2 fleet-2
2m01s said Started
2m05s pulling web-0
2m05s pulling web-1
2m05s pulling web-2
2m11s started web-0
2m11s ready web-0
2m11s started web-1
2m11s ready web-1
2m11s started web-2
2m11s ready web-2
3m00s said SteadyState
"
    );
}
