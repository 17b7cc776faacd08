//! A record, agents that obey at once, and the language in which tests drive a scheduler.
//!
//! A script is a list of steps: `2 instances 4vcpu; service web 3; run 60`. The log has one entry per
//! second in which something was decided: `1: +web-0 +web-1 +web-2 [start 3]`.
//!
//! | log | means |
//! |---|---|
//! | `+web-0` `+web-0*` | created in PENDING, in PROVISIONING |
//! | `+web-0@3` `+web-0:2` | after `show arrivals`, `show revisions`: arrived at second 3, of revision 2 |
//! | `-web-0` `!web-0` `~web-0` | stopped: too many, unhealthy, by StopTask |
//! | `xjob-0` | a call failed for this task |
//! | `[start 3]` `[start 3 for 1]` | event: started, one of them for an unhealthy one |
//! | `[stop 1,2]` `[drop 2]` | events: stopped running tasks, stopped pending tasks |
//! | `[full]` `[empty]` | events: no room on any instance, no instance at all |
//! | `[impaired]` `[steady]` | events |

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::base::runtime::{HealthCheck, Rhythm};
use crate::base::versioned::Index;
use crate::base::{
    Bytes, Cpu, Draw, EntityKey, Name, Percent, Purpose, Reader, Revision, Row, Span, Symbol, Table,
    Timestamp, Turn, turn::Nobody,
};
use crate::control::ecs::events::ServiceMessage;
use crate::control::ecs::objects::*;
use crate::control::ecs::placement::{Placement, PlacementSettings, Refusal};
use crate::control::ecs::scheduler::{Answer, Call, EcsChange, EcsCommand, Scheduler};
use crate::control::ecs::service::SchedulerSettings;
use crate::control::laws::Dice;
use crate::control::{Reconciler, Ticket};

/// Units of work in one second of one script.
const UNITS_MAX: u32 = 100_000;

/// The record, what the agents do, and the log.
pub(super) struct Record {
    pub(super) definitions: Definitions,
    pub(super) scheduler: Scheduler,
    pub(super) now: Timestamp,
    instances: Table<ContainerInstance>,
    tasks: Table<Task>,
    services: Table<Service>,
    tasks_of_service: Index<Task>,
    revision: Revision,
    agenda: BTreeMap<(Timestamp, u64), (Row<Task>, Step)>,
    steps: u64,
    log: BTreeMap<Timestamp, String>,
    serials: BTreeMap<Symbol, u64>,
    pull: Span,
    shutdown: Span,
    pulls_fail: bool,
    crash_after: Option<Span>,
    refusals: u32,
    arrivals: bool,
    revisions: bool,
}

/// What an agent does next with a task.
#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    FailToStart,
    Pass,
    Exit,
    End,
}

/// The record as it is now; a macro, so that the scheduler can be borrowed beside it.
macro_rules! view {
    ($record:expr) => {
        EcsView {
            definitions: &$record.definitions,
            instances: Reader::new(&$record.instances, Revision::LIVE),
            tasks: Reader::new(&$record.tasks, Revision::LIVE),
            services: Reader::new(&$record.services, Revision::LIVE),
            tasks_of_service: &$record.tasks_of_service,
        }
    };
}

/// Draws that are all the same: the first of several.
struct First;

impl Draw for First {
    fn draw(&mut self, _: Purpose, _: EntityKey, _: u32) -> u64 {
        0
    }
}

/// Runs a script.
pub(super) fn run(script: &str, settings: SchedulerSettings) -> Record {
    let mut record = Record::new(settings);
    for step in script.split(';') {
        let words: Vec<&str> = step.split_whitespace().collect();
        record.step(&words);
    }
    record
}

impl Record {
    pub(super) fn new(settings: SchedulerSettings) -> Self {
        Record {
            definitions: Definitions::default(),
            scheduler: Scheduler::new(settings, Placement::new(PlacementSettings::default())),
            now: Timestamp::from_nanos(0),
            instances: Table::default(),
            tasks: Table::default(),
            services: Table::default(),
            tasks_of_service: Index::default(),
            revision: Revision(0),
            agenda: BTreeMap::new(),
            steps: 0,
            log: BTreeMap::new(),
            serials: BTreeMap::new(),
            pull: Span::seconds(2),
            shutdown: Span::seconds(5),
            pulls_fail: false,
            crash_after: None,
            refusals: 0,
            arrivals: false,
            revisions: false,
        }
    }

