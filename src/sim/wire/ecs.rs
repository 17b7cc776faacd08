//! ECS: commands of the scheduler and of agents, reports of agents, and the life of a task between
//! them (section 3.1).
//!
//! The control plane's own writes take no time. Payloads to agents and their reports do not either:
//! a session is an open web socket.

use crate::base::runtime::SandboxId;
use crate::base::{Handle, Name, Purpose, Row, Span, Timestamp, Turn};
use crate::control::Reconciler;
use crate::control::ecs::objects::{
    ContainerDefinition, Desired, Health, LaunchType, NetworkMode, StartFailure, Stop, Task, TaskDefinition,
    TaskStatus,
};
use crate::control::ecs::scheduler::{Answer, EcsChange, EcsCommand};
use crate::control::node::ecs_agent::{AgentChange, AgentCommand, AgentView, HostCapacity, Report, Reported};
use crate::control::node::kubelet::KubeletChange;
use crate::mark;
use crate::world::fargate::Market;
use crate::world::host::{ContainerSpec, HostKind, Life};

use crate::sim::event::{Event, TheTask};
use crate::sim::fact::Fact;
use crate::sim::simulation::{AgentSeat, Post, Simulation, number_32};

impl Simulation<'_> {
    // ---- the scheduler

    /// Everything the scheduler has due, in one round and one view. It goes when all else of the
    /// instant has happened, so that a wake for another reason cannot show it half an instant.
    pub(in crate::sim) fn work_scheduler(&mut self) {
        if self.agenda.has_more_now() {
            self.schedule(self.now, Event::WakeScheduler);
            return;
        }
        let view = self.record.view(self.record.read_up_to(self.cursor), &self.plan.definitions);
        let mut commands = std::mem::take(&mut self.commands);
        let mut turn = Turn { now: self.now, draw: &mut self.luck, why: self.why };
        self.scheduler.work(&mut turn, view, &mut commands, |_| true);
        for (ticket, command) in commands.drain(..) {
            let answer = self.carry_out(command);
            self.scheduler.machine.observe(self.now, EcsChange::Answered { ticket, answer });
        }
        self.commands = commands;
    }

    fn carry_out(&mut self, command: EcsCommand) -> Answer {
        match command {
            EcsCommand::Create(task) => {
                self.create(task);
                Answer::Accepted
            }
            EcsCommand::Stop { task, why } => {
                let stoppable = self.record.task(task).is_some_and(|task| task.desired == Desired::Running);
                if stoppable {
                    self.begin_stop(task, why);
                    Answer::Accepted
                } else {
                    Answer::Conflict
                }
            }
            EcsCommand::Fail { request, serial, arrived, rejection } => {
                let name = Name { of: self.plan.definitions[request].name, serial };
                let again = self.call_failed(request, serial, arrived);
                self.tell(&Fact::Refused { name, arrived, rejection: &rejection, again });
                Answer::Accepted
            }
            EcsCommand::Say { service, message } => {
                let service = *self.record.service(service).expect("a service that speaks exists");
                self.tell(&Fact::Said { service: &service, message: &message });
                Answer::Accepted
            }
        }
    }

    // ---- the life of a task

    fn create(&mut self, task: Task) {
        let row = self.record.create_task(self.now, task);
        let age = u32::try_from(self.counts.tasks).expect("fewer than 2^32 tasks in a run");
        self.counts.tasks += 1;
        if row.index() == self.posts.len() {
            self.posts.push(Post::default());
        }
        self.posts[row.index()] = Post { age, ..Post::default() };
        let this = TheTask { row, age };
        let instance =
            task.instance.map(|row| *self.record.instance(row).expect("placed on a known instance"));
        self.tell(&Fact::Placed { task: &task, instance: instance.as_ref() });
        match (task.launch_type, task.status) {
            (LaunchType::Fargate, _) => {
                let ready = self.fargate.launch(self.now, task.key, Market::OnDemand).agent_starts;
                self.schedule(ready + self.volume_attach(&task), Event::FargateReady(this));
            }
            (LaunchType::Ec2, TaskStatus::Provisioning) => {
                let attach = self.interface_attach(&task);
                let timeout = self.plan.ecs.interface_timeout;
                if attach <= timeout {
                    let attached = self.now + attach + self.volume_attach(&task);
                    self.schedule(attached, Event::InterfaceAttached(this));
                } else {
                    self.schedule(self.now + timeout, Event::InterfaceTimeout(this));
                }
            }
            (LaunchType::Ec2, _) => self.send_payload(row),
        }
    }

    /// How long the network interface of a task takes, if it gets one of its own.
    fn interface_attach(&self, task: &Task) -> Span {
        match self.plan.definitions[task.definition].network_mode {
            NetworkMode::Awsvpc => {
                mark!("EN-03");
                let draw = self.luck.draw(Purpose::EniAttach, task.key, 0);
                Span::from_nanos(self.plan.ecs.interface_attach.value(draw))
            }
            NetworkMode::None | NetworkMode::Bridge | NetworkMode::Host => Span::ZERO,
        }
    }

    /// How long the volume of a task takes, which is new with every task and lies in its zone.
    fn volume_attach(&self, task: &Task) -> Span {
        if task.volume.is_none() {
            return Span::ZERO;
        }
        mark!("TD-52");
        self.plan.ecs.volume_attach
    }

    /// Whether a task still waits for its interface: it may have been stopped meanwhile, and forgotten.
    fn waits_for_interface(&self, task: TheTask) -> bool {
        self.posts[task.row.index()].age == task.age
            && self.record.task(task.row).is_some_and(|task| task.status == TaskStatus::Provisioning)
    }

    pub(in crate::sim) fn interface_attached(&mut self, task: TheTask) {
        if self.waits_for_interface(task) {
            self.change_task(task.row, |task| task.status = TaskStatus::Pending);
            self.send_payload(task.row);
        }
    }

    pub(in crate::sim) fn interface_timed_out(&mut self, task: TheTask) {
        if self.waits_for_interface(task) {
            self.begin_stop(task.row, Stop::TaskFailedToStart(StartFailure::InterfaceTimeout));
        }
    }

    /// The micro-VM of a task is ready: a host of its own, with an agent like any other (FG-01).
    pub(in crate::sim) fn fargate_ready(&mut self, task: TheTask) {
        if !self.waits_for_interface(task) {
            return;
        }
        let row = task.row;
        mark!("FG-01");
        let task = self.change_task(row, |task| task.status = TaskStatus::Pending);
        let shape = self.plan.definitions[task.definition].fargate.expect("placed on Fargate with a size");
        let host = self.hosts.boot(
            self.now,
            task.key,
            HostKind::MicroVm { cpu: shape.cpu, storage: shape.ephemeral },
        );
        let seat = self.seat(host, &HostCapacity::new(shape.cpu, shape.memory));
        self.posts[row.index()].agent = Some(seat);
        self.send_payload(row);
    }

    /// Hands a task to the agent of its machine.
    fn send_payload(&mut self, row: Row<Task>) {
        let task = *self.record.task(row).expect("a task that is sent exists");
        let seat = match task.instance {
            Some(instance) => self.agent_of_instance[instance.index()].expect("an instance has an agent"),
            None => self.posts[row.index()].agent.expect("a micro-VM has an agent"),
        };
        let definition = &self.plan.definitions[task.definition];
        let sandbox = SandboxId(number_32(self.task_of_sandbox.len()));
        self.task_of_sandbox.push(Some(row));
        let post = &mut self.posts[row.index()];
        (post.agent, post.sandbox) = (Some(seat), Some(sandbox));
        let host = self.agents.checked(seat).expect("the agent is there").host;
        let specs: Vec<ContainerSpec> = definition.containers.iter().map(container_spec).collect();
        let life = self.life(&task, definition);
        self.hosts.admit(host, sandbox, task.key, &specs, life);
        let payload = AgentChange::Payload { task: sandbox, key: task.key, definition: task.definition };
        self.tell_agent(seat, payload);
    }

    /// How long the work of a standalone task takes, when its process of arrivals or its trace says: its
    /// first essential container then ends well.
    fn life(&mut self, task: &Task, definition: &TaskDefinition) -> Life {
        let luck = self.luck;
        let draw = || luck.draw(Purpose::Life, task.key, 0);
        let stated = || self.plan.takes.get(&task.name.of).map(|takes| Span::from_nanos(takes.value(draw())));
        let Some(after) = stated().or_else(|| self.traced_lifetime(task.name, draw)) else {
            return Life::AsImages;
        };
        let essential = definition.containers.iter().position(|container| container.essential);
        Life::Ends {
            container: u8::try_from(essential.expect("a task has an essential container"))
                .expect("at most 10"),
            after,
            code: 0,
            out_of_memory: false,
        }
    }

    /// Sets the desired status to STOPPED and starts the matching tear-down (TK-02).
    pub(in crate::sim) fn begin_stop(&mut self, row: Row<Task>, why: Stop) {
        mark!("TK-02");
        let now = self.now;
        let task = self.change_task(row, |task| {
            task.desired = Desired::Stopped;
            task.stop = task.stop.or(Some(why));
            task.times.stopping = task.times.stopping.min(now);
        });
        let Post { agent, sandbox, .. } = self.posts[row.index()];
        match agent.zip(sandbox) {
            Some((seat, task)) => self.tell_agent(seat, AgentChange::StopTask { task }),
            None => {
                self.tell(&Fact::Stopping(&task));
                self.tear_down(row);
            }
        }
    }

    /// Takes down what a task had beside its containers; then it is STOPPED.
    fn tear_down(&mut self, row: Row<Task>) {
        let task = *self.record.task(row).expect("a task that stops exists");
        let span = match (task.launch_type, self.plan.definitions[task.definition].network_mode) {
            (LaunchType::Fargate, _) => self.plan.world.fargate.deprovision,
            (LaunchType::Ec2, NetworkMode::Awsvpc) => self.plan.ecs.interface_detach,
            (LaunchType::Ec2, NetworkMode::None | NetworkMode::Bridge | NetworkMode::Host) => {
                return self.end_task(row);
            }
        };
        mark!("3.1/DEPROVISIONING");
        self.change_task(row, |task| task.status = TaskStatus::Deprovisioning);
        let this = TheTask { row, age: self.posts[row.index()].age };
        self.schedule(self.now + span, Event::Deprovisioned(this));
    }

    /// A task is STOPPED.
    pub(in crate::sim) fn end_task(&mut self, row: Row<Task>) {
        let now = self.now;
        let task = self.change_task(row, |task| {
            task.status = TaskStatus::Stopped;
            task.times.stopped = now;
        });
        self.tell(&Fact::Stopped(&task));
        let post = &mut self.posts[row.index()];
        let (agent, sandbox) = (post.agent.take(), post.sandbox.take());
        if let Some(sandbox) = sandbox {
            self.task_of_sandbox[sandbox.0 as usize] = None;
        }
        if let Some(seat) = agent
            && task.launch_type == LaunchType::Fargate
        {
            let host = self.agents.checked(seat).expect("a micro-VM has an agent").host;
            self.hosts.shut(host);
            self.agent_of_host[host.index()] = None;
            self.agents.remove(seat.row);
        }
        self.stopped.push_back((now + self.plan.ecs.retention, row));
    }

    /// Deletes the tasks that nobody may ask about any more (TK-03).
    pub(in crate::sim) fn forget_stopped(&mut self) {
        while let Some(&(at, row)) = self.stopped.front().filter(|(at, _)| *at <= self.now) {
            mark!("TK-03");
            assert!(at <= self.now);
            self.stopped.pop_front();
            self.record.write_task(self.now, row, None);
        }
    }

    fn change_task(&mut self, row: Row<Task>, change: impl FnOnce(&mut Task)) -> Task {
        self.record.change_task(self.now, row, change);
        *self.record.task(row).expect("it has just changed")
    }

    // ---- agents

    /// Everything an agent has due.
    pub(in crate::sim) fn work_agent(&mut self, seat: Handle<AgentSeat>) {
        let Some(agent) = self.agents.checked_mut(seat) else { return };
        let host = agent.host;
        let view = AgentView { definitions: &self.plan.definitions };
        let mut commands = std::mem::take(&mut self.agent_commands);
        let mut turn = Turn { now: self.now, draw: &mut self.luck, why: self.why };
        agent.process.work(&mut turn, view, &mut commands, |_| true);
        for (_, command) in commands.drain(..) {
            match command {
                AgentCommand::Runtime(command) => self.hosts.obey(self.now, host, command, &mut self.effects),
                AgentCommand::Report(report) => self.take_report(report),
            }
        }
        self.agent_commands = commands;
        self.spread_effects();
        self.arm_agent(seat);
    }

    /// What an agent reports becomes the record (sections 3.1 to 3.3).
    fn take_report(&mut self, report: Report) {
        let row = self.task_of_sandbox[report.task.0 as usize];
        let row = row.expect("a report is about a task that has not ended");
        let now = self.now;
        match report.what {
            Reported::PullStarted => {
                let task = self.change_task(row, |task| {
                    task.status = TaskStatus::Activating;
                    task.times.pull_started = now;
                });
                self.tell(&Fact::Pulling(&task));
            }
            Reported::Activating => {
                self.change_task(row, |task| task.status = TaskStatus::Activating);
            }
            Reported::PullStopped => {
                self.change_task(row, |task| task.times.pull_stopped = now);
            }
            Reported::Running => {
                mark!("3.1/RUNNING");
                let checked = self.has_health_check(row);
                let task = self.change_task(row, |task| {
                    task.status = TaskStatus::Running;
                    task.times.started = now;
                    if !checked {
                        task.times.ready = now;
                    }
                });
                self.tell(&Fact::Started(&task));
                if !checked {
                    self.tell(&Fact::Ready(&task));
                }
            }
            Reported::Health(health) => {
                let first = self.record.task(row).is_some_and(|task| task.times.ready == Timestamp::NEVER);
                let ready = first && health == Health::Healthy;
                let task = self.change_task(row, |task| {
                    task.health = health;
                    if ready {
                        task.times.ready = now;
                    }
                });
                if ready {
                    self.tell(&Fact::Ready(&task));
                }
            }
            Reported::EssentialExited => {
                self.change_task(row, |task| task.times.execution_stopped = now);
            }
            Reported::Stopping(stop) => {
                let task = self.change_task(row, |task| {
                    task.desired = Desired::Stopped;
                    task.stop = task.stop.or(stop);
                    task.status = TaskStatus::Stopping;
                    task.times.stopping = task.times.stopping.min(now);
                });
                self.tell(&Fact::Stopping(&task));
            }
            Reported::Stopped(stop) => {
                self.change_task(row, |task| {
                    task.stop = task.stop.or(stop);
                    task.times.execution_stopped = task.times.execution_stopped.min(now);
                });
                self.tear_down(row);
            }
        }
    }

    fn has_health_check(&self, row: Row<Task>) -> bool {
        let task = self.record.task(row).expect("a task that is asked about exists");
        let containers = &self.plan.definitions[task.definition].containers;
        containers.iter().any(|container| container.essential && container.health_check.is_some())
    }

    fn tell_agent(&mut self, seat: Handle<AgentSeat>, change: AgentChange) {
        let agent = self.agents.checked_mut(seat).expect("an agent that is told something is there");
        agent.process.machine.observe(self.now, change);
        self.arm_agent(seat);
    }

    /// Schedules what the hosts said happens later, and tells agents what they said happened.
    pub(in crate::sim) fn spread_effects(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        for (at, event) in effects.later.drain(..) {
            self.schedule(at, Event::Host(event));
        }
        for (host, event) in effects.told.drain(..) {
            if let Some(seat) = self.agent_of_host.get(host.index()).copied().flatten() {
                self.tell_agent(seat, AgentChange::Runtime(event));
            } else if let Some(node) = self.node_of_host(host) {
                self.tell_kubelet(node, KubeletChange::Runtime(event));
            }
        }
        self.effects = effects;
    }

    // ---- settling

    /// The scheduler hears of everything new in the record, and gets a wake if it wants one.
    pub(in crate::sim) fn settle(&mut self) {
        let Self { record, cursor, scheduler, plan, now, .. } = self;
        record.deliver(*cursor, *now, &plan.definitions, |change| scheduler.machine.observe(*now, change));
        if let Some(at) = self.scheduler.arm(self.now, self.now) {
            self.schedule(at, Event::WakeScheduler);
        }
    }

    fn arm_agent(&mut self, seat: Handle<AgentSeat>) {
        let Some(agent) = self.agents.checked_mut(seat) else { return };
        if let Some(at) = agent.process.arm(self.now, self.now) {
            self.schedule(at, Event::WakeAgent(seat));
        }
    }
}

fn container_spec(container: &ContainerDefinition) -> ContainerSpec {
    ContainerSpec { image: container.image, health: container.health_check }
}
