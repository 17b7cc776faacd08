//! Nodes: their hosts and kubelets, and the life of a pod on them (section 3.10).

use crate::base::runtime::SandboxId;
use crate::base::{Bytes, Purpose, Row, Span, Symbol, Timestamp, Turn};
use crate::control::Reconciler;
use crate::control::kubernetes::api::Object;
use crate::control::kubernetes::objects::{ContainerKind, Pod};
use crate::control::node::kubelet::{
    About, Kubelet, KubeletChange, KubeletCommand, KubeletNode, KubeletView, PodEvent, PodReport, Reported,
    readiness_check,
};
use crate::mark;
use crate::sim::event::Event;
use crate::sim::fact::Fact;
use crate::sim::kubernetes::fact::{PodEnd, PodFact, Words};
use crate::sim::kubernetes::state::{Kubernetes, NodeSeat, ThePod};
use crate::sim::simulation::{Process, Simulation, number_32};
use crate::world::host::{ContainerSpec, Host, HostKind, Life};
use crate::world::registry::{Image, Registry};

use super::machines::put;

impl Simulation<'_> {
    /// Every node of the plan is Ready.
    pub(in crate::sim) fn begin_nodes(&mut self) {
        let plan = self.cluster_plan();
        for (number, planned) in plan.nodes.iter().enumerate() {
            let (now, node, machine) = (self.now, planned.node, planned.machine);
            let host = self.hosts.boot(now, machine.key, HostKind::Instance { baked: &[] });
            let about = KubeletNode { name: node.name, spec: node.spec, baked_images: &[] };
            let kubelet = Process::new(Kubelet::new(now, plan.settings.kubelet, about));
            let cluster = self.cluster_mut();
            cluster.seats.push(NodeSeat { kubelet, host });
            cluster.seat_of_name.insert(node.name, number_32(number));
            put(&mut cluster.seat_of_host, host.index(), Some(number_32(number)));
            cluster.record.create(now, Object::Node(node));
            if planned.billed {
                self.tell(&Fact::MachineRunning(&machine));
            }
            self.tell(&Fact::Pod(PodFact::NodeReady { node: &node, machine: &machine }));
        }
    }

    /// A pod has its node: the kubelet hears of it after a while. A pod may name a node that is not there.
    pub(in crate::sim) fn send_pod(&mut self, row: Row<Pod>, node: Symbol) {
        let (now, plan) = (self.now, self.cluster_plan());
        let cluster = self.cluster_mut();
        let Some(&seat) = cluster.seat_of_name.get(&node) else { return };
        let machine = plan.nodes[seat as usize].machine;
        let zone = self.plan.definitions[machine.class].zone;
        let cluster = self.cluster_mut();
        let life = cluster.change_life(row, |life| {
            life.node = Some((machine.name, zone));
            life.times.bound = now;
        });
        let pod = cluster.the(row);
        self.tell(&Fact::Pod(PodFact::Bound(&life)));
        if plan.settings.watch == Span::ZERO {
            self.pod_heard(pod);
        } else {
            self.schedule(now + plan.settings.watch, Event::PodHeard(pod));
        }
    }

    /// The kubelet of its node hears of a pod.
    pub(in crate::sim) fn pod_heard(&mut self, pod: ThePod) {
        if !self.cluster().is_there(pod) {
            return;
        }
        let (now, luck, plan) = (self.now, self.luck, self.cluster_plan());
        let cluster = self.kubernetes.as_mut().expect("it has pods");
        let record = *cluster.record.pod(pod.row).expect("it is there");
        let Some(&seat) = record.node.and_then(|node| cluster.seat_of_name.get(&node)) else { return };
        cluster.record.change_pod(now, pod.row, |pod| pod.started_at = pod.started_at.or(Some(now)));
        let sandbox = SandboxId(number_32(cluster.pod_of_sandbox.len()));
        cluster.pod_of_sandbox.push(Some(pod.row));
        let about = &mut cluster.pods[pod.row.index()];
        about.sandbox = Some(sandbox);
        let takes = &plan.pods[about.arrival as usize].takes;
        let after = takes.as_ref().map(|takes| takes.value(luck.draw(Purpose::Life, record.key, 0)));
        let spec = &cluster.specs[record.spec];
        let containers: Vec<ContainerSpec> = spec
            .containers
            .iter()
            .map(|container| ContainerSpec {
                image: container.image,
                health: container.readiness.as_ref().map(readiness_check),
            })
            .collect();
        let main = spec.containers.iter().position(|container| container.kind == ContainerKind::Main);
        let life = after.map_or(Life::AsImages, |after| Life::Ends {
            container: u8::try_from(main.expect("a pod has a container")).expect("few containers"),
            after: Span::from_nanos(after),
            code: 0,
            out_of_memory: false,
        });
        let host = cluster.seats[seat as usize].host;
        self.hosts.admit(host, sandbox, record.key, &containers, life);
        let change = KubeletChange::Pod { pod: sandbox, key: record.key, spec: record.spec };
        self.tell_kubelet(seat, change);
    }

    /// The kubelet of its node hears that a pod is to go.
    pub(in crate::sim) fn stop_pod(&mut self, row: Row<Pod>, grace: Span) {
        let cluster = self.cluster();
        let pod = cluster.record.pod(row).expect("a pod that stops is there");
        let seat = pod.node.and_then(|node| cluster.seat_of_name.get(&node).copied());
        match seat.zip(cluster.pods[row.index()].sandbox) {
            Some((seat, pod)) => {
                self.tell_kubelet(seat, KubeletChange::Delete { pod, grace });
                if grace == Span::ZERO {
                    mark!("K 3.10 a pod without grace is gone before it has stopped");
                    self.remove_pod(row);
                }
            }
            None => self.remove_pod(row),
        }
    }

    /// The node on a host, if it is one of a cluster.
    pub(in crate::sim) fn node_of_host(&self, host: Row<Host>) -> Option<u32> {
        self.kubernetes.as_ref()?.seat_of_host.get(host.index()).copied().flatten()
    }

    pub(in crate::sim) fn tell_kubelet(&mut self, seat: u32, change: KubeletChange) {
        let now = self.now;
        let kubelet = &mut self.cluster_mut().seats[seat as usize].kubelet;
        kubelet.machine.observe(now, change);
        self.arm_kubelet(seat);
    }

    fn arm_kubelet(&mut self, seat: u32) {
        let now = self.now;
        if let Some(at) = self.cluster_mut().seats[seat as usize].kubelet.arm(now, now) {
            self.schedule(at, Event::WakeKubelet(seat));
        }
    }

    /// Everything a kubelet has due.
    pub(in crate::sim) fn work_kubelet(&mut self, seat: u32) {
        let now = self.now;
        let Simulation { kubernetes, luck, why, .. } = self;
        let cluster = kubernetes.as_mut().expect("it has kubelets");
        let mut commands = std::mem::take(&mut cluster.kubelet_commands);
        let NodeSeat { kubelet, host } = &mut cluster.seats[seat as usize];
        let host = *host;
        let mut turn = Turn { now, draw: luck, why: &mut **why };
        kubelet.work(&mut turn, KubeletView { specs: &cluster.specs }, &mut commands, |_| true);
        for (_, command) in commands.drain(..) {
            match command {
                KubeletCommand::Runtime(command) => self.hosts.obey(now, host, command, &mut self.effects),
                KubeletCommand::Report(report) => self.take_pod_report(report),
                KubeletCommand::Event { pod, container, what } => self.tell_of_pod(pod, container, what),
            }
        }
        self.cluster_mut().kubelet_commands = commands;
        self.spread_effects();
        self.arm_kubelet(seat);
    }

    /// What a kubelet reports becomes the status of the pod.
    fn take_pod_report(&mut self, report: PodReport) {
        let now = self.now;
        let cluster = self.cluster_mut();
        let Some(row) = cluster.pod_of_sandbox[report.pod.0 as usize] else { return };
        match report.what {
            Reported::PullStarted => {
                let life = cluster.change_life(row, |life| life.times.pull_started = now);
                self.tell(&Fact::Pod(PodFact::Pulling(&life)));
            }
            Reported::PullStopped => {
                cluster.change_life(row, |life| life.times.pull_stopped = now);
            }
            Reported::Running => {
                let life = cluster.change_life(row, |life| life.times.started = now);
                self.tell(&Fact::Pod(PodFact::Started(&life)));
            }
            Reported::Ready(ready) => {
                if ready && cluster.pods[row.index()].life.times.ready == Timestamp::NEVER {
                    let life = cluster.change_life(row, |life| life.times.ready = now);
                    self.tell(&Fact::Pod(PodFact::Ready(&life)));
                }
            }
            Reported::Stopping => {}
            Reported::Rejected(rejection) => self.pod_ended(row, PodEnd::Rejected(rejection)),
            Reported::Ended { succeeded: true, .. } => self.pod_ended(row, PodEnd::Succeeded),
            Reported::Ended { succeeded: false, reason } => self.pod_ended(row, PodEnd::Failed(reason)),
            Reported::Removed => self.remove_pod(row),
        }
    }

    /// The phase of a pod is Succeeded or Failed.
    fn pod_ended(&mut self, row: Row<Pod>, end: PodEnd) {
        let now = self.now;
        self.cluster_mut().record.change_pod(now, row, |pod| pod.ended = true);
        self.end_life(row, end);
        if self.cluster().record.pod(row).is_some_and(|pod| pod.deleted_at.is_none()) {
            self.collect_ended(row);
        }
    }

    /// A kubelet writes an event about a pod.
    fn tell_of_pod(&mut self, pod: SandboxId, container: Option<Symbol>, what: PodEvent) {
        let cluster = self.kubernetes.take().expect("it has kubelets");
        if let Some(fact) = cluster.said(&self.plan.registry, pod, container, what) {
            self.tell(&Fact::Pod(fact));
        }
        self.kubernetes = Some(cluster);
    }
}

impl Kubernetes {
    /// What a kubelet says of a pod, if it is still listed.
    fn said(
        &self,
        registry: &Registry,
        pod: SandboxId,
        container: Option<Symbol>,
        what: PodEvent,
    ) -> Option<PodFact<'_>> {
        let row = self.pod_of_sandbox[pod.0 as usize]?;
        let record = self.record.pod(row)?;
        let symbols = &self.specs.symbols;
        let size = match what {
            PodEvent::Pulled { image, .. } => registry.find(image).map_or(Bytes::ZERO, Image::compressed),
            _ => Bytes::ZERO,
        };
        let about = About {
            namespace: symbols.text(record.namespace),
            name: symbols.text(record.name),
            uid: symbols.text(record.uid),
            container: container.map_or("", |container| symbols.text(container)),
            image: size,
        };
        let words = Words::Kubelet { what, about, symbols };
        Some(PodFact::Said { pod: &self.pods[row.index()].life, words })
    }
}
