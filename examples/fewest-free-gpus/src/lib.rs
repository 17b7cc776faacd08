//! A scheduler plugin of one's own: pods with GPUs go where the fewest GPUs are free, so that whole
//! machines stay empty for large pods.
//!
//! It keeps a column, the free GPUs of each node, true by the two hooks that the scheduler calls when pods
//! come to count on a node and leave it. Its answers depend on the pod's spec and on the node alone, and it
//! says so; then the scheduler keeps them from pod to pod and asks again only about nodes that changed.

use windtunnel::base::{Symbol, Symbols};
use windtunnel::control::kubernetes::api::config::Arguments;
use windtunnel::control::kubernetes::objects::{PodSpec, Specs};
use windtunnel::control::kubernetes::scheduler::{
    Cluster, Counted, Cycle, Dependence, NodeInfo, Plugin, Points, PreScore, Status,
};

/// The resource that is counted.
const GPU: &str = "nvidia.com/gpu";
/// No node has more: such a node with all of them free has the score 0.
const GPUS_MAX: i64 = 16;

/// The plugin.
#[derive(Debug)]
pub struct FewestFreeGpus {
    gpu: Symbol,
    /// By row of the node.
    free: Vec<i64>,
}

/// Makes the plugin; hand this to `Registry::add` with the weight of its score.
pub fn make(_: &Arguments, symbols: &mut Symbols) -> Box<dyn Plugin> {
    Box::new(FewestFreeGpus { gpu: symbols.intern(GPU), free: Vec::new() })
}

impl FewestFreeGpus {
    fn asked(&self, spec: &PodSpec) -> i64 {
        spec.requests.effective.extended(self.gpu).unwrap_or(0)
    }

    fn change(&mut self, counted: &Counted<'_>, sign: i64) {
        let asked = self.asked(&counted.specs[counted.pod.spec]);
        // A node that no node object was seen of has no entry: `node_changed` counts its pods later.
        if let Some(free) = self.free.get_mut(counted.node.row.index()) {
            *free += sign * asked;
        }
    }
}

impl Plugin for FewestFreeGpus {
    fn name(&self) -> &'static str {
        "FewestFreeGpus"
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
        self.asked(cycle.spec) > 0
    }

    fn score(&self, _: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        let free = self.free[node.row.index()].clamp(0, GPUS_MAX);
        Ok(100 - 100 * free / GPUS_MAX)
    }

    fn node_changed(&mut self, specs: &Specs, _: &Cluster, node: &NodeInfo) {
        let all = node.spec.and_then(|spec| specs[spec].allocatable.extended(self.gpu)).unwrap_or(0);
        if self.free.len() <= node.row.index() {
            self.free.resize(node.row.index() + 1, 0);
        }
        self.free[node.row.index()] = all - node.requested.extended(self.gpu).unwrap_or(0);
    }

    fn placed(&mut self, counted: &Counted<'_>) {
        self.change(counted, -1);
    }

    fn removed(&mut self, counted: &Counted<'_>) {
        self.change(counted, 1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use windtunnel::base::{Edit, Revision, Row, Timestamp};
    use windtunnel::control::Reconciler;
    use windtunnel::control::kubernetes::api::config::Configuration;
    use windtunnel::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage};
    use windtunnel::control::kubernetes::objects::{ClusterChange, Node, Pod};
    use windtunnel::control::kubernetes::scheduler::Scheduler;
    use windtunnel::control::kubernetes::scheduler::attempt::Outcome;
    use windtunnel::control::kubernetes::scheduler::command::SchedulerChange;
    use windtunnel::control::kubernetes::scheduler::profile::{Registry, queue_settings};

    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(0);

    struct Site {
        specs: Specs,
        scheduler: Scheduler,
    }

    impl Site {
        fn new() -> Self {
            let mut specs = Specs::default();
            let configuration = Configuration::standard(&mut specs.symbols);
            let mut registry = Registry::default();
            registry.add(make, 10);
            let profiles = registry.profiles(&configuration, &mut specs.symbols);
            Site { specs, scheduler: Scheduler::new(NOW, profiles, queue_settings(&configuration)) }
        }

        fn read(&mut self, kind: &str, name: &str, rest: &Value) -> Object {
            let mut document =
                json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name, "uid": name } });
            document.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
            let classes = PriorityClasses::default();
            let mut reading = Reading { specs: &mut self.specs, classes: &classes };
            reading.read(kind, &document, Stage::Create).expect("a good manifest")
        }

        fn node(&mut self, number: usize, gpus: u32) {
            let room = json!({ "cpu": "64", "memory": "256Gi", "pods": "110", GPU: gpus.to_string() });
            let rest = json!({ "status": { "allocatable": room } });
            let Object::Node(node) = self.read("Node", &format!("node-{number}"), &rest) else { panic!() };
            let edit: Edit<'_, Node> =
                Edit { row: Row::at(number), revision: Revision::default(), old: None, new: Some(&node) };
            self.scheduler.observe(NOW, SchedulerChange::Cluster(ClusterChange::Node(edit), &self.specs));
        }

        /// Where a pod with so many GPUs goes; it counts there from then on.
        fn place(&mut self, number: usize, gpus: u32) -> String {
            let limits = json!({ "cpu": "1", "memory": "1Gi", GPU: gpus.to_string() });
            let container = json!({ "name": "main", "resources": { "limits": limits } });
            let rest = json!({ "spec": { "containers": [container] } });
            let Object::Pod(pod) = self.read("Pod", &format!("pod-{number}"), &rest) else { panic!() };
            let edit: Edit<'_, Pod> =
                Edit { row: Row::at(number), revision: Revision::default(), old: None, new: Some(&pod) };
            self.scheduler.observe(NOW, SchedulerChange::Cluster(ClusterChange::Pod(edit), &self.specs));
            let pod = self.scheduler.pop().expect("the pod waits");
            let attempt = self.scheduler.attempt(NOW, &self.specs, pod, &mut |_, _| 0, &mut Vec::new());
            let Outcome::Scheduled(node) = attempt.outcome else { panic!("{attempt:?}") };
            self.specs.symbols.text(node).to_owned()
        }
    }

    #[test]
    fn gpus_are_filled_up_one_node_after_another() {
        let mut site = Site::new();
        for (number, gpus) in [8, 4, 8].into_iter().enumerate() {
            site.node(number, gpus);
        }
        assert_eq!(site.place(0, 1), "node-1", "the fewest GPUs are free where the fewest are");
        assert_eq!(site.place(1, 3), "node-1");
        let next = site.place(2, 2);
        assert_eq!(site.place(3, 4), next, "a node in use before an empty one");
        assert_ne!(site.place(4, 8), next, "what was kept empty takes a large pod");
    }
}
