//! Traces and callers that try again, in whole runs.

use std::sync::Arc;

use super::fixture::{Fixture, START};
use super::log;
use crate::base::turn::Nobody;
use crate::base::{EntityKey, Row, Span};
use crate::control::ecs::objects::{LaunchType, NetworkMode, TaskRequest};
use crate::measure::Collector;
use crate::sim::plan::{Plan, Replay, Retry};
use crate::sim::simulation::{TraceFault, run_with};
use crate::workload::trace::{Format, Pace, RateColumns, Shape, scan};

const FROM: Span = Span::minutes(5);

/// A plan with one machine of 2 vCPU that replays a trace under the name `job`.
fn replaying(format: Format, text: &str, per_task: u64) -> Plan {
    let (source, shape) = (Arc::new(text.as_bytes().to_vec()), Shape::of(format));
    let pass = scan(source.as_ref(), &shape, Span::HOUR).expect("readable");
    let never = (Span::ZERO, Span::HOUR, 0);
    let fixture = Fixture::new(Span::HOUR).pool("fleet", 1);
    let mut plan =
        fixture.run_task("job", NetworkMode::Bridge, LaunchType::Ec2, never, Span::minutes(2)).plan;
    let base = plan.definitions.requests[0].clone();
    if !pass.sizes.is_empty() {
        plan.takes = crate::base::hash::Map::default();
    }
    let mut requests = Vec::new();
    for size in pass.sizes.keys().copied().chain(pass.sizes.is_empty().then(Default::default)) {
        let mut definition = plan.definitions[base.task_definition].clone();
        definition.reservation.cpu = size.cpu.unwrap_or(definition.reservation.cpu);
        definition.reservation.memory = size.memory.unwrap_or(definition.reservation.memory);
        plan.definitions.tasks.push(definition);
        let task_definition = Row::at(plan.definitions.tasks.len() - 1);
        plan.definitions.requests.push(TaskRequest { task_definition, ..base.clone() });
        requests.push((size, Row::at(plan.definitions.requests.len() - 1)));
    }
    plan.traces.push(Replay {
        name: base.name,
        key: EntityKey::new("trace", "job", 0),
        source,
        shape,
        pace: Pace::even(per_task),
        hash: pass.hash,
        from: START + FROM,
        until: plan.end,
        requests,
    });
    plan
}

/// The lines about placing and its failures, and about ends.
fn decided(plan: &Plan) -> Vec<String> {
    let kept = |line: &&str| ["placed", "refused", "stopped"].iter().any(|word| line.contains(word));
    log(plan).lines().filter(kept).map(str::to_owned).collect()
}

fn check(format: Format, text: &str, per_task: u64, expected: &[&str]) {
    assert_eq!(decided(&replaying(format, text, per_task)), expected);
}

#[test]
fn jobs_last_as_long_as_they_did() {
    let text = "arrival_s,duration_s,cpus\n0,60,1\n0,0,1\n0,60,1\n120,600,2\n4000,1,1\n";
    // Images take 4 s and starts 2 s; the third job finds no CPU; the last comes after the end.
    check(
        Format::LcgJob,
        text,
        1,
        &[
            "5m00s placed job-0 fleet-0",
            "5m00s placed job-1 fleet-0",
            "5m00s refused job-2",
            "5m06s stopped job-1 EssentialContainerExited",
            "6m06s stopped job-0 EssentialContainerExited",
            "7m00s placed job-3 fleet-0",
            "17m02s stopped job-3 EssentialContainerExited",
        ],
    );
}

#[test]
fn alike_machines_arrive_together_and_some_outlive_the_trace() {
    let text = "arrival_s,vcpu,memory_gb,lifetime_min_s,lifetime_max_s,alive_at_end,vms\n\
                0,1,0.5,60,60,0,2\n60,1,7.5,5,5,0,1\n600,1,1,30,3000,1,1\n";
    check(
        Format::AzureVm,
        text,
        1,
        &[
            "5m00s placed job-0 fleet-0",
            "5m00s placed job-1 fleet-0",
            "6m00s refused job-2",
            "6m06s stopped job-0 EssentialContainerExited",
            "6m06s stopped job-1 EssentialContainerExited",
            "15m00s placed job-3 fleet-0",
        ],
    );
}

