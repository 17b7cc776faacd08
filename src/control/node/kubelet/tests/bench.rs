//! The language in which one kubelet is driven against a scripted host.
//!
//! A pod: `web c300 p80 g10 never: copy! log* app/ready`: 300m CPU, host port 80, ten seconds to stop,
//! restart policy Never, an init container, a sidecar, and a main container with a readiness probe. A
//! script: `run web` binds the pod (the first is 0), `delete 0 30` deletes it, `pulled app0`,
//! `exit app0 1` and the like come from the host about a container of pod 0, and `+30s` lets time pass.
//! Each action prints what followed, with the time where it is not that of the action: commands
//! `pull:app0 stop:app0/30s`, reports `0:running`. Settings: `auto` has the host answer everything at
//! once, `life=1s` has containers exit with 1 after so long, `only=start` prints nothing else, `events`
//! prints events as `app0~Pulling`, `late` draws the longest jitter.

use serde_json::{Map, Value, json};

use super::super::*;
use crate::base::runtime::{ContainerId, Pull};
use crate::base::turn::Nobody;
use crate::control::kubernetes::api::{Object, PriorityClasses, Reading, Stage as ApiStage};
use crate::control::node::script::{self, Always, number, numbered, span};

/// One kubelet, its specs, and what was printed since the last action.
pub(super) struct Bench {
    specs: Specs,
    kubelet: Kubelet,
    start: Timestamp,
    now: Timestamp,
    names: Vec<String>,
    known: Vec<(String, Row<PodSpec>)>,
    pods: Vec<Row<PodSpec>>,
    printed: Vec<String>,
    options: Options,
    /// What the host will say by itself.
    later: Vec<(Timestamp, RuntimeEvent)>,
}

#[derive(Default)]
struct Options {
    auto: bool,
    life: Option<Span>,
    only: Option<String>,
    events: bool,
    draw: u64,
}

/// Runs a script and compares what was printed, action by action.
#[track_caller]
pub(super) fn check(marks: &[&str], settings: &str, pods: &[&str], script: &str, expected: &str) {
    script::check(marks, pods, script, expected, || Bench::new(settings, pods), Bench::act);
}

