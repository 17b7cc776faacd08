//! Wrong rules that are easily written, and that the recorded cases must find.

use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use windtunnel::control::kubernetes::api::config::Plugin as Name;
use windtunnel::control::kubernetes::objects::Amounts;
use windtunnel::control::kubernetes::scheduler::framework::{
    Cycle, Dependence, Plugin, Points, PreScore, Status,
};
use windtunnel::control::kubernetes::scheduler::{Cluster, NodeInfo};

use super::world::Rules;
use super::{lines, take_again};

/// A case of this family must differ under these rules.
fn check(family: &str, rules: &Rules) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubernetes/conformance");
    let lines = lines(&folder.join(format!("{family}.jsonl.gz")));
    let found = lines.par_iter().find_any(|line| take_again(line, rules, false).first_difference.is_some());
    assert!(found.is_some(), "no case of {family} differs");
}

#[test]
fn the_first_of_the_best_is_wrong() {
    fn first_of_the_best(totals: &[i64]) -> usize {
        let best = totals.iter().max();
        totals.iter().position(|total| Some(total) == best).expect("totals are there")
    }
    check("selectors", &Rules { choose: Some(first_of_the_best), ..Rules::default() });
}

#[test]
fn the_older_formula_of_balance_is_wrong() {
    let mut rules = Rules::default();
    rules.registry.replace(Name::NodeResourcesBalancedAllocation, |_, _| Box::new(OlderBalance));
    check("resources", &rules);
}

#[test]
fn constraints_without_min_domains_are_wrong() {
    fn without(document: &mut Value) {
        let Some(constraints) = document["spec"]["topologySpreadConstraints"].as_array_mut() else { return };
        for constraint in constraints.iter_mut().filter_map(Value::as_object_mut) {
            constraint.remove("minDomains");
        }
    }
    let edit: fn(&mut Value) = |document| {
        if document["kind"] == "Pod" {
            without(document);
        }
    };
    check("spread", &Rules { edit: Some(edit), ..Rules::default() });
}

/// How even a node is with the pod, whatever it was before.
#[derive(Debug)]
struct OlderBalance;

impl Plugin for OlderBalance {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn points(&self) -> Points {
        Points { pre_score: true, score: true, ..Points::default() }
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::Cluster
    }

    fn pre_score(&mut self, cycle: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        let Amounts { cpu, memory, .. } = cycle.spec.requests.effective;
        if cpu == 0 && memory == 0 { PreScore::Skip } else { PreScore::Score }
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        let cluster: &Cluster = cycle.cluster;
        let whole = &cluster.spec(cycle.specs, node).allocatable;
        let asked = &cycle.spec.requests.effective;
        let percent = |asked: i64, used: i64, whole: i64| 100 * (asked + used) / whole.max(1);
        let cpu = percent(asked.cpu, node.requested.cpu, whole.cpu);
        let memory = percent(asked.memory, node.requested.memory, whole.memory);
        Ok((100 - (cpu - memory).abs() / 2).clamp(0, 100))
    }
}
