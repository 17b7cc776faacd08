//! Clusters made by hand: what is counted, what rows say, and both books of how full nodes are.

use serde_json::{Value, json};

use super::{Collector, Measured};
use crate::base::{Bytes, Span, Timestamp};
use crate::measure::occupancy::size_of_pod;
use crate::measure::{MEASURES, Spelling};
use crate::sim::Plan;
use crate::sim::kubernetes::PodEnd;
use crate::sim::run;
use crate::sim::tests::pods::Cluster;

const HOUR: Span = Span::HOUR;

fn wants(cpu: &str) -> Value {
    json!({"terminationGracePeriodSeconds": 5, "containers":
        [{"name": "c", "image": "app:1", "resources": {"requests": {"cpu": cpu, "memory": "100Mi"}}}]})
}

fn urgent(cpu: &str) -> Value {
    let mut spec = wants(cpu);
    spec["priorityClassName"] = json!("system-cluster-critical");
    spec
}

/// Two nodes of 2 cores; pods of every fate.
fn cluster() -> Cluster {
    let minute = Some(Span::minutes(1));
    Cluster::new(HOUR, 2)
        .pods("web", Span::SECOND, 4, &wants("1"), (None, minute))
        .pods("late", Span::seconds(2), 1, &wants("1500m"), (None, None))
        .pods("never", Span::seconds(3), 2, &wants("4"), (None, None))
        .pods("gone", Span::seconds(4), 1, &wants("4"), (None, minute))
        .pods("urgent", Span::minutes(10), 1, &urgent("1800m"), (None, None))
        .pods("more", Span::minutes(20), 1, &urgent("1800m"), (None, None))
}

fn measured(plan: &Plan) -> Measured {
    let mut collector = Collector::new(plan, Span::minutes(10), true);
    let ended = run(plan, 1, &mut collector);
    collector.finish(plan, 1, ended).measured
}

#[test]
fn pods_are_counted_and_have_rows() {
    let plan = cluster().plan();
    let measured = measured(&plan);
    let counts = measured.counts;
    assert_eq!((counts.placed, counts.pending, counts.preempted), (7, 2, 1), "{counts:?}");
    assert_eq!((counts.started, counts.refused, counts.stopped), (7, 0, 6));
    let spelling = Spelling::of(&plan);
    let rows: Vec<(String, Option<PodEnd>, &str)> = measured
        .pods
        .iter()
        .map(|row| {
            let why = row.why.map_or("", |why| measured.words.text(why));
            (spelling.named(row.life.name), row.life.end, why)
        })
        .collect();
    let short = "0/2 nodes are available: 2 Insufficient cpu.";
    let expected = [
        ("web-0", Some(PodEnd::Deleted), ""),
        ("web-1", Some(PodEnd::Deleted), ""),
        ("web-2", Some(PodEnd::Deleted), ""),
        ("web-3", Some(PodEnd::Deleted), ""),
        ("late-0", Some(PodEnd::Preempted), short),
        ("never-0", None, short),
        ("never-1", None, short),
        ("gone-0", Some(PodEnd::Deleted), short),
        ("urgent-0", None, ""),
        ("more-0", None, short),
    ];
    assert_eq!(rows, expected.map(|(name, end, why)| (name.to_owned(), end, why)));
}

/// What waits is told by reason; a pod that was deleted while it waited waits no longer.
#[test]
fn waiting_pods_are_told_by_reason() {
    let measured = measured(&cluster().plan());
    let lines = measured.waiting.reasons();
    let lines: Vec<(&str, u64, u64)> =
        lines.iter().map(|line| (&*line.reason, line.at_end, line.most)).collect();
    assert_eq!(lines, [("Insufficient cpu", 2, 4)]);
}