impl Bench {
    pub(super) fn new(settings: &str, pods: &[&str]) -> Self {
        let mut specs = Specs::default();
        let (mut own, mut options, mut baked) = (KubeletSettings::default(), Options::default(), Vec::new());
        for word in settings.split_whitespace() {
            match word.split_once('=').unwrap_or((word, "")) {
                ("auto", _) => options.auto = true,
                ("life", after) => options.life = Some(span(after)),
                ("only", what) => options.only = Some(what.to_owned()),
                ("events", _) => options.events = true,
                ("late", _) => options.draw = u64::MAX,
                ("serial", _) => own.parallel_pulls = 1,
                ("burst", burst) => own.pull_burst = number(burst),
                ("relist", period) => own.relist = span(period),
                ("tick", period) => own.tick = span(period),
                ("baked", image) => baked.push(specs.symbols.intern(image)),
                other => panic!("no such setting: {other:?}"),
            }
        }
        let node = json!({"kind": "Node", "metadata": {"name": "n", "labels": {"zone": "a"}},
            "spec": {"taints": [{"key": "old", "effect": "NoSchedule"}]},
            "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "3", "x.y/gpu": "2"}}});
        let Object::Node(node) = read(&mut specs, "Node", &node) else { panic!("a node") };
        let known = pods.iter().map(|text| {
            let (name, spec) = pod(text);
            let Object::Pod(pod) = read(&mut specs, "Pod", &spec) else { panic!("a pod") };
            (name, pod.spec)
        });
        let known: Vec<_> = known.collect();
        let start = Timestamp::from_nanos(1_000_000_000);
        let about = KubeletNode { name: node.name, spec: node.spec, baked_images: &baked };
        Bench {
            kubelet: Kubelet::new(start, own, about),
            specs,
            start,
            now: start,
            names: Vec::new(),
            known,
            pods: Vec::new(),
            printed: Vec::new(),
            options,
            later: Vec::new(),
        }
    }

    pub(super) fn act(&mut self, action: &str) -> String {
        let words: Vec<&str> = action.split_whitespace().collect();
        match words[0] {
            pause if pause.starts_with('+') => self.pass(span(&pause[1..])),
            "run" => {
                let (_, spec) =
                    self.known.iter().find(|(name, _)| name == words[1]).expect("a pod of the row");
                let (number, spec) = (u32::try_from(self.pods.len()).unwrap(), *spec);
                self.pods.push(spec);
                self.names.push(words[1].to_owned());
                let key = EntityKey::new("pod", words[1], u64::from(number));
                self.tell(KubeletChange::Pod { pod: SandboxId(number), key, spec });
            }
            "again" => {
                let (pod, spec) = (SandboxId(number(words[1])), self.pods[0]);
                self.tell(KubeletChange::Pod { pod, key: EntityKey::new("pod", "again", 0), spec });
            }
            "taint" => {
                let node = json!({"kind": "Node", "metadata": {"name": "n"},
                    "spec": {"taints": [{"key": "gone", "effect": "NoExecute"}]},
                    "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "3"}}});
                let Object::Node(node) = read(&mut self.specs, "Node", &node) else { panic!("a node") };
                self.tell(KubeletChange::Node(node.spec));
            }
            "delete" => {
                let (pod, grace) = (SandboxId(number(words[1])), Span::seconds(number(words[2])));
                self.tell(KubeletChange::Delete { pod, grace });
            }
            _ => {
                let event = self.event(&words);
                self.tell(KubeletChange::Runtime(event));
            }
        }
        std::mem::take(&mut self.printed).join(" ")
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.kubelet.wake_at()
    }

    /// Every sum over pods, counted anew, is what the kubelet holds.
    fn recount(&self) {
        let mut book = Book::default();
        let active = self.kubelet.pods.iter().filter(|(_, pod)| pod.stage != Stage::Ended);
        active.for_each(|(_, pod)| book.admit(&self.specs[pod.spec]));
        assert_eq!(format!("{:?}", sorted(&book)), format!("{:?}", sorted(&self.kubelet.book)));
    }

    fn event(&self, words: &[&str]) -> RuntimeEvent {
        let sandbox = || SandboxId(number(words[1]));
        match words[0] {
            "prepared" => RuntimeEvent::Prepared { sandbox: sandbox(), ok: true },
            "unprepared" => RuntimeEvent::Prepared { sandbox: sandbox(), ok: false },
            _ => script::event(self.container(words[1]), words),
        }
    }

    fn tell(&mut self, change: KubeletChange) {
        self.kubelet.observe(self.now, change);
        self.drain("");
    }

    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            let own = self.later.iter().map(|(at, _)| *at).min();
            let next = self.kubelet.wake_at().into_iter().chain(own).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            assert!(at >= self.now, "no wake in the past");
            self.now = at;
            while let Some(place) = self.later.iter().position(|(due, _)| *due == at) {
                let (_, event) = self.later.remove(place);
                self.kubelet.observe(at, KubeletChange::Runtime(event));
            }
            let stamp = format!("@{}", at.since(self.start));
            self.drain(&stamp);
        }
        self.now = end;
    }

    fn drain(&mut self, stamp: &str) {
        let mut stamp = Some(stamp.to_string()).filter(|stamp| !stamp.is_empty());
        for units in 0.. {
            assert!(units < 1000, "units of one instant come to an end");
            if self.kubelet.wake_at().is_none_or(|at| at > self.now) {
                break;
            }
            let mut draw = Always(self.options.draw);
            let mut turn = Turn { now: self.now, draw: &mut draw, why: &mut Nobody };
            let mut out = Vec::new();
            self.kubelet.reconcile(&mut turn, KubeletView { specs: &self.specs }, &mut out);
            self.recount();
            for (_, command) in out {
                if self.options.auto {
                    self.answer(command);
                }
                let word = self.print(command).filter(|word| {
                    let only = self.options.only.as_ref();
                    only.is_none_or(|only| word.starts_with(only.as_str()))
                });
                if let Some(word) = word {
                    self.printed.extend(stamp.take());
                    self.printed.push(word);
                }
            }
        }
    }

    /// What a host says at once that takes no time for anything.
    fn answer(&mut self, command: KubeletCommand) {
        let KubeletCommand::Runtime(command) = command else { return };
        let answer = match command {
            RuntimeCommand::Prepare { sandbox } => RuntimeEvent::Prepared { sandbox, ok: true },
            RuntimeCommand::Pull { container, .. } => RuntimeEvent::Pulled { container, result: Pull::Done },
            RuntimeCommand::Start { container, .. } => {
                if let Some(life) = self.options.life {
                    let exit = RuntimeEvent::Exited { container, code: 1, out_of_memory: false };
                    self.later.push((self.now + life, exit));
                }
                RuntimeEvent::Started { container, ok: true }
            }
            RuntimeCommand::Stop { container, .. } => {
                RuntimeEvent::Exited { container, code: 143, out_of_memory: false }
            }
            RuntimeCommand::Remove { .. } | RuntimeCommand::RemoveImage { .. } => return,
        };
        self.kubelet.observe(self.now, KubeletChange::Runtime(answer));
    }

    /// `app0` is container `app` of pod 0.
    fn container(&self, text: &str) -> ContainerId {
        let (name, pod) = numbered(text);
        let sandbox = SandboxId(pod);
        let name = self.specs.symbols.find(name);
        let spec = &self.specs[self.pods[sandbox.0 as usize]];
        let index = spec.containers.iter().position(|about| Some(about.name) == name);
        ContainerId { sandbox, index: u8::try_from(index.expect("a container of the pod")).unwrap() }
    }

    fn print(&self, command: KubeletCommand) -> Option<String> {
        let text = |symbol| self.specs.symbols.text(symbol);
        let spec = |pod: SandboxId| &self.specs[self.pods[pod.0 as usize]];
        let about = |at: ContainerId| &spec(at.sandbox).containers[usize::from(at.index)];
        let name = |at: ContainerId| format!("{}{}", text(about(at).name), at.sandbox.0);
        let nth = |n: u32| if n == 0 { String::new() } else { format!("/{n}") };
        Some(match command {
            KubeletCommand::Runtime(RuntimeCommand::Prepare { sandbox }) => format!("prepare:{}", sandbox.0),
            KubeletCommand::Runtime(RuntimeCommand::Pull { container, image, attempt }) => {
                assert_eq!(image, about(container).image);
                format!("pull:{}{}", name(container), nth(attempt))
            }
            KubeletCommand::Runtime(RuntimeCommand::Start { container, image, restart }) => {
                assert_eq!(image, about(container).image);
                format!("start:{}{}", name(container), nth(restart))
            }
            KubeletCommand::Runtime(RuntimeCommand::Stop { container, grace }) => {
                format!("stop:{}/{grace}", name(container))
            }
            KubeletCommand::Runtime(RuntimeCommand::Remove { sandbox }) => format!("remove:{}", sandbox.0),
            KubeletCommand::Runtime(RuntimeCommand::RemoveImage { .. }) => panic!("it deletes no images"),
            KubeletCommand::Report(PodReport { pod, what }) => {
                let name = |index: u8| text(spec(pod).containers[usize::from(index)].name);
                format!("{}:{}", pod.0, self.print_report(what, name))
            }
            KubeletCommand::Event { pod, container, what } => {
                if !self.options.events {
                    return None;
                }
                let kind = if what.is_warning() { '!' } else { '~' };
                let container = container.map_or("", text);
                format!("{container}{}{kind}{}", pod.0, what.reason(&self.specs.symbols))
            }
        })
    }

    fn print_report<'a>(&'a self, what: Reported, name: impl Fn(u8) -> &'a str) -> String {
        match what {
            Reported::Rejected(rejection) => format!("rejected={}", rejection.reason(&self.specs.symbols)),
            Reported::PullStarted => "pulling".into(),
            Reported::PullStopped => "pulled".into(),
            Reported::Running => "running".into(),
            Reported::Ready(ready) => if ready { "ready" } else { "unready" }.into(),
            Reported::Stopping => "stopping".into(),
            Reported::Ended { succeeded, reason } => {
                let word = if succeeded { "succeeded" } else { "failed" };
                match reason {
                    EndReason::Completed => word.to_owned(),
                    EndReason::Error { container, code } => format!("{word}={}-exit-{code}", name(container)),
                    EndReason::OutOfMemory { container } => format!("{word}={}-oom", name(container)),
                    EndReason::Deleted => format!("{word}=deleted"),
                }
            }
            Reported::Removed => "removed".into(),
        }
    }
}

fn sorted(book: &Book) -> Book {
    let mut book = book.clone();
    book.sort_ports();
    book
}

pub(super) fn read(specs: &mut Specs, kind: &str, document: &Value) -> Object {
    let mut reading = Reading { specs, classes: &PriorityClasses::default() };
    reading.read(kind, document, ApiStage::Create).unwrap_or_else(|error| panic!("{error}: {document}"))
}

/// `web c300 p80 g10 never: copy! log* app/ready`.
pub(super) fn pod(text: &str) -> (String, Value) {
    let (head, body) = text.split_once(':').expect("a colon after the head");
    let mut head = head.split_whitespace();
    let name = head.next().expect("a name");
    let (mut spec, mut requests, mut ports) = (Map::new(), Map::new(), Vec::new());
    for word in head {
        match (word, word.split_at(1)) {
            ("never", _) => drop(spec.insert("restartPolicy".into(), "Never".into())),
            ("onfailure", _) => drop(spec.insert("restartPolicy".into(), "OnFailure".into())),
            ("elsewhere", _) => drop(spec.insert("nodeSelector".into(), json!({"zone": "b"}))),
            (_, ("c", milli)) => drop(requests.insert("cpu".into(), format!("{milli}m").into())),
            (_, ("m", mib)) => drop(requests.insert("memory".into(), format!("{mib}Mi").into())),
            (_, ("x", count)) => drop(requests.insert("x.y/gpu".into(), count.into())),
            (_, ("z", count)) => drop(requests.insert("x.y/tpu".into(), count.into())),
            (_, ("p", port)) => ports.push(json!({"hostPort": number::<i32>(port), "containerPort": 1})),
            (_, ("g", grace)) => {
                drop(spec.insert("terminationGracePeriodSeconds".into(), number::<i64>(grace).into()));
            }
            (other, _) => panic!("no such word: {other}"),
        }
    }
    let (mut inits, mut mains) = (Vec::new(), Vec::new());
    for word in body.split_whitespace() {
        let (name, options) = word.split_once('/').unwrap_or((word, ""));
        let plain = name.trim_end_matches(['!', '*']);
        let mut container = container(plain, options);
        if name.ends_with('*') {
            container["restartPolicy"] = "Always".into();
        }
        if plain == name { mains.push(container) } else { inits.push(container) }
    }
    mains[0]["resources"] = json!({"requests": requests, "limits": {}});
    mains[0]["ports"] = ports.into();
    spec.insert("initContainers".into(), inits.into());
    spec.insert("containers".into(), mains.into());
    (name.to_owned(), json!({"kind": "Pod", "metadata": {"name": name}, "spec": spec}))
}

fn container(name: &str, options: &str) -> Value {
    let mut container = json!({"name": name, "image": format!("{name}:1")});
    for option in options.split('/').filter(|option| !option.is_empty()) {
        match option.split_once('=').unwrap_or((option, "")) {
            ("ready", _) => container["readinessProbe"] = json!({"httpGet": {"port": 80}}),
            ("image", image) => container["image"] = image.into(),
            ("pull", policy) => container["imagePullPolicy"] = policy.into(),
            ("restart", policy) => container["restartPolicy"] = policy.into(),
            other => panic!("no such option: {other:?}"),
        }
    }
    container
}
