//! The kubelet obeys the laws of every reconciler, against a host that answers at random.

use serde_json::json;

use super::super::*;
use super::bench::{pod, read};
use crate::base::runtime::{ContainerId, Pull};
use crate::control::kubernetes::api::Object;
use crate::control::laws;

/// A host that answers at random.
struct RandomHost {
    specs: Specs,
    node: KubeletNode<'static>,
    kinds: Vec<Row<PodSpec>>,
    pods: u32,
    owed: Vec<RuntimeCommand>,
    running: Vec<ContainerId>,
}

impl laws::Rig for RandomHost {
    type Machine = Kubelet;

    fn machine(&self, now: Timestamp) -> Kubelet {
        let settings = KubeletSettings { parallel_pulls: 2, pull_burst: 3, ..KubeletSettings::default() };
        Kubelet::new(now, settings, self.node)
    }

    fn view(&self) -> KubeletView<'_> {
        KubeletView { specs: &self.specs }
    }

    fn tell(&mut self, now: Timestamp, dice: &mut laws::Dice, machine: &mut Kubelet) {
        let place = |dice: &mut laws::Dice, len: usize| usize::try_from(dice.below(len as u64)).unwrap();
        let change = match dice.below(12) {
            0 => {
                self.pods += 1;
                let key = EntityKey::new("pod", "any", u64::from(self.pods));
                let spec = self.kinds[place(dice, self.kinds.len())];
                KubeletChange::Pod { pod: SandboxId(self.pods), key, spec }
            }
            1 => {
                let pod = SandboxId(u32::try_from(dice.below(u64::from(self.pods) + 2)).unwrap());
                KubeletChange::Delete { pod, grace: Span::seconds(dice.below(60)) }
            }
            2..=3 if !self.running.is_empty() => {
                let at = place(dice, self.running.len());
                let (container, code) = (self.running.swap_remove(at), u8::try_from(dice.below(2)).unwrap());
                KubeletChange::Runtime(RuntimeEvent::Exited { container, code, out_of_memory: false })
            }
            4 if !self.running.is_empty() => {
                let container = self.running[place(dice, self.running.len())];
                KubeletChange::Runtime(RuntimeEvent::Health { container, healthy: dice.below(2) == 0 })
            }
            _ if self.owed.is_empty() => return,
            _ => {
                let at = place(dice, self.owed.len());
                KubeletChange::Runtime(match self.owed.swap_remove(at) {
                    RuntimeCommand::Prepare { sandbox } => {
                        RuntimeEvent::Prepared { sandbox, ok: dice.below(5) > 0 }
                    }
                    RuntimeCommand::Pull { container, .. } => {
                        let result = [Pull::Done, Pull::Done, Pull::Failed { cached: false }];
                        RuntimeEvent::Pulled { container, result: result[place(dice, 3)] }
                    }
                    RuntimeCommand::Start { container, .. } => {
                        let ok = dice.below(5) > 0;
                        if ok {
                            self.running.push(container);
                        }
                        RuntimeEvent::Started { container, ok }
                    }
                    RuntimeCommand::Stop { container, .. } => {
                        self.running.retain(|known| *known != container);
                        RuntimeEvent::Exited { container, code: 143, out_of_memory: false }
                    }
                    RuntimeCommand::Remove { .. } | RuntimeCommand::RemoveImage { .. } => return,
                })
            }
        };
        machine.observe(now, change);
    }

    fn take(&mut self, _: Ticket, command: &KubeletCommand) {
        if let KubeletCommand::Runtime(command) = command {
            self.owed.push(*command);
        }
    }
}

#[test]
fn the_kubelet_obeys_the_laws() {
    let rig = || {
        let mut specs = Specs::default();
        let node = json!({"kind": "Node", "metadata": {"name": "n"},
            "status": {"allocatable": {"cpu": "4", "memory": "1Gi", "pods": "9"}}});
        let Object::Node(node) = read(&mut specs, "Node", &node) else { panic!("a node") };
        let texts = [
            "web c300: app/ready",
            "job c600 onfailure p80: copy! log* app",
            "two c100 never: a! b* c* d e/pull=Always/image=d:1",
            "big c5000: a",
        ];
        let kinds = texts.map(|text| {
            let Object::Pod(pod) = read(&mut specs, "Pod", &pod(text).1) else { panic!("a pod") };
            pod.spec
        });
        let node = KubeletNode { name: node.name, spec: node.spec, baked_images: &[] };
        RandomHost { specs, node, kinds: kinds.to_vec(), pods: 0, owed: Vec::new(), running: Vec::new() }
    };
    laws::check(rig, 40, 600);
}
