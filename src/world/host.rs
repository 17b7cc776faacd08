//! Hosts: they do what a [`RuntimeCommand`] asks, take their time, and answer.
//!
//! An EC2 machine and a Fargate micro-VM are the same thing here; the one has a cache that outlives
//! its sandboxes, the other serves one sandbox. Every command but `Remove` and `RemoveImage` is
//! answered exactly once; exits and changes of health are told unasked. A host that is shut is
//! silent. Knows nothing of tasks or pods, of CPU and memory (placement keeps within them), and of
//! why an agent asks. Draws are keyed by sandbox and container, numbered by attempt or restart.

use std::ops::Range;

use super::image_cache::{Fetch, ImageCache};
use super::network::{Link, LinkUse};
use super::probe::{Watch, Wellness};
use super::registry::{Ending, Registry, happens};
use super::settings::HostSettings;
use crate::base::runtime::{ContainerId, HealthCheck, Pull, Rhythm, RuntimeCommand, RuntimeEvent, SandboxId};
use crate::base::{Bandwidth, Bytes, Column, Cpu, EntityKey, Purpose, Row, Span, Symbol, Timestamp};
use crate::engine::{Luck, Quantiles};
use crate::mark;

/// The exit code of SIGKILL.
pub const KILLED: u8 = 137;
/// The exit code of SIGTERM, and of a container that was stopped before it ran.
pub const TERMINATED: u8 = 143;

/// Every host, and the containers on them.
///
/// ```
/// use windtunnel::base::runtime::{ContainerId, RuntimeCommand, SandboxId};
/// use windtunnel::base::{EntityKey, Symbols, Timestamp};
/// use windtunnel::engine::Luck;
/// use windtunnel::world::host::{ContainerSpec, HostKind, Life};
/// use windtunnel::world::registry::{Behaviour, Image};
/// use windtunnel::world::{Effects, Hosts, Registry, WorldSettings};
/// let (mut symbols, mut registry) = (Symbols::default(), Registry::default());
/// let web = symbols.intern("web:1");
/// registry.push(web, Image { layers: [].into(), behaviour: Behaviour::steady() });
/// let mut hosts = Hosts::new(Luck::new(1), WorldSettings::instant().host, registry);
/// let (now, mut out) = (Timestamp::from_nanos(0), Effects::default());
/// let host = hosts.boot(now, EntityKey::new("instance", "pool", 0), HostKind::Instance { baked: &[] });
/// let container = ContainerId { sandbox: SandboxId(0), index: 0 };
/// let spec = ContainerSpec { image: web, health: None };
/// hosts.admit(host, container.sandbox, EntityKey::new("task", "web", 0), &[spec], Life::AsImages);
/// hosts.obey(now, host, RuntimeCommand::Pull { container, image: web, attempt: 0 }, &mut out);
/// assert_eq!(out.told.len(), 1);
/// ```
#[derive(Debug)]
pub struct Hosts {
    luck: Luck,
    settings: HostSettings,
    registry: Registry,
    places: Column<Host>,
    containers: Column<Container>,
    /// Counts the timers that were ever armed: a timer whose number is no longer its owner's is stale.
    armed: u32,
}

/// A host.
#[derive(Debug)]
pub struct Host {
    cache: ImageCache<Row<Container>>,
    /// The timer of the next layer or the next pull that is given up, and when it is due.
    layer_timer: u32,
    layer_due: Option<Timestamp>,
    /// Pulls under way and when each is given up, soonest first.
    deadlines: Vec<(Timestamp, Row<Container>)>,
    /// What images may take, where that is limited.
    storage: Option<Bytes>,
    /// Sorted.
    containers: Vec<(ContainerId, Row<Container>)>,
}

/// What a host is made of.
#[derive(Clone, Copy, Debug)]
pub enum HostKind<'a> {
    /// An EC2 machine, with the images that its machine image brings.
    Instance {
        /// References of the registry; others are ignored.
        baked: &'a [Symbol],
    },
    /// A Fargate micro-VM.
    MicroVm {
        /// The size of its task.
        cpu: Cpu,
        /// The ephemeral storage of its task, which holds the images too (TD-33).
        storage: Bytes,
    },
}