    pub(super) fn step(&mut self, words: &[&str]) {
        match *words {
            [count, "instances", size] => (0..number(count)).for_each(|_| self.add_instance(size)),
            ["drop", name] => self.change_instance(name, |_| None),
            ["disconnect", name] => {
                self.change_instance(name, |old| Some(ContainerInstance { agent_connected: false, ..old }));
            }
            ["service", name, count, ref options @ ..] => self.add_service(name, number(count), options),
            ["desire", name, count] => self.desire(name, number(count)),
            ["revise", name] => self.revise(name),
            ["call", name, count, ref options @ ..] => self.call(name, number(count), options),
            ["stop", name] => {
                let task = self.find(name);
                self.tell_call(Call::StopTask { task });
            }
            ["kill", name] => self.take(self.find(name), Step::Exit),
            ["sicken", name] => self.say_health(name, Health::Unhealthy),
            ["heal", name] => self.say_health(name, Health::Healthy),
            ["pull", seconds] => self.pull = Span::seconds(number(seconds).into()),
            ["pulls", "fail"] => self.pulls_fail = true,
            ["pulls", "work"] => self.pulls_fail = false,
            ["crash", "after", seconds] => self.crash_after = Some(Span::seconds(number(seconds).into())),
            ["refuse", count] => self.refusals = number(count),
            ["shutdown", seconds] => self.shutdown = Span::seconds(number(seconds).into()),
            ["fargate", "full"] => self.fargate(false),
            ["fargate", "free"] => self.fargate(true),
            ["show", "arrivals"] => self.arrivals = true,
            ["show", "revisions"] => self.revisions = true,
            ["forget", "log"] => self.log.clear(),
            ["run", seconds] => self.run(Span::seconds(number(seconds).into())),
            ref other => panic!("no such step: {other:?}"),
        }
    }

    /// Something happens, by chance.
    pub(super) fn happen(&mut self, dice: &mut Dice) {
        let count = dice.below(6).to_string();
        let name = ["web", "api"][usize::from(dice.below(2) == 1)];
        let options: &[&str] = if name == "web" { &["checked", "max", "150"] } else { &["min", "50"] };
        if self.definitions.symbols.find(name).is_none() {
            return self.step(&[&["service", name, &count], options].concat());
        }
        match dice.below(12) {
            0 | 1 => self.step(&["1", "instances", "4vcpu"]),
            2 => self.step(&["desire", name, &count]),
            3 => self.step(&["pulls", ["fail", "work"][usize::from(dice.below(2) == 1)]]),
            4 => self.step(&["call", "job", &count]),
            5 => self.step(&["refuse", &count]),
            6 => self.crash_after = (dice.below(4) == 0).then(|| Span::seconds(dice.below(20))),
            what => self.happen_to_a_task(what, dice),
        }
    }

    fn happen_to_a_task(&mut self, what: u64, dice: &mut Dice) {
        let all = Reader::new(&self.tasks, Revision::LIVE).iter();
        let live: Vec<Row<Task>> =
            all.filter(|(_, task)| task.desired == Desired::Running).map(|(row, _)| row).collect();
        if live.is_empty() {
            return;
        }
        let row = live[usize::try_from(dice.below(live.len() as u64)).expect("small")];
        let is_running = self.task(row).status == TaskStatus::Running;
        match what {
            7 => self.tell_call(Call::StopTask { task: row }),
            8 | 9 if is_running => self.write_health(row, Health::Unhealthy),
            10 if is_running => self.write_health(row, Health::Healthy),
            _ => self.take(row, Step::Exit),
        }
    }

    /// Nobody is told when the capacity of Fargate changes.
    fn fargate(&mut self, available: bool) {
        let zone = self.definitions.symbols.intern("zone-a");
        self.scheduler.placement_mut().set_fargate_capacity(zone, available);
    }

