//! The language in which one agent is driven against a scripted host.
//!
//! A definition: `web 300M p80: app? log<app:start/stop=60`: 300 MiB, TCP port 80, a container `app`
//! that is not essential, and `log`, which waits for it. A script: `run web` gives the task to the
//! agent (the first is 0), `halt 0` asks for its stop, `pulled a0`, `exit a0 1` and the like come from
//! the host about container `a` of task 0, and `+30s` lets time pass. Each action prints what followed,
//! with the time where it is not that of the action: commands `pull:a0 start:a0 stop:a0/30s`, reports
//! `0:running`.

use super::super::*;
use crate::base::runtime::{ContainerId, HealthCheck, Rhythm};
use crate::base::turn::Nobody;
use crate::base::{Bytes, Cpu, Span};
use crate::control::ecs::objects::{
    Condition, ContainerDefinition, Dependency, NetworkMode, Reservation, RestartPolicy, StartFailure,
};
use crate::control::node::script::{self, Always, number, numbered, span};

/// One agent, its definitions, and what was printed since the last action.
pub(super) struct Bench {
    definitions: Definitions,
    pub(super) agent: EcsAgent,
    start: Timestamp,
    now: Timestamp,
    tasks: Vec<Row<TaskDefinition>>,
    printed: Vec<String>,
}

/// Runs a script and compares what was printed, action by action.
pub(super) fn check(marks: &[&str], settings: &str, definitions: &[&str], script: &str, expected: &str) {
    script::check(marks, definitions, script, expected, || Bench::new(settings, definitions), Bench::act);
}

impl Bench {
    pub(super) fn new(settings: &str, definitions: &[&str]) -> Self {
        let mut known = Definitions::default();
        for text in definitions {
            let definition = definition(text, &mut known);
            known.tasks.push(definition);
        }
        let mut capacity = HostCapacity::new(Cpu::vcpus(1), Bytes::mib(1000));
        let settings = parse_settings(settings, &mut capacity, &mut known);
        let start = Timestamp::from_nanos(1_000_000_000);
        let agent = EcsAgent::new(start, settings, &capacity);
        Bench { definitions: known, agent, start, now: start, tasks: Vec::new(), printed: Vec::new() }
    }

    pub(super) fn act(&mut self, action: &str) -> String {
        let words: Vec<&str> = action.split_whitespace().collect();
        match words[0] {
            pause if pause.starts_with('+') => self.pass(span(&pause[1..])),
            "run" => {
                let name = self.definitions.symbols.find(words[1]);
                let place = self.definitions.tasks.iter().position(|task| Some(task.family) == name);
                let definition = Row::at(place.expect("a definition of the row"));
                let number = u32::try_from(self.tasks.len()).unwrap();
                self.tasks.push(definition);
                let key = EntityKey::new("task", words[1], u64::from(number));
                self.tell(AgentChange::Payload { task: SandboxId(number), key, definition });
            }
            "again" => {
                let task = SandboxId(number(words[1]));
                let key = EntityKey::new("task", "again", 0);
                self.tell(AgentChange::Payload { task, key, definition: Row::at(0) });
            }
            "halt" => self.tell(AgentChange::StopTask { task: SandboxId(number(words[1])) }),
            _ => self.tell(AgentChange::Runtime(script::event(self.container(words[1]), &words))),
        }
        std::mem::take(&mut self.printed).join(" ")
    }