/// A container on a host.
#[derive(Debug)]
pub struct Container {
    host: Row<Host>,
    id: ContainerId,
    key: EntityKey,
    check: Option<Box<Check>>,
    known_end: Option<Exit>,
    pull: Option<Pulling>,
    phase: Phase,
    /// The timer of the start or the exit, whichever the phase waits for.
    phase_timer: u32,
    /// The timer of the sandbox, kept by its first container; zero while none is awaited.
    sandbox_timer: u32,
    /// Whether its sandbox was created beforehand, so that its start need not make a network.
    prepared: bool,
}

/// The health check of a container.
#[derive(Debug)]
struct Check {
    about: HealthCheck,
    /// Nothing while it does not run.
    watching: Option<Watching>,
}

/// A container as its definition has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContainerSpec {
    /// The image reference.
    pub image: Symbol,
    /// Its health check, if it has one.
    pub health: Option<HealthCheck>,
}

/// What is known beforehand about the life of a sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Nothing: its containers behave as their images do.
    AsImages,
    /// How one container ends by itself, as in a trace; it does not crash before.
    Ends {
        /// Which one, in the order of the definition.
        container: u8,
        /// How long after its start.
        after: Span,
        /// Its exit code.
        code: u8,
        /// Whether it is killed for memory.
        out_of_memory: bool,
    },
}

/// What a host waits for. Stale ones are recognised and ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostEvent {
    /// The next layer has arrived.
    Layer {
        /// Where.
        host: Row<Host>,
        /// The number of the timer.
        timer: u32,
    },
    /// A pull knows which layers it needs.
    Manifest {
        /// For which container.
        container: Row<Container>,
        /// The number of the timer.
        timer: u32,
    },
    /// A sandbox has been created.
    Sandbox {
        /// Its first container.
        container: Row<Container>,
        /// The number of the timer.
        timer: u32,
    },
    /// A container has started or exited.
    Phase {
        /// Which one.
        container: Row<Container>,
        /// The number of the timer.
        timer: u32,
    },
    /// A health probe has ended whose outcome matters.
    Probe {
        /// Of which container.
        container: Row<Container>,
        /// The number of the timer.
        timer: u32,
    },
}

const _: () = assert!(size_of::<HostEvent>() <= 12);

/// What follows from a command or an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// To be handed to [`Hosts::happen`] at these times.
    pub later: Vec<(Timestamp, HostEvent)>,
    /// To be told to the agents of these hosts.
    pub told: Vec<(Row<Host>, RuntimeEvent)>,
}

#[derive(Debug)]
enum Phase {
    /// Has not run yet.
    Created,
    Starting {
        image: Symbol,
        restart: u32,
    },
    /// Is started, which will not succeed in time.
    Stuck,
    Running {
        image: Symbol,
        restart: u32,
        exit: Option<(Timestamp, Exit)>,
    },
    /// `stops` commands wait for the exit.
    Stopping {
        exit: (Timestamp, Exit),
        stops: u32,
    },
    Exited(Exit),
}

#[derive(Clone, Copy, Debug)]
struct Exit {
    after: Span,
    code: u8,
    out_of_memory: bool,
}

#[derive(Debug)]
struct Pulling {
    image: Symbol,
    attempt: u32,
    timer: u32,
    /// Nothing until the manifest is known.
    fetch: Option<Box<Fetch>>,
}

#[derive(Clone, Copy, Debug)]
struct Watching {
    watch: Watch,
    timer: u32,
    /// The verdict that the timer brings; unused when every probe is an event.
    turns_to: bool,
}

impl HostEvent {
    /// Rank and actor among the events of one instant: bytes first, then lives, then probes, so that
    /// a probe never sees a container that exits at the same instant.
    pub const fn order(self) -> (u8, u32) {
        match self {
            HostEvent::Layer { host, .. } => (0, host.number()),
            HostEvent::Manifest { container, .. } => (1, container.number()),
            HostEvent::Sandbox { container, .. } | HostEvent::Phase { container, .. } => {
                (2, container.number())
            }
            HostEvent::Probe { container, .. } => (3, container.number()),
        }
    }
}