    /// What was decided, second by second.
    pub(super) fn log(&self) -> String {
        let second = |at: &Timestamp| at.as_nanos() / Span::SECOND.as_nanos();
        let lines: Vec<String> = self.log.iter().map(|(at, line)| format!("{}:{line}", second(at))).collect();
        lines.join("; ")
    }

    fn add_instance(&mut self, size: &str) {
        let vcpus = number(size.strip_suffix("vcpu").expect("a size like 4vcpu"));
        let zone = self.definitions.symbols.intern("zone-a");
        let name = self.next_name("i");
        let class = Row::at(self.definitions.classes.len());
        self.definitions.classes.push(InstanceClass {
            instance_type: zone,
            zone,
            subnet: zone,
            capacity_provider: None,
            attributes: Box::default(),
            cpu: Cpu::vcpus(vcpus.into()),
            memory: Bytes::gib(1024),
            gpus: 0,
            interfaces: 100,
            reserved_ports: Box::default(),
            agent_version: zone,
        });
        let instance = ContainerInstance {
            key: EntityKey::new("instance", "i", name.serial),
            name,
            class,
            status: InstanceStatus::Active,
            agent_connected: true,
            registered_at: self.now,
        };
        let row = self.instances.vacant();
        self.write_instance(row, Some(instance));
    }

    fn change_instance(
        &mut self,
        name: &str,
        change: impl Fn(ContainerInstance) -> Option<ContainerInstance>,
    ) {
        let name = self.name(name);
        let all = Reader::new(&self.instances, Revision::LIVE);
        let (row, old) = all.iter().find(|(_, instance)| instance.name == name).expect("a known instance");
        let new = change(*old);
        self.write_instance(row, new);
    }

    fn add_service(&mut self, name: &str, desired_count: u32, options: &[&str]) {
        let task_definition = self.add_task_definition(options);
        let symbol = self.definitions.symbols.intern(name);
        let percent = |word, default| value(options, word).map_or(Percent(default), Percent);
        let definition = ServiceDefinition {
            name: symbol,
            group: self.definitions.symbols.intern(&format!("service:{name}")),
            task_definition,
            placing: self.placing(options),
            desired_count,
            healthy_min: percent("min", 100),
            running_max: percent("max", 200),
            grace: Span::seconds(value(options, "grace").unwrap_or(0).into()),
        };
        let row = Row::at(self.definitions.services.len());
        self.definitions.services.push(definition);
        let key = EntityKey::new("service", name, 0);
        let service = Service { key, definition: row, desired_count, created_at: self.now };
        let row = self.services.vacant();
        self.write_service(row, service);
    }

    fn add_task_definition(&mut self, options: &[&str]) -> Row<TaskDefinition> {
        let family = self.definitions.symbols.intern("family");
        let seconds = Span::seconds(10);
        let check = HealthCheck {
            rhythm: Rhythm::AfterEach,
            interval: seconds,
            timeout: seconds,
            retries: 3,
            successes: 1,
            start_period: seconds,
        };
        let container = ContainerDefinition {
            name: family,
            image: family,
            essential: true,
            depends_on: Box::default(),
            start_timeout: None,
            stop_timeout: None,
            health_check: options.contains(&"checked").then_some(check),
            restart_policy: None,
            dynamic_ports: 0,
        };
        let reservation = Reservation {
            cpu: Cpu::vcpus(value(options, "vcpu").unwrap_or(1).into()),
            memory: Bytes::mib(value(options, "mib").unwrap_or(100).into()),
            ..Reservation::default()
        };
        let row = Row::at(self.definitions.tasks.len());
        let fargate = FargateShape {
            cpu: Cpu::vcpus(1),
            memory: Bytes::gib(2),
            ephemeral: Bytes::gib(20),
            arm64: false,
            windows: false,
        };
        let awsvpc = options.contains(&"awsvpc") || options.contains(&"fargate");
        self.definitions.tasks.push(TaskDefinition {
            family,
            revision: u32::try_from(row.index()).expect("few definitions") + 1,
            network_mode: if awsvpc { NetworkMode::Awsvpc } else { NetworkMode::Bridge },
            containers: Box::new([container]),
            reservation,
            required_attributes: Box::default(),
            constraints: Box::default(),
            runs_on_ec2: true,
            volume_at_launch: None,
            fargate: Some(fargate),
        });
        row
    }