    fn tell(&mut self, change: AgentChange) {
        self.agent.observe(self.now, change);
        self.drain("");
    }

    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        while let Some(at) = self.agent.wake_at().filter(|at| *at <= end) {
            assert!(at > self.now, "what was due is done");
            self.now = at;
            let stamp = format!("@{}", at.since(self.start));
            self.drain(&stamp);
        }
        self.now = end;
    }

    fn drain(&mut self, stamp: &str) {
        let mut stamp = Some(stamp.to_string()).filter(|stamp| !stamp.is_empty());
        for units in 0.. {
            assert!(units < 1000, "units of one instant come to an end");
            if self.agent.wake_at().is_none_or(|at| at > self.now) {
                break;
            }
            let mut turn = Turn { now: self.now, draw: &mut Always(0), why: &mut Nobody };
            let mut out = Vec::new();
            let view = AgentView { definitions: &self.definitions };
            self.agent.reconcile(&mut turn, view, &mut out);
            assert_eq!(self.agent.held(), self.agent.recount(view));
            self.printed.extend(stamp.take_if(|_| !out.is_empty()));
            for (_, command) in out {
                let word = self.print(command);
                self.printed.push(word);
            }
        }
    }

    /// `a0` is container `a` of task 0.
    fn container(&self, text: &str) -> ContainerId {
        let (name, task) = numbered(text);
        let sandbox = SandboxId(task);
        let name = self.definitions.symbols.find(name);
        let definition = &self.definitions[self.tasks[sandbox.0 as usize]];
        let index = definition.containers.iter().position(|about| Some(about.name) == name);
        ContainerId { sandbox, index: u8::try_from(index.expect("a container of the task")).unwrap() }
    }

    fn print(&self, command: AgentCommand) -> String {
        let text = |symbol| self.definitions.symbols.text(symbol);
        let about = |at: ContainerId| {
            &self.definitions[self.tasks[at.sandbox.0 as usize]].containers[usize::from(at.index)]
        };
        let name = |at: ContainerId| format!("{}{}", text(about(at).name), at.sandbox.0);
        let nth = |n: u32| if n == 0 { String::new() } else { format!("/{n}") };
        match command {
            AgentCommand::Runtime(RuntimeCommand::Prepare { .. }) => {
                panic!("an agent of ECS never asks for it")
            }
            AgentCommand::Runtime(RuntimeCommand::Pull { container, image, attempt }) => {
                assert_eq!(image, about(container).image);
                format!("pull:{}{}", name(container), nth(attempt))
            }
            AgentCommand::Runtime(RuntimeCommand::Start { container, image, restart }) => {
                assert_eq!(image, about(container).image);
                let ports: Vec<u16> = self.agent.host_ports(container.sandbox).collect();
                let ports = if ports.is_empty() { String::new() } else { format!("{ports:?}") };
                format!("start:{}{}{ports}", name(container), nth(restart))
            }
            AgentCommand::Runtime(RuntimeCommand::Stop { container, grace }) => {
                format!("stop:{}/{grace}", name(container))
            }
            AgentCommand::Runtime(RuntimeCommand::Remove { sandbox }) => format!("remove:{}", sandbox.0),
            AgentCommand::Runtime(RuntimeCommand::RemoveImage { image }) => format!("delete:{}", text(image)),
            AgentCommand::Report(Report { task, what }) => {
                let at = |index| ContainerId { sandbox: task, index };
                format!("{}:{}", task.0, print_report(what, |index| name(at(index))))
            }
        }
    }
}

fn print_report(what: Reported, name: impl Fn(u8) -> String) -> String {
    let why = |stop| match stop {
        Stop::EssentialContainerExited { container, code, out_of_memory } => {
            format!("{}-exit-{code}{}", name(container), if out_of_memory { "-oom" } else { "" })
        }
        Stop::TaskFailedToStart(StartFailure::CannotPull { container }) => {
            format!("{}-pull", name(container))
        }
        Stop::TaskFailedToStart(StartFailure::CannotStart { container }) => {
            format!("{}-start", name(container))
        }
        Stop::TaskFailedToStart(StartFailure::Dependency { container }) => {
            format!("{}-dependency", name(container))
        }
        other @ (Stop::TaskFailedToStart(StartFailure::InterfaceTimeout)
        | Stop::UserInitiated
        | Stop::Scaling
        | Stop::Unhealthy
        | Stop::HostTerminated) => panic!("an agent does not say {other:?}"),
    };
    match what {
        Reported::PullStarted => "pulling".into(),
        Reported::Activating => "activating".into(),
        Reported::PullStopped => "pulled".into(),
        Reported::Running => "running".into(),
        Reported::Health(health) => format!("{health:?}").to_lowercase(),
        Reported::EssentialExited => "exited".into(),
        Reported::Stopping(None) => "stopping".into(),
        Reported::Stopping(Some(stop)) => format!("stopping={}", why(stop)),
        Reported::Stopped(None) => "stopped".into(),
        Reported::Stopped(Some(stop)) => format!("stopped={}", why(stop)),
    }
}