impl Hosts {
    /// No hosts yet.
    pub const fn new(luck: Luck, settings: HostSettings, registry: Registry) -> Self {
        Hosts { luck, settings, registry, places: Column::new(), containers: Column::new(), armed: 0 }
    }

    /// Adds a host; `key` is its name for draws.
    pub fn boot(&mut self, now: Timestamp, key: EntityKey, kind: HostKind<'_>) -> Row<Host> {
        let (rate, baked, storage) = match kind {
            HostKind::Instance { baked } => (&self.settings.pull_rate_ec2, baked, None),
            HostKind::MicroVm { cpu, storage } => {
                mark!("AG-23");
                (self.micro_vm_rate(cpu), [].as_slice(), Some(storage))
            }
        };
        let rate = Bandwidth::per_second(rate.value(self.luck.draw(Purpose::PullRate, key, 0)));
        let mut cache = ImageCache::new(Link::new(now, rate, self.settings.layer_rate_max));
        for &reference in baked {
            if let Some(image) = self.registry.find(reference) {
                cache.bake(now, reference, image.layers.clone());
            }
        }
        let host = Host {
            cache,
            layer_timer: 0,
            layer_due: None,
            deadlines: Vec::new(),
            storage,
            containers: Vec::new(),
        };
        self.places.insert(host).row
    }

    /// Removes a host: everything on it is gone, and nobody is told. Its row may be given away.
    pub fn shut(&mut self, host: Row<Host>) {
        let Some(gone) = self.places.remove(host) else { return };
        for (_, row) in gone.containers {
            self.containers.remove(row);
        }
    }

    /// Introduces a sandbox, before its agent's first command. Nothing happens on a host that is
    /// gone; a sandbox is admitted once until it is removed.
    pub fn admit(
        &mut self,
        host: Row<Host>,
        sandbox: SandboxId,
        key: EntityKey,
        containers: &[ContainerSpec],
        life: Life,
    ) {
        let Some(place) = self.places.get_mut(host) else { return };
        let range = place.range(sandbox);
        assert!(range.is_empty(), "a sandbox is admitted once");
        for ((index, spec), at) in (0..=u8::MAX).zip(containers).zip(range.start..) {
            let id = ContainerId { sandbox, index };
            let container = Container {
                host,
                id,
                key: key.part(u64::from(index)),
                check: spec.health.map(|about| Box::new(Check { about, watching: None })),
                known_end: life.end_of(index),
                pull: None,
                phase: Phase::Created,
                phase_timer: 0,
                sandbox_timer: 0,
                prepared: false,
            };
            place.containers.insert(at, (id, self.containers.insert(container).row));
        }
    }

    /// Does what an agent asks.
    pub fn obey(&mut self, now: Timestamp, host: Row<Host>, command: RuntimeCommand, out: &mut Effects) {
        if self.places.get(host).is_none() {
            return;
        }
        match command {
            RuntimeCommand::Prepare { sandbox } => self.prepare(now, host, sandbox, out),
            RuntimeCommand::Pull { container, image, attempt } => match self.find(host, container) {
                Some(row) => self.pull(now, row, image, attempt, out),
                None => out.pulled(host, container, Pull::Failed { cached: false }),
            },
            RuntimeCommand::Start { container, image, restart } => match self.find(host, container) {
                Some(row) => self.start(now, row, image, restart, out),
                None => out.started(host, container, false),
            },
            RuntimeCommand::Stop { container, grace } => match self.find(host, container) {
                Some(row) => self.stop(now, row, grace, out),
                None => out.exited(host, container, Exit::NEVER_RAN),
            },
            RuntimeCommand::Remove { sandbox } => self.remove(now, host, sandbox, out),
            RuntimeCommand::RemoveImage { image } => {
                self.places[host].cache.remove(now, image);
                self.await_layer(host, out);
            }
        }
    }

