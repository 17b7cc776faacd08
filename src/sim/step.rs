//! The match: one event, what it leads to. Start reading here.
//!
//! A step changes the world or the record, and then settles: whoever should hear of it hears of it,
//! and whoever wants to work gets a wake. Details of the orchestrator are in [`wire`](super::wire).

use super::event::Event;
use super::simulation::Simulation;

impl Simulation<'_> {
    /// Makes one event happen.
    pub(super) fn step(&mut self, event: Event) {
        match event {
            Event::Host(event) => {
                self.hosts.happen(self.now, event, &mut self.effects);
                self.spread_effects();
            }
            Event::Launch(pool) => self.launch(pool),
            Event::LaunchFailed { pool, subnet } => self.launch_again(pool, subnet),
            Event::MachineRunning(machine) => self.machine_runs(machine),
            Event::MachineRegistered(machine) => self.register(machine),
            Event::FargateReady(task) => self.fargate_ready(task),
            Event::InterfaceAttached(task) => self.interface_attached(task),
            Event::InterfaceTimeout(task) => self.interface_timed_out(task),
            Event::Deprovisioned(task) => self.end_task(task.row),
            Event::CreateService(number) => self.create_service(number),
            Event::Arrive(number) => self.arrive(number),
            Event::Replay(number) => self.replay(number),
            Event::CallAgain { call, .. } => self.call_again(call),
            Event::Call => self.call(),
            Event::WakeAgent(seat) => self.work_agent(seat),
            Event::WakeScheduler => self.work_scheduler(),
            Event::CreatePods(number) => self.create_pods(number),
            Event::DeletePod(pod) => self.delete_pod(pod),
            Event::ApiCall { call, .. } => self.api_call(call),
            Event::PodHeard(pod) => self.pod_heard(pod),
            Event::WakeKubelet(seat) => self.work_kubelet(seat),
            Event::WakeKubeScheduler => self.work_kube_scheduler(),
            Event::End => unreachable!("the loop ends before"),
        }
        self.forget_stopped();
        self.settle();
        self.settle_cluster();
    }
}
