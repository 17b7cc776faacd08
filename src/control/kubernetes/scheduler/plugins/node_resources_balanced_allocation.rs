//! NodeResourcesBalancedAllocation: nodes that the pod makes more even (K 2.11).

use crate::control::kubernetes::objects::Amounts;
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::framework::{Cycle, Dependence, Plugin, Points, PreScore, Status};
use crate::mark;

use super::node_resources_fit::Resource;

/// The plugin.
#[derive(Debug)]
pub struct NodeResourcesBalancedAllocation {
    /// What it balances.
    pub resources: Vec<Resource>,
}

impl Default for NodeResourcesBalancedAllocation {
    fn default() -> Self {
        NodeResourcesBalancedAllocation { resources: vec![Resource::Cpu, Resource::Memory] }
    }
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn points(&self) -> Points {
        Points { pre_score: true, score: true, ..Points::default() }
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn pre_score(&mut self, cycle: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        if self.scores(cycle) { PreScore::Score } else { PreScore::Skip }
    }

    fn scores(&self, cycle: &Cycle<'_>) -> bool {
        mark!("K 2.11 best-effort pods balance nothing");
        self.resources.iter().any(|resource| resource.of(&cycle.spec.requests.effective) != 0)
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        if !self.scores(cycle) {
            return Ok(0);
        }
        let requests = &cycle.spec.requests.effective;
        let capacity = &cycle.cluster.spec(cycle.specs, node).allocatable;
        let with = self.evenness_upstream_f64(requests, &node.requested, requests, capacity);
        let without = self.evenness_upstream_f64(requests, &node.requested, &Amounts::default(), capacity);
        mark!("K 2.11 the change is scored, not the state");
        Ok(50 + (50 + with - without) / 2)
    }
}

impl NodeResourcesBalancedAllocation {
    /// How even the shares of the resources are, 0 to 100.
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    fn evenness_upstream_f64(
        &self,
        pod: &Amounts,
        used: &Amounts,
        more: &Amounts,
        capacity: &Amounts,
    ) -> i64 {
        let share = |resource: &Resource| {
            let whole = resource.of(capacity);
            let unasked = matches!(resource, Resource::Extended(_)) && resource.of(pod) == 0;
            let part = resource.of(used).wrapping_add(resource.of(more));
            (whole != 0 && !unasked).then(|| (part as f64 / whole as f64).min(1.0))
        };
        let shares: Vec<f64> = self.resources.iter().filter_map(share).collect();
        let deviation = match shares[..] {
            [] | [_] => 0.0,
            [one, other] => {
                mark!("K 2.11 two resources: half their distance");
                ((one - other) / 2.0).abs()
            }
            _ => {
                mark!("K 2.11 more resources: standard deviation");
                let count = shares.len() as f64;
                let mean = shares.iter().fold(0.0, |sum, share| sum + share) / count;
                let squares = shares.iter().fold(0.0, |sum, share| sum + (share - mean) * (share - mean));
                libm::sqrt(squares / count)
            }
        };
        ((1.0 - deviation) * 100.0) as i64
    }
}