    /// Lets happen what was announced in [`Effects::later`].
    pub fn happen(&mut self, now: Timestamp, event: HostEvent, out: &mut Effects) {
        match event {
            HostEvent::Layer { host, timer } => {
                if self.places.get(host).is_some_and(|place| place.layer_timer == timer) {
                    self.layer_arrives(now, host, out);
                }
            }
            HostEvent::Manifest { container, timer } => {
                let pull = self.containers.get(container).and_then(|it| it.pull.as_ref());
                if pull.is_some_and(|pull| pull.timer == timer) {
                    self.fetch(now, container, out);
                }
            }
            HostEvent::Sandbox { container, timer } => {
                if self.containers.get(container).is_some_and(|it| it.sandbox_timer == timer) {
                    self.sandbox_is_there(container, out);
                }
            }
            HostEvent::Phase { container, timer } => {
                if self.containers.get(container).is_some_and(|it| it.phase_timer == timer) {
                    self.phase_ends(now, container, out);
                }
            }
            HostEvent::Probe { container, timer } => {
                let check = self.containers.get(container).and_then(|it| it.check.as_ref());
                let watching = check.and_then(|check| check.watching);
                if let Some(watching) = watching.filter(|it| it.timer == timer) {
                    self.probe_ends(now, container, watching, out);
                }
            }
        }
    }

    /// Whether an image is complete on a host.
    pub fn has_image(&self, host: Row<Host>, image: Symbol) -> bool {
        self.places.get(host).is_some_and(|place| place.cache.has(image))
    }

