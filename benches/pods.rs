//! Pods through a whole simulation: created, queued, searched, bound, written, heard of, and told as facts.
//!
//! The cluster is that of upstream's `scheduler_perf` basic case, 5,000 nodes and pods of one shape, with the
//! full default profile. Kubelets hear of their pods after the end of the run, so that the figure is that of
//! the control plane; a second one lets them start what they are given. CPU time, not time on the clock.
//! Arguments choose figures by a part of their name.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/cpu.rs"]
mod cpu;
#[path = "shared/timed.rs"]
mod timed;

use timed::best_of_three;
use windtunnel::base::Span;
use windtunnel::measure::Collector;
use windtunnel::scenario::{Scenario, Sources, lower, read};
use windtunnel::sim::{Plan, run};

const PODS: u64 = 50_000;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (name, watch, bar) in [("pods_bound", "2h", 150_000), ("pods_started", "0s", 0)] {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            measure(name, &plan(watch), bar);
        }
    }
}

fn measure(name: &str, plan: &Plan, bar: u64) {
    let (outcome, spent) = best_of_three(|| {
        let mut collector = Collector::new(plan, Span::minutes(5), false);
        let ended = run(plan, 1, &mut collector);
        collector.finish(plan, 1, ended)
    });
    let nanos = spent.as_nanos().max(1);
    let placed = outcome.measured.counts.placed;
    assert_eq!(placed, PODS, "every pod is bound");
    let rate = u64::try_from(u128::from(placed) * 1_000_000_000 / nanos).expect("a rate");
    if bar == 0 {
        println!("{name} {rate} pods/s -");
    } else {
        let verdict = if rate >= bar { "met" } else { "missed" };
        println!(
            "{name} {rate} pods/s {}.{:02} bar {verdict} (at least {bar})",
            rate / bar,
            rate * 100 / bar % 100
        );
    }
    println!("{name}_digest {} decisions -", outcome.ended.digests.decisions());
}

/// Pods that come at once, after the nodes; nothing in the control plane takes any time but a cycle.
fn plan(watch: &str) -> Plan {
    let text = format!(
        "name: pods\nregion: us-east-1\nrun_for: 1h\n\
         subnets: {{ a: us-east-1a, b: us-east-1b, c: us-east-1c }}\n\
         account: {{ quotas: {{ container_instances: 10000 }} }}\n\
         images: {{ defaults: {{ size: 10 MB }} }}\n\
         settings:\n  k8s.scheduler.max_rate.eks_standard: 1000000\n  k8s.scheduler.bind: 0s\n  k8s.kubelet.watch: {watch}\n\
         arrivals:\n  pod:\n    at: 1m\n    pods: {PODS}\n    pod:\n      spec:\n        containers:\n          \
         - {{ name: c, image: 'app:1', resources: {{ requests: {{ cpu: 10m, memory: 50M }} }} }}\n\
         platforms:\n  eks:\n    eks:\n      node_groups:\n        general: {{ instance_type: m7i.xlarge, count: 5000 }}\n"
    );
    let mut sources = Sources::default();
    let source = sources.add("pods.yaml".to_owned(), text.into_bytes());
    let (scenario, found) = read::<Scenario>(&source);
    let scenario = scenario.unwrap_or_else(|| panic!("{found:?}"));
    let (plan, found) = lower(&scenario, "eks", &[]);
    plan.unwrap_or_else(|| panic!("{found:?}"))
}