fn parse_settings(text: &str, capacity: &mut HostCapacity, known: &mut Definitions) -> AgentSettings {
    let mut settings = AgentSettings::default();
    for word in text.split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("always", _) => settings.pull_behavior = PullBehavior::Always,
            ("once", _) => settings.pull_behavior = PullBehavior::Once,
            ("prefer-cached", _) => settings.pull_behavior = PullBehavior::PreferCached,
            ("upfront", _) => settings.pull_dependents_upfront = true,
            ("rotating", _) => settings.dynamic_port_order = PortOrder::Rotating,
            ("ports", last) => settings.dynamic_ports = (32_768, number(last)),
            ("keep", wait) => settings.cleanup_wait = span(wait),
            ("gpus", gpus) => capacity.gpus = number(gpus),
            ("baked", image) => capacity.baked_images = [known.symbols.intern(image)].into(),
            other => panic!("no such setting: {other:?}"),
        }
    }
    settings
}

/// `web 300M c512 p80 u53 g1: app? log<app:start/stop=60`.
pub(super) fn definition(text: &str, known: &mut Definitions) -> TaskDefinition {
    let (head, body) = text.split_once(':').expect("a colon after the head");
    let mut head = head.split_whitespace();
    let family = known.symbols.intern(head.next().expect("a name"));
    let mut reservation = Reservation::default();
    for word in head {
        match (word.strip_suffix('M'), &word[..1]) {
            (Some(size), _) => reservation.memory = Bytes::mib(number(size)),
            (None, "c") => reservation.cpu = Cpu::ecs_units(number(&word[1..])),
            (None, "p") => reservation.ports = [number(&word[1..])].into(),
            (None, "u") => reservation.ports_udp = [number(&word[1..])].into(),
            (None, "g") => reservation.gpus = number(&word[1..]),
            other => panic!("no such resource: {other:?}"),
        }
    }
    let words: Vec<&str> = body.split_whitespace().collect();
    let names: Vec<&str> = words.iter().map(|word| name_of(word)).collect();
    let containers = words.iter().map(|word| container(word, &names, known)).collect();
    TaskDefinition {
        family,
        revision: 1,
        network_mode: NetworkMode::Bridge,
        containers,
        reservation,
        required_attributes: [].into(),
        constraints: [].into(),
        runs_on_ec2: true,
        volume_at_launch: None,
        fargate: None,
    }
}

fn name_of(word: &str) -> &str {
    word.split(['?', '<', '/']).next().expect("a first part")
}

fn container(word: &str, names: &[&str], known: &mut Definitions) -> ContainerDefinition {
    let name = known.symbols.intern(name_of(word));
    let mut about = ContainerDefinition {
        name,
        image: name,
        essential: !word.contains('?'),
        depends_on: [].into(),
        start_timeout: None,
        stop_timeout: None,
        health_check: None,
        restart_policy: None,
        dynamic_ports: 0,
    };
    let (dependencies, options) = word.split_once('/').unwrap_or((word, ""));
    let dependency = |text: &str| {
        let (on, condition) = text.split_once(':').expect("a condition");
        let condition = match condition {
            "start" => Condition::Start,
            "complete" => Condition::Complete,
            "success" => Condition::Success,
            "healthy" => Condition::Healthy,
            other => panic!("no such condition: {other}"),
        };
        let on = names.iter().position(|name| *name == on).expect("a container of the task");
        Dependency { on: u8::try_from(on).unwrap(), condition }
    };
    about.depends_on = dependencies.split('<').skip(1).map(dependency).collect();
    for option in options.split('/').filter(|option| !option.is_empty()) {
        match option.split_once('=').unwrap_or((option, "")) {
            ("stop", seconds) => about.stop_timeout = Some(Span::seconds(number(seconds))),
            ("timeout", seconds) => about.start_timeout = Some(Span::seconds(number(seconds))),
            ("ports", count) => about.dynamic_ports = number(count),
            ("image", image) => about.image = known.symbols.intern(image),
            ("check", _) => {
                about.health_check = Some(HealthCheck {
                    rhythm: Rhythm::AfterEach,
                    successes: 1,
                    interval: Span::seconds(30),
                    timeout: Span::seconds(5),
                    retries: 3,
                    start_period: Span::ZERO,
                });
            }
            ("restart", seconds) => {
                about.restart_policy = Some(RestartPolicy {
                    ignored_exit_codes: [3].into(),
                    attempt_period: Span::seconds(number(seconds)),
                });
            }
            other => panic!("no such option: {other:?}"),
        }
    }
    about
}