    /// Where the capacity of a host's pull link went, as of the last thing that happened on it.
    pub fn link_use(&self, host: Row<Host>) -> Option<LinkUse> {
        self.places.get(host).map(|place| place.cache.link_use())
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no host.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn micro_vm_rate(&self, cpu: Cpu) -> &Quantiles {
        let rates = &self.settings.pull_rate_fargate;
        if cpu <= Cpu::millicores(500) {
            &rates.half_vcpu
        } else if cpu <= Cpu::vcpus(1) {
            &rates.one_vcpu
        } else if cpu <= Cpu::vcpus(2) {
            &rates.two_vcpus
        } else {
            &rates.more_vcpus
        }
    }

    fn find(&self, host: Row<Host>, id: ContainerId) -> Option<Row<Container>> {
        let containers = &self.places.get(host)?.containers;
        let place = containers.binary_search_by_key(&id, |&(known, _)| known).ok()?;
        Some(containers[place].1)
    }

    fn next_timer(&mut self) -> u32 {
        self.armed = self.armed.wrapping_add(1);
        self.armed
    }

    // Pulls.

    fn pull(&mut self, now: Timestamp, row: Row<Container>, image: Symbol, attempt: u32, out: &mut Effects) {
        self.abandon_pull(now, row, out);
        let timer = self.next_timer();
        self.containers[row].pull = Some(Pulling { image, attempt, timer, fetch: None });
        let limits = &self.settings.limits;
        let wait = self.settings.manifest_check;
        let wait = if wait <= limits.manifest { wait } else { limits.manifest_given_up_after() };
        if wait == Span::ZERO {
            self.fetch(now, row, out);
        } else {
            out.at(now, wait, HostEvent::Manifest { container: row, timer });
        }
    }

    /// The manifest is known or given up, or the pull has failed.
    fn fetch(&mut self, now: Timestamp, row: Row<Container>, out: &mut Effects) {
        let container = &mut self.containers[row];
        let (host, id, key) = (container.host, container.id, container.key);
        let pull = container.pull.as_mut().expect("the caller looked");
        let cache = &mut self.places[host].cache;
        let failed = |ppm| happens(ppm, self.luck.draw(Purpose::PullFailure, key, pull.attempt));
        let has_manifest = self.settings.manifest_check <= self.settings.limits.manifest;
        let found = self.registry.find(pull.image).filter(|_| has_manifest);
        let found = found.filter(|image| !failed(image.behaviour.pull_failure));
        let Some(found) = found else {
            out.pulled(host, id, Pull::Failed { cached: cache.has(pull.image) });
            container.pull = None;
            return;
        };
        if cache.is_complete(pull.image, &found.layers) {
            out.pulled(host, id, Pull::Done);
            container.pull = None;
            return;
        }
        let place = &mut self.places[host];
        let wanted = place.cache.missing(&found.layers) + place.cache.taken();
        if place.storage.is_some_and(|storage| wanted > storage) {
            mark!("TD-33");
            out.pulled(host, id, Pull::Failed { cached: place.cache.has(pull.image) });
            container.pull = None;
            return;
        }
        pull.fetch = Some(Box::new(place.cache.begin(found.layers.clone())));
        place.deadlines.push((now + self.settings.limits.pull, row));
        self.proceed(now, row, out);
        self.await_layer(host, out);
    }

    fn proceed(&mut self, now: Timestamp, row: Row<Container>, out: &mut Effects) {
        let container = &mut self.containers[row];
        let cache = &mut self.places[container.host].cache;
        let Some(pull) = &mut container.pull else { return };
        let fetch = pull.fetch.as_mut().expect("a pull that waits for layers knows its manifest");
        if !cache.proceed(now, fetch, row, self.settings.layers_at_a_time) {
            return;
        }
        let Some(Pulling { image, fetch: Some(fetch), .. }) = container.pull.take() else {
            unreachable!("both were there in the lines above")
        };
        cache.complete(now, image, *fetch);
        out.pulled(container.host, container.id, Pull::Done);
        self.places[container.host].deadlines.retain(|&(_, pulling)| pulling != row);
    }

    fn layer_arrives(&mut self, now: Timestamp, host: Row<Host>, out: &mut Effects) {
        let woken = self.places[host].cache.arrive(now);
        for &row in &woken {
            let pull = self.containers[row].pull.as_mut().expect("who waits for a layer pulls");
            pull.fetch.as_mut().expect("and knows its manifest").arrived();
        }
        for row in woken {
            self.proceed(now, row, out);
        }
        self.places[host].layer_due = None;
        while let Some(&(_, row)) = self.places[host].deadlines.first().filter(|(at, _)| *at <= now) {
            mark!("AG-12");
            self.abandon_pull(now, row, out);
        }
        self.await_layer(host, out);
    }

    /// Ends a pull that is under way as failed.
    fn abandon_pull(&mut self, now: Timestamp, row: Row<Container>, out: &mut Effects) {
        let container = &mut self.containers[row];
        let Some(pull) = container.pull.take() else { return };
        let (host, id) = (container.host, container.id);
        let cache = &mut self.places[host].cache;
        if let Some(fetch) = &pull.fetch {
            cache.abandon(now, fetch, row);
        }
        self.places[host].deadlines.retain(|&(_, pulling)| pulling != row);
        let cache = &self.places[host].cache;
        out.pulled(host, id, Pull::Failed { cached: cache.has(pull.image) });
        self.await_layer(host, out);
    }

    /// Arms the timer of the next layer anew if its time has changed; it is due no later than the first
    /// pull is given up.
    fn await_layer(&mut self, host: Row<Host>, out: &mut Effects) {
        let place = &self.places[host];
        let due = place.cache.ends_at().map(|at| place.deadlines.first().map_or(at, |first| at.min(first.0)));
        if due == self.places[host].layer_due {
            return;
        }
        let timer = self.next_timer();
        let place = &mut self.places[host];
        (place.layer_due, place.layer_timer) = (due, timer);
        if let Some(at) = due {
            out.push(at, HostEvent::Layer { host, timer });
        }
    }

    // Sandboxes.

    fn prepare(&mut self, now: Timestamp, host: Row<Host>, sandbox: SandboxId, out: &mut Effects) {
        let first = self.find(host, ContainerId { sandbox, index: 0 });
        let Some(row) = first.filter(|&row| self.containers[row].sandbox_timer == 0) else {
            out.told.push((host, RuntimeEvent::Prepared { sandbox, ok: false }));
            return;
        };
        let timer = self.next_timer();
        let container = &mut self.containers[row];
        container.sandbox_timer = timer;
        let wait = self.settings.sandbox.value(self.luck.draw(Purpose::Sandbox, container.key, 0));
        out.at(now, Span::from_nanos(wait), HostEvent::Sandbox { container: row, timer });
    }

    fn sandbox_is_there(&mut self, first: Row<Container>, out: &mut Effects) {
        let Container { host, id: ContainerId { sandbox, .. }, .. } = self.containers[first];
        self.containers[first].sandbox_timer = 0;
        for place in self.places[host].range(sandbox) {
            let (_, row) = self.places[host].containers[place];
            self.containers[row].prepared = true;
        }
        out.told.push((host, RuntimeEvent::Prepared { sandbox, ok: true }));
    }

    // Lives.

    fn start(&mut self, now: Timestamp, row: Row<Container>, image: Symbol, restart: u32, out: &mut Effects) {
        let timer = self.next_timer();
        let container = &mut self.containers[row];
        let idle = matches!(container.phase, Phase::Created | Phase::Exited(_));
        if !idle || !self.places[container.host].cache.has(image) {
            out.started(container.host, container.id, false);
            return;
        }
        container.phase = Phase::Starting { image, restart };
        container.phase_timer = timer;
        let draw = self.luck.draw(Purpose::ContainerStart, container.key, restart);
        let waits = if container.prepared {
            &self.settings.container_start_prepared
        } else {
            &self.settings.container_start
        };
        let wait = Span::from_nanos(waits.value(draw));
        let limit = self.settings.limits.create_and_start();
        if wait > limit {
            mark!("AG-12");
            container.phase = Phase::Stuck;
        }
        out.at(now, wait.min(limit), HostEvent::Phase { container: row, timer });
    }

    fn phase_ends(&mut self, now: Timestamp, row: Row<Container>, out: &mut Effects) {
        let container = &mut self.containers[row];
        let (host, id) = (container.host, container.id);
        match container.phase {
            Phase::Starting { image, restart } => {
                out.started(host, id, true);
                self.run(now, row, image, restart, out);
            }
            Phase::Stuck => {
                container.exit(Exit::NEVER_RAN);
                out.started(host, id, false);
            }
            Phase::Running { exit: Some((_, exit)), .. } => {
                container.exit(exit);
                out.exited(host, id, exit);
            }
            Phase::Stopping { exit: (_, exit), stops } => {
                container.exit(exit);
                (0..stops).for_each(|_| out.exited(host, id, exit));
            }
            Phase::Running { exit: None, .. } | Phase::Created | Phase::Exited(_) => {
                unreachable!("these wait for no timer")
            }
        }
    }

    fn run(&mut self, now: Timestamp, row: Row<Container>, image: Symbol, restart: u32, out: &mut Effects) {
        let timer = self.next_timer();
        let exit = self.own_exit(now, row, image, restart);
        if let Some((at, _)) = exit {
            out.push(at, HostEvent::Phase { container: row, timer });
        }
        let container = &mut self.containers[row];
        container.phase_timer = timer;
        container.phase = Phase::Running { image, restart, exit };
        if let Some(check) = container.check.as_ref().map(|check| check.about) {
            let app = self.wellness(now, row, image, restart);
            let first = match check.rhythm {
                Rhythm::AfterEach => self.settings.first_probe_after.unwrap_or(check.interval),
                Rhythm::Beat { first } => first,
            };
            self.await_probe(now, row, Watch::new(now, check, app, first), out);
        }
    }

    /// How a container that starts now ends if nobody stops it.
    fn own_exit(
        &self,
        now: Timestamp,
        row: Row<Container>,
        image: Symbol,
        n: u32,
    ) -> Option<(Timestamp, Exit)> {
        let container = &self.containers[row];
        let exit = container.known_end.or_else(|| {
            let behaviour = &self.registry.find(image)?.behaviour;
            let draw = |ending: &Option<Ending>, purpose| {
                let ending = ending.as_ref()?;
                let after = Span::from_nanos(ending.after.value(self.luck.draw(purpose, container.key, n)));
                Some(Exit { after, code: ending.code, out_of_memory: ending.out_of_memory })
            };
            let ends = draw(&behaviour.ends, Purpose::Life);
            let crashes = draw(&behaviour.crashes, Purpose::Crash);
            ends.into_iter().chain(crashes).min_by_key(|exit| exit.after)
        })?;
        Some((now.checked_add(exit.after)?, exit))
    }

    fn stop(&mut self, now: Timestamp, row: Row<Container>, grace: Span, out: &mut Effects) {
        self.abandon_pull(now, row, out);
        let container = &self.containers[row];
        let (host, id) = (container.host, container.id);
        match container.phase {
            Phase::Created => out.exited(host, id, Exit::NEVER_RAN),
            Phase::Exited(exit) => out.exited(host, id, exit),
            Phase::Starting { .. } | Phase::Stuck => {
                self.containers[row].exit(Exit::NEVER_RAN);
                out.started(host, id, false);
                out.exited(host, id, Exit::NEVER_RAN);
            }
            Phase::Running { image, restart, exit } => {
                let signalled = self.signalled_exit(container.key, image, restart, grace);
                self.end_by(now, row, exit, signalled, 1, out);
            }
            Phase::Stopping { exit, stops } => {
                let killed = Exit { after: grace, code: KILLED, out_of_memory: false };
                self.end_by(now, row, Some(exit), killed, stops + 1, out);
            }
        }
    }

    /// How a container ends that gets the stop signal now.
    fn signalled_exit(&self, key: EntityKey, image: Symbol, restart: u32, grace: Span) -> Exit {
        let killed = Exit { after: grace, code: KILLED, out_of_memory: false };
        let Some(image) = self.registry.find(image) else { return killed };
        if happens(image.behaviour.ignores_term, self.luck.draw(Purpose::IgnoresTerm, key, restart)) {
            return killed;
        }
        mark!("TK-10");
        let shutdown = image.behaviour.shutdown.value(self.luck.draw(Purpose::Shutdown, key, restart));
        let shutdown = Exit { after: Span::from_nanos(shutdown), code: TERMINATED, out_of_memory: false };
        if shutdown.after > grace { killed } else { shutdown }
    }

    /// Stops a container by `signalled`, unless the exit that it had before it comes no later.
    fn end_by(
        &mut self,
        now: Timestamp,
        row: Row<Container>,
        before: Option<(Timestamp, Exit)>,
        signalled: Exit,
        stops: u32,
        out: &mut Effects,
    ) {
        let timer = self.next_timer();
        let signalled = (now + signalled.after, signalled);
        let exit = before.filter(|before| before.0 <= signalled.0).unwrap_or(signalled);
        out.push(exit.0, HostEvent::Phase { container: row, timer });
        let container = &mut self.containers[row];
        container.phase_timer = timer;
        container.phase = Phase::Stopping { exit, stops };
        container.unwatch();
    }

    /// Forgets a sandbox; what its agent left running is killed, so that every command is answered.
    fn remove(&mut self, now: Timestamp, host: Row<Host>, sandbox: SandboxId, out: &mut Effects) {
        let range = self.places[host].range(sandbox);
        for place in range.clone() {
            let (_, row) = self.places[host].containers[place];
            self.abandon_pull(now, row, out);
            let container = self.containers.remove(row).expect("a sandbox lists containers that exist");
            let killed = Exit { after: Span::ZERO, code: KILLED, out_of_memory: false };
            if container.sandbox_timer != 0 {
                out.told.push((host, RuntimeEvent::Prepared { sandbox, ok: false }));
            }
            match container.phase {
                Phase::Created | Phase::Exited(_) => {}
                Phase::Starting { .. } | Phase::Stuck => out.started(host, container.id, false),
                Phase::Running { .. } => out.exited(host, container.id, killed),
                Phase::Stopping { stops, .. } => {
                    (0..stops).for_each(|_| out.exited(host, container.id, killed));
                }
            }
        }
        self.places[host].containers.drain(range);
    }

    // Health.

    fn wellness(&self, now: Timestamp, row: Row<Container>, image: Symbol, restart: u32) -> Wellness {
        let behaviour = &self.registry.find(image).expect("it was started from this image").behaviour;
        let key = self.containers[row].key;
        let after = |quantiles: &Quantiles, purpose| {
            now + Span::from_nanos(quantiles.value(self.luck.draw(purpose, key, restart)))
        };
        Wellness {
            well_from: after(&behaviour.start, Purpose::AppStart),
            sick_from: behaviour.sickens.as_ref().map_or(Timestamp::NEVER, |it| after(it, Purpose::Sicken)),
            passing: behaviour.passing_probe,
            failing: behaviour.failing_probe,
        }
    }

    /// Waits for the first probe that changes the verdict at or after `from`; or for every probe, if so set.
    fn await_probe(&mut self, from: Timestamp, row: Row<Container>, watch: Watch, out: &mut Effects) {
        let timer = self.next_timer();
        let turn =
            if self.settings.every_beat { Some((watch.probe_ends(), false)) } else { watch.next_turn(from) };
        let turns_to = turn.is_some_and(|turn| turn.1);
        let check = self.containers[row].check.as_mut().expect("what is probed has a check");
        check.watching = Some(Watching { watch, timer, turns_to });
        if let Some((at, _)) = turn {
            out.push(at, HostEvent::Probe { container: row, timer });
        }
    }

    fn probe_ends(&mut self, now: Timestamp, row: Row<Container>, watching: Watching, out: &mut Effects) {
        let Watching { mut watch, turns_to, .. } = watching;
        let verdict = if self.settings.every_beat { watch.step() } else { Some(turns_to) };
        if let Some(healthy) = verdict {
            let Container { host, id: container, .. } = self.containers[row];
            out.told.push((host, RuntimeEvent::Health { container, healthy }));
        }
        self.await_probe(now + Span::from_nanos(1), row, watch, out);
    }
}

impl Host {
    /// Where the containers of a sandbox are, or would be.
    fn range(&self, sandbox: SandboxId) -> Range<usize> {
        // Sandboxes are mostly counted up: a new one comes behind the last, found without a search.
        if self.containers.last().is_none_or(|(last, _)| last.sandbox < sandbox) {
            return self.containers.len()..self.containers.len();
        }
        let start = self.containers.partition_point(|(id, _)| id.sandbox < sandbox);
        let count = self.containers[start..].partition_point(|(id, _)| id.sandbox == sandbox);
        start..start + count
    }
}

impl Container {
    fn exit(&mut self, exit: Exit) {
        self.phase = Phase::Exited(exit);
        self.phase_timer = 0;
        self.unwatch();
    }