#[test]
fn containers_of_before_the_trace_arrive_at_its_beginning() {
    let text = "cpu,memory_gib,gpu,creation_s,scheduled_s,deletion_s\n1,1,0,,,60\n1,1,0,10,20,80\n";
    check(
        Format::DlrmContainer,
        text,
        1,
        &[
            "5m00s placed job-0 fleet-0",
            "5m10s placed job-1 fleet-0",
            "6m06s stopped job-0 EssentialContainerExited",
            "6m12s stopped job-1 EssentialContainerExited",
        ],
    );
}

#[test]
fn requests_arrive_as_tasks() {
    let columns = RateColumns {
        time: "t".to_owned(),
        unit: Span::SECOND,
        interval: Span::minutes(1),
        value: "n".to_owned(),
    };
    check(
        Format::Rate(columns),
        "t,n\n1000,15\n1060,10\n",
        10,
        &[
            "5m40s placed job-0 fleet-0",
            "6m30s placed job-1 fleet-0",
            "7m46s stopped job-0 EssentialContainerExited",
            "8m32s stopped job-1 EssentialContainerExited",
        ],
    );
}

#[test]
fn lifetimes_are_drawn_from_their_range_by_key() {
    let rows: String = std::iter::once(
        "arrival_s,vcpu,memory_gb,lifetime_min_s,lifetime_max_s,alive_at_end,vms\n".to_owned(),
    )
    .chain((0..40).map(|nth| format!("{},1,0.5,10,50,0,1\n", nth * 70)))
    .collect();
    let plan = replaying(Format::AzureVm, &rows, 1);
    let seconds = |line: &str| {
        let (minutes, rest) = line.split_once('m').expect("minutes");
        let seconds = rest.split_once(['s', '.']).expect("seconds").0;
        minutes.parse::<u64>().expect("a number") * 60 + seconds.parse::<u64>().expect("a number")
    };
    let stopped: Vec<u64> =
        decided(&plan).iter().filter(|line| line.contains("stopped")).map(|line| seconds(line)).collect();
    assert_eq!(stopped.len(), 40);
    let lived: Vec<u64> = stopped
        .iter()
        .zip(0_u64..)
        .map(|(at, nth)| at - (300 + nth * 70) - if nth == 0 { 6 } else { 2 })
        .collect();
    assert!(lived.iter().all(|span| (10..=50).contains(span)), "{lived:?}");
    assert!(lived.iter().any(|span| *span < 25) && lived.iter().any(|span| *span > 35), "{lived:?}");
    assert_eq!(decided(&plan), decided(&plan));
}

#[test]
fn callers_try_again_until_they_give_up() {
    let text = "arrival_s,duration_s,cpus\n0,300,2\n0,60,2\n0,60,2\n";
    let mut plan = replaying(Format::LcgJob, text, 1);
    let name = plan.traces[0].name;
    plan.retries.insert(name, Retry { every: Span::minutes(2), within: Span::minutes(7) });
    assert_eq!(
        decided(&plan),
        [
            "5m00s placed job-0 fleet-0",
            "5m00s refused job-1",
            "5m00s refused job-2",
            "7m00s refused job-1",
            "7m00s refused job-2",
            "9m00s refused job-1",
            "9m00s refused job-2",
            "10m06s stopped job-0 EssentialContainerExited",
            "11m00s placed job-1 fleet-0",
            "11m00s refused job-2",
            "12m02s stopped job-1 EssentialContainerExited",
        ]
    );
    let mut collector = Collector::new(&plan, Span::minutes(5), true);
    let ended = crate::sim::run(&plan, 1, &mut collector);
    let counts = collector.finish(&plan, 1, ended).measured.counts;
    assert_eq!((counts.started, counts.refused), (2, 1), "who waits is not refused");
}

#[test]
fn a_lost_trace_ends_the_run() {
    let text = "arrival_s,duration_s,cpus\n0,300,2\n60,60,2\n";
    let mut plan = replaying(Format::LcgJob, text, 1);
    let run = |plan: &Plan| {
        let mut collector = Collector::new(plan, Span::minutes(5), false);
        run_with(plan, 1, &mut collector, &mut Nobody, &mut |_| std::ops::ControlFlow::Continue(()))
    };
    assert_eq!(run(&plan).trace_fault, None);
    plan.traces[0].source = Arc::new(text.replace("60,60", "60,61").into_bytes());
    let ended = run(&plan);
    assert_eq!((ended.complete, ended.trace_fault), (false, Some(TraceFault { trace: 0, line: 4 })));
    plan.traces[0].source = Arc::new(b"arrival_s,duration_s,cpus\n0,300,7\n".to_vec());
    assert_eq!(run(&plan).trace_fault, Some(TraceFault { trace: 0, line: 0 }), "a size that nobody saw");
}