    fn placing(&mut self, options: &[&str]) -> Placing {
        let zone = self.definitions.symbols.intern("zone-a");
        let fargate = options.contains(&"fargate");
        let subnets = options.contains(&"awsvpc") || fargate;
        Placing {
            launch_type: if fargate { LaunchType::Fargate } else { LaunchType::Ec2 },
            strategies: Box::default(),
            constraints: Box::default(),
            subnets: if subnets { Box::new([Subnet { id: zone, zone }]) } else { Box::default() },
            public_address: false,
            volume: None,
        }
    }

    fn desire(&mut self, name: &str, desired_count: u32) {
        let (row, service) = self.find_service(name);
        self.write_service(row, Service { desired_count, ..service });
    }

    /// A new revision of the task definition, and nothing else.
    fn revise(&mut self, name: &str) {
        let (row, service) = self.find_service(name);
        let task_definition = self.add_task_definition(&[]);
        let old = &self.definitions[service.definition];
        let definition = ServiceDefinition { task_definition, ..old.clone() };
        self.definitions.services.push(definition);
        let definition = Row::at(self.definitions.services.len() - 1);
        self.write_service(row, Service { definition, ..service });
    }

    fn find_service(&self, name: &str) -> (Row<Service>, Service) {
        let symbol = self.definitions.symbols.find(name).expect("a known name");
        let mut all = Reader::new(&self.services, Revision::LIVE).iter();
        let found = all.find(|(_, service)| self.definitions[service.definition].name == symbol);
        found.map(|(row, service)| (row, *service)).expect("a known service")
    }

    fn call(&mut self, name: &str, count: u32, options: &[&str]) {
        let request = self.add_request(name, count, options);
        let symbol = self.definitions[request].name;
        let first = *self.serials.get(&symbol).unwrap_or(&0);
        self.serials.insert(symbol, first + u64::from(count));
        self.tell_call(Call::RunTask {
            request,
            count: self.definitions[request].count,
            first,
            arrived: self.now,
        });
    }

    pub(super) fn add_request(&mut self, name: &str, count: u32, options: &[&str]) -> Row<TaskRequest> {
        let on: Vec<Name> =
            options.iter().filter(|word| word.starts_with("i-")).map(|word| self.name(word)).collect();
        let request = TaskRequest {
            name: self.definitions.symbols.intern(name),
            task_definition: self.add_task_definition(options),
            group: self.definitions.symbols.intern(&format!("family:{name}")),
            count,
            placing: self.placing(options),
            instances: (!on.is_empty()).then(|| on.into()),
            client_token: None,
        };
        let row = Row::at(self.definitions.requests.len());
        self.definitions.requests.push(request);
        row
    }

    fn say_health(&mut self, name: &str, health: Health) {
        self.write_health(self.find(name), health);
    }

    fn write_health(&mut self, row: Row<Task>, health: Health) {
        let task = *self.task(row);
        self.write_task(row, Some(Task { health, ..task }));
    }