    fn unwatch(&mut self) {
        if let Some(check) = &mut self.check {
            check.watching = None;
        }
    }
}

impl Exit {
    const NEVER_RAN: Exit = Exit { after: Span::ZERO, code: TERMINATED, out_of_memory: false };
}

impl Life {
    fn end_of(self, index: u8) -> Option<Exit> {
        match self {
            Life::Ends { container, after, code, out_of_memory } if container == index => {
                Some(Exit { after, code, out_of_memory })
            }
            Life::Ends { .. } | Life::AsImages => None,
        }
    }
}

impl Effects {
    fn at(&mut self, now: Timestamp, wait: Span, event: HostEvent) {
        self.push(now + wait, event);
    }

    fn push(&mut self, at: Timestamp, event: HostEvent) {
        if at < Timestamp::NEVER {
            self.later.push((at, event));
        }
    }

    fn pulled(&mut self, host: Row<Host>, container: ContainerId, result: Pull) {
        self.told.push((host, RuntimeEvent::Pulled { container, result }));
    }

    fn started(&mut self, host: Row<Host>, container: ContainerId, ok: bool) {
        self.told.push((host, RuntimeEvent::Started { container, ok }));
    }

    fn exited(&mut self, host: Row<Host>, container: ContainerId, exit: Exit) {
        let Exit { code, out_of_memory, .. } = exit;
        self.told.push((host, RuntimeEvent::Exited { container, code, out_of_memory }));
    }
}

#[cfg(test)]
mod tests;