/// Every event of a pod, and how often it was said.
#[test]
fn what_is_said_again_is_counted() {
    let plan = cluster().plan();
    let measured = measured(&plan);
    let never = measured.pods[5].life.name;
    let of_never: Vec<_> = measured.pod_events.iter().filter(|row| row.pod == never).collect();
    let times: u32 = of_never.iter().map(|row| row.count).sum();
    assert!(
        of_never
            .iter()
            .all(|row| measured.words.text(row.reason) == "FailedScheduling" && row.first <= row.last)
    );
    assert!(of_never.len() <= 3 && times > 5, "{} rows for {times} events", of_never.len());
    let said = |reason: &str| {
        measured.pod_events.iter().filter(|row| measured.words.text(row.reason) == reason).count()
    };
    assert_eq!((said("Scheduled"), said("Preempted")), (7, 1));
}

/// What is reserved, and who waits, recounted from the rows.
#[test]
fn the_book_of_occupancy_agrees_with_the_rows() {
    let plan = cluster().plan();
    let measured = measured(&plan);
    let specs = &plan.kubernetes.as_ref().expect("a cluster").specs;
    let (mut cpu, mut memory, mut placed, mut pending) = (0, 0, 0, 0);
    let nanos = |from: Timestamp, to: Timestamp| i128::from(to.as_nanos()) - i128::from(from.as_nanos());
    for row in &measured.pods {
        let (size, times) = (size_of_pod(&specs[row.life.spec]), row.life.times);
        let end = times.ended.min(plan.end);
        pending += nanos(times.created, times.bound.min(end));
        if times.bound != Timestamp::NEVER {
            let held = nanos(times.bound, end);
            placed += held;
            cpu += held * i128::from(size.0.parts());
            memory += held * i128::from(size.1.mib_down());
        }
    }
    let book = &measured.occupancy;
    assert_eq!((book.cpu.reserved.integral(), book.memory.reserved.integral()), (cpu, memory));
    assert_eq!((book.tasks.integral(), book.pending.integral()), (placed, pending));
    let hour = i128::from(HOUR.as_nanos());
    let capacity = 2 * i128::from(Bytes::gib(8).mib_down()) * hour;
    assert_eq!((book.memory.capacity.integral(), book.instances.peak()), (capacity, 2));
}

/// Requests of the pods, and how much CPU is stranded on the one node while the first of them runs.
#[test]
fn stranded_is_what_no_pod_of_the_plan_fits_into() {
    let rows: [(&[&str], i64); 4] = [
        (&["1500m"], 500),
        (&["1500m", "500m"], 0),
        (&["1500m", "600m"], 500),
        // A pod that wants no CPU fits as long as there is a place for a pod.
        (&["1500m", "0"], 0),
    ];
    for (requests, stranded) in rows {
        let mut cluster =
            Cluster::new(HOUR, 1).pods("first", Span::ZERO, 1, &wants(requests[0]), (None, None));
        for (nth, cpu) in requests[1..].iter().enumerate() {
            cluster = cluster.pods(&format!("other-{nth}"), HOUR * 2, 1, &wants(cpu), (None, None));
        }
        let measured = measured(&cluster.plan());
        assert_eq!(measured.occupancy.cpu.stranded.value(), stranded * 128, "{requests:?}");
    }
}

/// Name of the measure, value on the cluster.
#[test]
fn measures_of_pods_apply_to_clusters_alone() {
    let plan = cluster().plan();
    let mut collector = Collector::new(&plan, Span::minutes(10), false);
    let ended = run(&plan, 1, &mut collector);
    let outcome = collector.finish(&plan, 1, ended);
    assert!(outcome.measured.pods.is_empty() && outcome.measured.pod_events.is_empty());
    let ecs = crate::sim::tests::fixture::Fixture::new(HOUR).pool("fleet", 1).plan;
    let mut collector = Collector::new(&ecs, Span::minutes(10), false);
    let ended = run(&ecs, 1, &mut collector);
    let on_ecs = collector.finish(&ecs, 1, ended).values;
    let rows = [
        ("pending_end", Some(2.0), None),
        ("preempted", Some(1.0), None),
        ("cost_control_plane_usd", Some(0.1), None),
        ("tasks_refused", None, Some(0.0)),
        ("instances_peak", Some(2.0), Some(1.0)),
    ];
    for (name, value, other) in rows {
        let at = MEASURES.iter().position(|measure| measure.name == name).expect("a measure");
        assert_eq!((outcome.values[at], on_ecs[at]), (value, other), "{name}");
    }
}
