//! `GpuShare`: a scheduler plugin that keeps a column of devices and scores by a policy of the study.
//!
//! The column follows the pods that come to count on nodes and leave them; so the answers for a node change
//! only when the node does, and the scheduler's index may keep them ([`Dependence::Node`]). Which devices a
//! pod holds is decided when it comes to count on its node, and is not written to the record: a scheduler
//! that starts anew chooses again. Cards that a pod may have are an ordinary node affinity on
//! `alibabacloud.com/gpu-card-model`, and NodeAffinity filters by it.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use crate::base::Symbols;
use crate::control::kubernetes::objects::Specs;
use crate::control::kubernetes::scheduler::{
    Cluster, Counted, Cycle, Dependence, NodeInfo, Plugin, Points, PreFilter, PreScore, Status,
};

use super::devices::Column;
use super::fragmentation::Fragmentation;
use super::policy::Policy;

/// The plugin. Clones share one column, so that whoever made it can read what it knows.
///
/// ```
/// use windtunnel::base::Symbols;
/// use windtunnel::study::openb::{Fragmentation, GpuShare, Policy};
/// let mut symbols = Symbols::default();
/// let plugin = GpuShare::new(Policy::Fgd, Fragmentation::default(), &mut symbols);
/// assert!(plugin.column().all().is_empty(), "no node yet");
/// ```
#[derive(Clone, Debug)]
pub struct GpuShare {
    policy: Policy,
    column: Rc<RefCell<Column>>,
}

impl GpuShare {
    /// A plugin that has seen nothing yet.
    pub fn new(policy: Policy, meaning: Fragmentation, symbols: &mut Symbols) -> Self {
        GpuShare { policy, column: Rc::new(RefCell::new(Column::new(meaning, symbols))) }
    }

    /// What it knows.
    pub fn column(&self) -> Ref<'_, Column> {
        self.column.borrow()
    }
}

impl Plugin for GpuShare {
    fn name(&self) -> &'static str {
        "GpuShare"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, pre_score: true, score: true, ..Points::default() }
    }

    fn filter_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        match self.column.borrow_mut().ask(cycle.specs, cycle.pod.spec) {
            Err(malformed) => PreFilter::Refused(Status::unresolvable(malformed.to_string())),
            Ok(ask) if ask.milli == 0 => PreFilter::Skip,
            Ok(_) => PreFilter::AllNodes,
        }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let column = self.column.borrow();
        let (gpus, ask) = (column.gpus(node.row), column.known_ask(cycle.pod.spec));
        if gpus.fit(ask) {
            Ok(())
        } else if gpus.devices < ask.devices {
            Err(Status::unresolvable("too few GPUs"))
        } else {
            Err(Status::unschedulable("Insufficient GPU shares"))
        }
    }

    fn pre_score(&mut self, _: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        PreScore::Score
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        let column = self.column.borrow();
        let ask = column.known_ask(cycle.pod.spec);
        let used = || used_upstream_f64(cycle, node);
        Ok(self.policy.score(&column.meaning, column.gpus(node.row), ask, used))
    }

    fn node_changed(&mut self, specs: &Specs, cluster: &Cluster, node: &NodeInfo) {
        self.column.borrow_mut().reset(specs, node);
        for &row in &node.pods {
            self.placed(&Counted { specs, cluster, row, pod: cluster.known(row), node });
        }
    }

    /// A pod on a node that is not known yet, or no longer, holds nothing.
    fn placed(&mut self, counted: &Counted<'_>) {
        let Counted { specs, row, pod, node, .. } = *counted;
        if node.spec.is_none() {
            return;
        }
        let mut column = self.column.borrow_mut();
        let ask = column.ask(specs, pod.spec).unwrap_or_default();
        let devices = self.policy.devices(&column.meaning, column.gpus(node.row), ask);
        column.take(specs, node, row, ask, devices);
    }

    fn removed(&mut self, counted: &Counted<'_>) {
        self.column.borrow_mut().give_back(counted.specs, counted.node, counted.row);
    }
}

/// Which shares of CPU and memory of a node are requested when the pod is there.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "shares, as kube-scheduler takes them"
)]
fn used_upstream_f64(cycle: &Cycle<'_>, node: &NodeInfo) -> [f64; 2] {
    let capacity = &cycle.cluster.spec(cycle.specs, node).allocatable;
    let (used, asked) = (&node.requested, &cycle.spec.requests.effective);
    let share = |part: i64, whole: i64| part as f64 / whole as f64;
    [share(used.cpu + asked.cpu, capacity.cpu), share(used.memory + asked.memory, capacity.memory)]
}