    pub(super) fn run(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            self.decide();
            let next = self.agenda.first_key_value().map(|(&(at, _), _)| at);
            let wake = self.scheduler.wake_at();
            let Some(now) = next.into_iter().chain(wake).min().filter(|&at| at <= end) else { break };
            assert!(now >= self.now, "no wake in the past");
            self.now = now;
            self.act();
        }
        self.now = end;
    }

    /// Lets the scheduler do all that is due.
    pub(super) fn decide(&mut self) {
        let mut out = Vec::new();
        for _ in 0..UNITS_MAX {
            let is_due = self.scheduler.wake_at().is_some_and(|at| at <= self.now);
            self.reconcile(&mut out);
            assert!(is_due || out.is_empty(), "a wake that comes too early is a no-op");
            if !is_due {
                return;
            }
            for (ticket, command) in out.drain(..) {
                self.take_command(ticket, command);
            }
        }
        panic!("the scheduler makes no progress");
    }

    /// The record as it is now.
    pub(super) fn view(&self) -> EcsView<'_> {
        view!(self)
    }

    /// Carries out a command, or refuses it.
    pub(super) fn take_command(&mut self, ticket: Ticket, command: EcsCommand) {
        self.note(command);
        if matches!(command, EcsCommand::Create(_)) && self.refusals > 0 {
            self.refusals -= 1;
            let answer = Answer::Conflict;
            self.scheduler.observe(self.now, EcsChange::Answered { ticket, answer });
        } else {
            self.carry_out(command);
        }
    }

    /// Lets the agents do all that is due.
    pub(super) fn act(&mut self) {
        while let Some(entry) = self.agenda.first_entry()
            && entry.key().0 <= self.now
        {
            let (row, step) = entry.remove();
            self.take(row, step);
        }
    }

    pub(super) fn reconcile(&mut self, out: &mut Vec<(Ticket, EcsCommand)>) {
        let view = view!(self);
        self.scheduler.recount(view);
        let mut turn = Turn { now: self.now, draw: &mut First, why: &mut Nobody };
        self.scheduler.reconcile(&mut turn, view, out);
    }

    fn carry_out(&mut self, command: EcsCommand) {
        match command {
            EcsCommand::Create(task) => {
                let row = self.tasks.vacant();
                if let Some(service) = task.service {
                    self.tasks_of_service.enter(service.number(), row);
                }
                self.write_task(row, Some(task));
                let step = if self.pulls_fail { Step::FailToStart } else { Step::Start };
                self.later(self.pull, row, step);
            }
            EcsCommand::Stop { task: row, why } => {
                let mut task = *self.task(row);
                if task.desired == Desired::Stopped {
                    return;
                }
                task.desired = Desired::Stopped;
                task.status = TaskStatus::Stopping;
                task.stop = Some(why);
                task.times.stopping = self.now;
                self.write_task(row, Some(task));
                self.later(self.shutdown, row, Step::End);
            }
            EcsCommand::Fail { .. } | EcsCommand::Say { .. } => {}
        }
    }

    fn take(&mut self, row: Row<Task>, step: Step) {
        let mut task = *self.task(row);
        let is_live = task.desired == Desired::Running;
        match step {
            Step::Start if is_live => {
                task.status = TaskStatus::Running;
                task.times.started = self.now;
                let checked = self.definitions[task.definition].containers[0].health_check.is_some();
                if checked {
                    self.later(Span::seconds(3), row, Step::Pass);
                }
                if let Some(span) = self.crash_after {
                    self.later(span, row, Step::Exit);
                }
            }
            Step::Pass if is_live && task.health == Health::Unknown => task.health = Health::Healthy,
            Step::Exit if is_live => {
                task.stop =
                    Some(Stop::EssentialContainerExited { container: 0, code: 1, out_of_memory: false });
                self.end(&mut task);
            }
            Step::FailToStart if is_live => {
                task.stop = Some(Stop::TaskFailedToStart(StartFailure::CannotPull { container: 0 }));
                self.end(&mut task);
            }
            Step::End => self.end(&mut task),
            Step::Start | Step::Pass | Step::Exit | Step::FailToStart => return,
        }
        self.write_task(row, Some(task));
    }

    fn end(&self, task: &mut Task) {
        task.desired = Desired::Stopped;
        task.status = TaskStatus::Stopped;
        task.times.stopped = self.now;
    }

    fn later(&mut self, span: Span, row: Row<Task>, step: Step) {
        self.steps += 1;
        self.agenda.insert((self.now + span, self.steps), (row, step));
    }

    fn write_task(&mut self, row: Row<Task>, new: Option<Task>) {
        let revision = self.next_revision();
        self.tasks.write(row, revision, new);
        let edit = Reader::new(&self.tasks, revision).edit(row);
        self.scheduler.observe(self.now, EcsChange::Task(edit, &self.definitions));
        self.tasks.trim();
    }

    fn write_service(&mut self, row: Row<Service>, new: Service) {
        let revision = self.next_revision();
        self.services.write(row, revision, Some(new));
        let edit = Reader::new(&self.services, revision).edit(row);
        self.scheduler.observe(self.now, EcsChange::Service(edit, &self.definitions));
        self.services.trim();
    }

    fn write_instance(&mut self, row: Row<ContainerInstance>, new: Option<ContainerInstance>) {
        let revision = self.next_revision();
        self.instances.write(row, revision, new);
        let edit = Reader::new(&self.instances, revision).edit(row);
        self.scheduler.observe(self.now, EcsChange::Instance(edit, &self.definitions));
        self.instances.trim();
    }

    fn next_revision(&mut self) -> Revision {
        self.revision.0 += 1;
        self.revision
    }

    pub(super) fn tell_call(&mut self, call: Call) {
        self.scheduler.observe(self.now, EcsChange::Called(call));
    }

    pub(super) fn task(&self, row: Row<Task>) -> &Task {
        Reader::new(&self.tasks, Revision::LIVE).get(row).expect("a task that was created")
    }

    pub(super) fn find(&self, name: &str) -> Row<Task> {
        let name = self.name(name);
        let mut all = Reader::new(&self.tasks, Revision::LIVE).iter();
        all.find(|(_, task)| task.name == name).map(|(row, _)| row).expect("a known task")
    }

    fn name(&self, text: &str) -> Name {
        let (of, serial) = text.rsplit_once('-').expect("a name like web-1");
        Name { of: self.definitions.symbols.find(of).expect("a known name"), serial: number(serial).into() }
    }

    fn next_name(&mut self, of: &str) -> Name {
        let of = self.definitions.symbols.intern(of);
        let next = self.serials.entry(of).or_insert(0);
        *next += 1;
        Name { of, serial: *next - 1 }
    }

    fn note(&mut self, command: EcsCommand) {
        let text = |name: Name| format!("{}-{}", self.definitions.symbols.text(name.of), name.serial);
        let words = match command {
            EcsCommand::Create(task) if self.arrivals => {
                let arrived = task.times.arrived.as_nanos() / Span::SECOND.as_nanos();
                format!("+{}@{arrived}", text(task.name))
            }
            EcsCommand::Create(task) if self.revisions => {
                format!("+{}:{}", text(task.name), self.definitions[task.definition].revision)
            }
            EcsCommand::Create(task) => {
                let sign = if task.status == TaskStatus::Provisioning { "*" } else { "" };
                format!("+{}{sign}", text(task.name))
            }
            EcsCommand::Stop { task, why } => {
                let sign = match why {
                    Stop::Scaling => '-',
                    Stop::Unhealthy => '!',
                    Stop::UserInitiated => '~',
                    Stop::EssentialContainerExited { .. }
                    | Stop::TaskFailedToStart(_)
                    | Stop::HostTerminated => '?',
                };
                format!("{sign}{}", text(self.task(task).name))
            }
            EcsCommand::Fail { request, serial, .. } => {
                format!("x{}", text(Name { of: self.definitions[request].name, serial }))
            }
            EcsCommand::Say { message, .. } => format!("[{}]", message_text(message)),
        };
        let line = self.log.entry(self.now).or_default();
        write!(line, " {words}").expect("text can be written");
    }
}

fn message_text(message: ServiceMessage) -> String {
    match message {
        ServiceMessage::SteadyState => "steady".into(),
        ServiceMessage::Started(list) if list.replaced_unhealthy > 0 => {
            format!("start {} for {}", list.count, list.replaced_unhealthy)
        }
        ServiceMessage::Started(list) => format!("start {}", list.count),
        ServiceMessage::Stopped(list) => {
            let serials: Vec<String> =
                list.serials[..usize::from(list.count)].iter().map(ToString::to_string).collect();
            format!("stop {}", serials.join(","))
        }
        ServiceMessage::StoppedPending(count) => format!("drop {count}"),
        ServiceMessage::UnableToPlace(rejection) => {
            let is_empty = rejection.counts[Refusal::NoInstances as usize] > 0;
            if is_empty { "empty".into() } else { "full".into() }
        }
        ServiceMessage::StartImpaired => "impaired".into(),
    }
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

fn value(options: &[&str], word: &str) -> Option<u32> {
    let place = options.iter().position(|option| *option == word)?;
    options.get(place + 1).map(|text| number(text))
}
