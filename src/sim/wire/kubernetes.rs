//! Kubernetes: pods are created, the scheduler's commands become writes, and what is written is heard.
//!
//! The API server takes a write at once unless the plan says how long a call takes. What happens on nodes
//! is in [`kubelet`](mod@super::kubelet).

use std::fmt::Write as _;

use crate::base::{EntityKey, Name, Purpose, Row, Span, Symbol, Timestamp, Turn};
use crate::control::kubernetes::objects::Pod;
use crate::control::kubernetes::scheduler::command::{Answer, PodName, SchedulerChange, SchedulerCommand};
use crate::control::{Reconciler, Ticket};
use crate::mark;
use crate::sim::event::Event;
use crate::sim::fact::Fact;
use crate::sim::kubernetes::fact::{PodEnd, PodFact, PodLife, PodTimes, Words};
use crate::sim::kubernetes::plan::KubernetesPlan;
use crate::sim::kubernetes::state::{ApiCall, Asked, Kubernetes, PodSeat, ThePod};
use crate::sim::simulation::{Simulation, number_32};

impl<'a> Simulation<'a> {
    /// What is there when the run starts, and the first arrival of every process.
    pub(in crate::sim) fn begin_cluster(&mut self) {
        let Some(plan) = &self.plan.kubernetes else { return };
        self.begin_nodes();
        let now = self.now;
        let cluster = self.cluster_mut();
        for object in &plan.objects {
            cluster.record.create(now, *object);
        }
        for number in 0..plan.pods.len() {
            self.schedule_pods(number_32(number));
        }
        self.settle_cluster();
    }

    pub(in crate::sim) fn cluster_mut(&mut self) -> &mut Kubernetes {
        self.kubernetes.as_mut().expect("only a plan with a cluster has events of one")
    }

    pub(in crate::sim) fn cluster_plan(&self) -> &'a KubernetesPlan {
        self.plan.kubernetes.as_ref().expect("only a plan with a cluster has events of one")
    }

    pub(in crate::sim) const fn cluster(&self) -> &Kubernetes {
        self.kubernetes.as_ref().expect("only a plan with a cluster has events of one")
    }

    // ---- pods come and go

    /// A process creates its next pods.
    pub(in crate::sim) fn create_pods(&mut self, number: u32) {
        let arrival = &self.cluster_plan().pods[number as usize];
        for _ in 0..arrival.count {
            self.create_pod(number);
        }
        self.schedule_pods(number);
    }

    fn schedule_pods(&mut self, number: u32) {
        let (luck, arrival) = (self.luck, &self.cluster_plan().pods[number as usize]);
        let walk = &mut self.cluster_mut().walks[number as usize];
        if let Some(at) = arrival.arrivals.next(&luck, walk) {
            self.schedule(at, Event::CreatePods(number));
        }
    }

    fn create_pod(&mut self, number: u32) {
        let now = self.now;
        let arrival = &self.cluster_plan().pods[number as usize];
        let of = self.plan.definitions.symbols.text(arrival.name);
        let cluster = self.cluster_mut();
        let serial = cluster.serials[number as usize];
        cluster.serials[number as usize] += 1;
        let key = arrival.key(of, serial);
        let symbols = &mut cluster.specs.symbols;
        let name =
            if arrival.alone { arrival.template.name } else { symbols.intern(&format!("{of}-{serial}")) };
        let uid = symbols.intern(&uid(key));
        let pod = Pod { key, name, uid, ..arrival.template };
        let row = cluster.record.create_pod(now, pod);
        let times = PodTimes::created(now);
        let name = Name { of: arrival.name, serial };
        let life = PodLife { key, name, spec: pod.spec, node: None, times, end: None };
        let age = cluster.created;
        cluster.created = age.checked_add(1).expect("fewer than 2^32 pods in a run");
        let seat = PodSeat { life, age, arrival: number, sandbox: None };
        if row.index() == cluster.pods.len() {
            cluster.pods.push(seat);
        }
        cluster.pods[row.index()] = seat;
        self.counts.tasks += 1;
        self.tell(&Fact::Pod(PodFact::Created(&life)));
        if let Some(after) = &arrival.deleted_after {
            let after = Span::from_nanos(after.value(self.luck.draw(Purpose::Departure, key, 0)));
            self.schedule(now + after, Event::DeletePod(ThePod { age, row }));
        }
        if let Some(node) = pod.node {
            self.send_pod(row, node);
        }
    }

    /// Somebody deletes a pod.
    pub(in crate::sim) fn delete_pod(&mut self, pod: ThePod) {
        if self.cluster().is_there(pod) {
            self.ask_to_go(pod.row, PodEnd::Deleted);
        }
    }

    /// A deletion: a pod that its kubelet knows gets its grace period, any other is gone at once.
    fn ask_to_go(&mut self, row: Row<Pod>, end: PodEnd) {
        let now = self.now;
        let cluster = self.cluster_mut();
        let pod = *cluster.record.pod(row).expect("a pod that is asked to go is there");
        if pod.deleted_at.is_some() {
            return;
        }
        let grace = cluster.specs[pod.spec].grace;
        if !pod.ended {
            let life = cluster.change_life(row, |life| {
                life.times.deleted = now;
                life.end = life.end.or(Some(end));
            });
            self.tell(&Fact::Pod(PodFact::Deleted(&life)));
        }
        mark!("K 2.17 a victim has its grace period");
        self.cluster_mut().record.change_pod(now, row, |pod| pod.deleted_at = Some(now + grace));
        self.stop_pod(row, grace);
    }

    /// A pod is no longer listed.
    pub(in crate::sim) fn remove_pod(&mut self, row: Row<Pod>) {
        let now = self.now;
        let cluster = self.cluster_mut();
        if let Some(sandbox) = cluster.pods[row.index()].sandbox.take() {
            cluster.pod_of_sandbox[sandbox.0 as usize] = None;
        }
        let this = cluster.the(row);
        cluster.ended.remove(&this);
        cluster.record.delete_pod(now, row);
        self.end_life(row, PodEnd::Deleted);
    }

    /// What a pod requested is free. Told once.
    pub(in crate::sim) fn end_life(&mut self, row: Row<Pod>, end: PodEnd) {
        let now = self.now;
        let cluster = self.cluster_mut();
        if cluster.pods[row.index()].life.times.ended != Timestamp::NEVER {
            return;
        }
        let life = cluster.change_life(row, |life| {
            life.times.ended = now;
            life.end = life.end.or(Some(end));
        });
        self.tell(&Fact::Pod(PodFact::Ended(&life)));
    }

    /// The oldest pods that have ended are collected when too many are listed.
    pub(in crate::sim) fn collect_ended(&mut self, row: Row<Pod>) {
        let limit = self.cluster_plan().settings.ended_max as usize;
        let cluster = self.cluster_mut();
        let this = cluster.the(row);
        cluster.ended.insert(this);
        while self.cluster().ended.len() > limit {
            mark!("K 3.8 the oldest of too many ended pods is deleted");
            let oldest = self.cluster_mut().ended.pop_first().expect("more than none");
            self.ask_to_go(oldest.row, PodEnd::Deleted);
        }
    }

    // ---- the scheduler

    /// Everything the scheduler has due, one cycle at a time where cycles take time. It goes when all else
    /// of the instant has happened.
    pub(in crate::sim) fn work_kube_scheduler(&mut self) {
        if self.agenda.has_more_now() {
            self.schedule(self.now, Event::WakeKubeScheduler);
            return;
        }
        let now = self.now;
        let cycle = self.cluster_plan().settings.cycle;
        let Simulation { kubernetes, luck, why, .. } = self;
        let cluster = kubernetes.as_mut().expect("it has a scheduler");
        let mut commands = std::mem::take(&mut cluster.commands);
        let mut turn = Turn { now, draw: luck, why: &mut **why };
        let mut cycles = cluster.scheduler.machine.counters().cycles;
        let free_at = &mut cluster.free_at;
        cluster.scheduler.work(&mut turn, &cluster.specs, &mut commands, |scheduler| {
            if scheduler.counters().cycles > cycles {
                cycles = scheduler.counters().cycles;
                *free_at = now + cycle;
            }
            *free_at <= now
        });
        for (ticket, command) in commands.drain(..) {
            self.carry_out_for_scheduler(ticket, command);
        }
        self.cluster_mut().commands = commands;
    }

    fn carry_out_for_scheduler(&mut self, ticket: Ticket, command: SchedulerCommand) {
        let now = self.now;
        let settings = &self.cluster_plan().settings;
        match command {
            SchedulerCommand::Bind { pod, node } => {
                self.call_api(settings.bind, ApiCall { ticket, pod, what: Asked::Bind(node) });
            }
            SchedulerCommand::BindVolumes { pod, bindings, .. } => {
                let what = Asked::BindVolumes(bindings);
                self.call_api(settings.provision, ApiCall { ticket, pod, what });
            }
            SchedulerCommand::Nominate { pod, node } => {
                if let Some(row) = self.cluster().find(pod) {
                    self.cluster_mut().record.change_pod(now, row, |pod| pod.nominated = node);
                }
            }
            SchedulerCommand::Condition { pod, message, .. } => {
                if let Some(row) = self.cluster().find(pod) {
                    let life = self.cluster().pods[row.index()].life;
                    self.tell(&Fact::Pod(PodFact::Waits { pod: &life, message: &message }));
                }
            }
            SchedulerCommand::Evict { pod, .. } => {
                let answer = match self.cluster().find(pod) {
                    Some(row) => {
                        self.cluster_mut().record.change_pod(now, row, |pod| pod.preempted = true);
                        self.ask_to_go(row, PodEnd::Preempted);
                        Answer::Accepted
                    }
                    None => Answer::Conflict,
                };
                self.answer_scheduler(ticket, answer);
            }
            SchedulerCommand::Event { pod, reason, note } => {
                let life = self.cluster().pods[pod.row.index()].life;
                let words = Words::Scheduler { reason, note: &note };
                self.tell(&Fact::Pod(PodFact::Said { pod: &life, words }));
            }
        }
    }

    /// A call comes to the API server after a while.
    fn call_api(&mut self, after: Span, call: ApiCall) {
        if after == Span::ZERO {
            return self.take_call(&call);
        }
        let age = self.cluster().pods[call.pod.row.index()].age;
        let call = self.cluster_mut().calls.insert(call).row;
        self.schedule(self.now + after, Event::ApiCall { call, age });
    }

    /// A call has come to the API server.
    pub(in crate::sim) fn api_call(&mut self, row: Row<ApiCall>) {
        let call = self.cluster_mut().calls.remove(row).expect("a call comes once");
        self.take_call(&call);
    }

    fn take_call(&mut self, call: &ApiCall) {
        let pod = self.cluster().find(call.pod);
        let free = |row: &Row<Pod>| {
            self.cluster().record.pod(*row).is_some_and(|pod| pod.node.is_none() && pod.deleted_at.is_none())
        };
        let Some(row) = pod.filter(free) else {
            return self.answer_scheduler(call.ticket, Answer::Conflict);
        };
        match &call.what {
            Asked::Bind(node) => self.bind_pod(row, *node),
            Asked::BindVolumes(bindings) => {
                for binding in bindings {
                    self.bind_volume(*binding);
                }
            }
        }
        self.answer_scheduler(call.ticket, Answer::Accepted);
    }

    fn answer_scheduler(&mut self, ticket: Ticket, answer: Answer) {
        let now = self.now;
        let change = SchedulerChange::Answered { ticket, answer };
        self.cluster_mut().scheduler.machine.observe(now, change);
    }

    /// A pod is written to its node: its kubelet hears of it.
    fn bind_pod(&mut self, row: Row<Pod>, node: Symbol) {
        let now = self.now;
        self.cluster_mut().record.change_pod(now, row, |pod| pod.node = Some(node));
        self.send_pod(row, node);
    }

    // ---- settling

    /// The scheduler hears of everything new in the record, and gets a wake if it wants one.
    pub(in crate::sim) fn settle_cluster(&mut self) {
        let now = self.now;
        let Some(cluster) = self.kubernetes.as_mut() else { return };
        let Kubernetes { record, cursor, scheduler, specs, free_at, .. } = &mut **cluster;
        record.deliver(*cursor, now, |change| {
            scheduler.machine.observe(now, SchedulerChange::Cluster(change, specs));
        });
        if let Some(at) = scheduler.arm(now, *free_at) {
            self.schedule(at, Event::WakeKubeScheduler);
        }
    }
}

impl Kubernetes {
    /// The row of a pod, if it is still this one.
    pub(in crate::sim) fn find(&self, pod: PodName) -> Option<Row<Pod>> {
        self.record.pod(pod.row).filter(|known| known.uid == pod.uid).map(|_| pod.row)
    }

    pub(in crate::sim) fn change_life(
        &mut self,
        row: Row<Pod>,
        change: impl FnOnce(&mut PodLife),
    ) -> PodLife {
        let life = &mut self.pods[row.index()].life;
        change(life);
        *life
    }
}

/// A uid in the form of the original, made from the pod's key: the same in every run.
fn uid(key: EntityKey) -> String {
    let (high, low) = (key.high(), key.low());
    let mut text = String::with_capacity(36);
    let _ = write!(
        text,
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    );
    text
}
