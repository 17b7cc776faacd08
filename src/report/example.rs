//! Sheets for tests: one that looks like a result, and one that is as hostile as names get.

use crate::base::money::{HOUR_NS, MONTH_NS};
use crate::base::{Bytes, Cpu, Money, Price, Span, Timestamp, Unit, Usage};
use crate::catalog::Basis;
use crate::measure::Estimate;
use crate::measure::sheet::{
    ChargeLine, EventLine, MeasureColumn, NodeLine, PlatformSheet, Replication, SERIES, SeriesColumn,
    SeriesSheet, SettingLine, Sheet, TaskLine, WaitingLine, WorkloadLine,
};

/// 2026-03-02T00:00:00Z.
const START: Timestamp = Timestamp::from_nanos(1_772_409_600_000_000_000);

const fn column(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    decimals: usize,
) -> MeasureColumn {
    MeasureColumn {
        name,
        label,
        unit,
        decimals,
        about: "What the measure of this test means, in a sentence.",
    }
}

const COLUMNS: [MeasureColumn; 18] = [
    column("cost_usd", "cost", "USD", 2),
    column("cost_compute_usd", "  compute", "USD", 2),
    column("cost_memory_usd", "  memory", "USD", 2),
    column("cost_storage_usd", "  storage", "USD", 2),
    column("place_p50_s", "time to place, p50", "s", 2),
    column("place_p99_s", "time to place, p99", "s", 2),
    column("start_p50_s", "time to start, p50", "s", 2),
    column("start_p99_s", "time to start, p99", "s", 2),
    column("start_max_s", "time to start, max", "s", 2),
    column("ready_p50_s", "time to ready, p50", "s", 2),
    column("ready_p99_s", "time to ready, p99", "s", 2),
    column("cpu_allocated_pct", "CPU allocated", "%", 1),
    column("memory_allocated_pct", "memory allocated", "%", 1),
    column("cpu_stranded_pct", "free CPU stranded", "%", 1),
    column("instances_peak", "instances, peak", "", 0),
    column("running_peak", "tasks running, peak", "", 0),
    column("tasks_started", "tasks started", "", 0),
    column("tasks_failed", "tasks failed", "", 0),
];

/// Means of the columns on both platforms; below zero is not applicable.
const EC2: [f64; 18] = [
    812.3, 770.1, -1.0, 42.2, 0.0, 71.42, 18.21, 96.4, 141.0, 20.4, 99.1, 71.2, 64.8, 12.5, 14.0, 61.0,
    4218.0, 12.4,
];
const FARGATE: [f64; 18] = [
    1270.12, 1013.4, 256.72, 0.0, 0.4, 1.13, 31.05, 61.7, 88.2, 33.4, 64.0, 100.0, 100.0, -1.0, -1.0, 60.0,
    4231.0, 11.2,
];

/// A comparison as a manager would get it.
pub(super) fn sheet() -> Sheet {
    Sheet {
        scenario: "Checkout, two ways".to_owned(),
        about: "One shop on instances and on Fargate, one bad Wednesday.".to_owned(),
        region: "us-east-1".to_owned(),
        start: START,
        run_for: Span::HOUR * 168,
        replications: 10,
        first_seed: 1,
        version: "0.1.0".to_owned(),
        columns: COLUMNS.to_vec(),
        platforms: vec![ec2(), fargate()],
        settings: vec![
            setting("ec2.run_instances.api_latency", "lognormal, median 1.2 s, 0.3 to 10 s", "estimated"),
            SettingLine { set: true, ..setting("fargate.straggler_prob", "0%", "set") },
        ],
        not_billed: [
            "load balancers",
            "NAT gateways and data transfer",
            "support plans, taxes, and every discount",
        ]
        .map(str::to_owned)
        .to_vec(),
        notes: vec![
            "Service web: placement strategy spread(zone) is kept; the health check grace period is 60 s."
                .to_owned(),
        ],
        warnings: vec![
            "Task definition shop-web: dockerLabels are not modelled and have no effect.".to_owned(),
        ],
    }
}

/// The same with one seed.
pub(super) fn single() -> Sheet {
    let mut sheet = sheet();
    sheet.replications = 1;
    for platform in &mut sheet.platforms {
        platform.replications.truncate(1);
        for estimate in platform.measures.iter_mut().flatten() {
            (estimate.n, estimate.half_width) = (1, None);
        }
        platform.workloads.clear();
    }
    sheet
}

/// The same with one platform.
pub(super) fn alone() -> Sheet {
    let mut sheet = sheet();
    sheet.platforms.truncate(1);
    sheet
}

/// A Kubernetes cluster: pods that run, wait, made room, and events about them.
pub(super) fn pods() -> Sheet {
    let mut sheet = alone();
    sheet.scenario = "Pods that wait".to_owned();
    sheet.columns.insert(4, column("cost_control_plane_usd", "  control plane", "USD", 2));
    sheet.columns.extend([
        column("tasks_refused", "tasks refused", "", 0),
        column("pending_end", "pods pending at the end", "", 0),
        column("preempted", "pods preempted", "", 0),
    ]);
    let platform = &mut sheet.platforms[0];
    (platform.name, platform.about) = ("eks".to_owned(), "Amazon EKS on two nodes".to_owned());
    platform.kubernetes = true;
    let figure = |mean| Some(Estimate { n: 10, mean, half_width: Some(0.5) });
    platform.measures.insert(4, figure(16.8));
    platform.measures.extend([None, figure(2.0), figure(1.0)]);
    platform.series.push(SeriesSheet::named("pending", vec![0, 2, 2]).expect("a series"));
    let hourly = Price::per_hour(1_000_000_000, Unit::ClusterNs);
    let plane = "EKS cluster, standard support";
    platform.bill.push(charge("control plane", "cluster", plane, hourly, 168 * HOUR_NS, Basis::Listed));
    for line in &mut platform.workloads {
        (line.refused, line.pending, line.preempted) = (None, figure(2.0), figure(1.0));
    }
    let short = "0/2 nodes are available: 2 Insufficient cpu.";
    let pod = |name: &str, after| TaskLine { launch_type: "", ..task(name, after) };
    let never = |name: &str, after| TaskLine {
        node: "".into(),
        zone: "".into(),
        placed: Timestamp::NEVER,
        pull_started: Timestamp::NEVER,
        pull_stopped: Timestamp::NEVER,
        started: Timestamp::NEVER,
        ready: Timestamp::NEVER,
        why: short.into(),
        ..pod(name, after)
    };
    let at = |seconds| START + Span::seconds(seconds);
    platform.tasks = vec![
        TaskLine { stopping: at(500), stopped: at(505), stop_code: "Preempted", ..pod("web-0", 10) },
        pod("web-1", 480),
        never("web-2", 600),
        never("web-3", 600),
        TaskLine { stopping: at(720), stopped: at(720), stop_code: "Deleted", ..never("web-4", 660) },
    ];
    let line = |reason: &str, at_end, most| WaitingLine { reason: reason.to_owned(), at_end, most };
    platform.waiting = vec![
        line("Insufficient cpu", 2, 3),
        line("Insufficient cpu, node(s) had untolerated taint(s)", 0, 1),
    ];
    let event = |seconds, of: &str, reason: &str, kind, message: &str, count| EventLine {
        of: of.to_owned(),
        reason: reason.to_owned(),
        kind,
        count,
        last: at(seconds + 60 * (u64::from(count) - 1)),
        ..EventLine::of_service(at(seconds), "web", message.to_owned())
    };
    let assigned = "Successfully assigned default/web-0 to general-1";
    let preempted = "Preempted by pod 0b8f4f7e-1d1c-4d0e-9d6e-000000000001 on node general-1";
    platform.events = vec![
        event(10, "web-0", "Scheduled", "Normal", assigned, 1),
        event(500, "web-0", "Preempted", "Normal", preempted, 1),
        event(600, "web-2", "FailedScheduling", "Warning", short, 5),
    ];
    sheet
}

/// A result of nothing at all.
pub(super) fn empty() -> Sheet {
    let mut sheet = alone();
    sheet.platforms = vec![PlatformSheet { name: "ecs".to_owned(), ..PlatformSheet::default() }];
    sheet.platforms[0].measures = vec![None; COLUMNS.len()];
    sheet
}

/// Every text is an attack, every number is odd.
pub(super) fn hostile() -> Sheet {
    const EVIL: &str =
        "=</title></svg><script>alert(\"1\")</script>{{ 7*7 }}&'\u{1b}[2J\u{202e}\u{0}../..\r\n,\"";
    let evil = || EVIL.to_owned();
    let mut sheet = sheet();
    (sheet.scenario, sheet.about, sheet.region, sheet.version) = (evil(), evil(), evil(), evil());
    (sheet.not_billed, sheet.notes, sheet.warnings) = (vec![evil()], vec![evil()], vec![evil()]);
    for platform in &mut sheet.platforms {
        (platform.name, platform.about, platform.decision_digest) = (evil(), evil(), evil());
        platform.digests = vec![(evil(), evil())];
        platform.measures = odd().iter().cycle().take(COLUMNS.len()).copied().collect();
        for replication in &mut platform.replications {
            replication.values = vec![Some(f64::NAN), Some(f64::INFINITY), None];
        }
        for line in &mut platform.bill {
            (line.component, line.of, line.what, line.source) = (evil(), evil(), evil(), evil());
        }
        for line in &mut platform.workloads {
            (line.name, line.started, line.failed) = (evil(), odd()[0], odd()[1]);
        }
        let waits = WaitingLine { reason: evil(), at_end: u64::MAX, most: u64::MAX };
        (platform.waiting, platform.kubernetes) = (vec![waits], platform.name.len() % 2 == 0);
        for task in &mut platform.tasks {
            (task.name, task.workload, task.stop_reason) = (evil(), evil().into(), evil().into());
            (task.arrived, task.placed) = (task.placed, task.arrived);
        }
        for event in &mut platform.events {
            (event.of, event.message) = (evil(), evil());
        }
        platform.series_period = Span::from_nanos(u64::MAX);
        platform.series[0].points = vec![i64::MIN, i64::MAX, 0];
        platform.start_distribution = vec![(Span::ZERO, 5000), (Span::from_nanos(u64::MAX), 10_000)];
    }
    sheet
}

fn odd() -> [Option<Estimate>; 3] {
    let of = |mean, half_width| Some(Estimate { n: 3, mean, half_width });
    [of(f64::NAN, Some(1.0)), of(1e300, Some(f64::INFINITY)), of(f64::NEG_INFINITY, None)]
}

fn ec2() -> PlatformSheet {
    let mut platform = platform("ecs-ec2", "Amazon ECS on m7i.xlarge instances", &EC2);
    let hour = Price::per_hour(2_016_000_000, Unit::InstanceNs);
    let month = Price::new(800_000_000, (1 << 30) * MONTH_NS, Unit::ByteNs);
    platform.bill = vec![
        charge("compute", "general", "m7i.xlarge", hour, 3820 * HOUR_NS, Basis::Listed),
        charge("storage", "general", "root volume gp3", month, (30 << 30) * 3820 * HOUR_NS, Basis::Estimated),
        charge(
            "public IPv4",
            "general",
            "public IPv4",
            Price::per_hour(50_000_000, Unit::AddressNs),
            0,
            Basis::Listed,
        ),
    ];
    platform.series =
        on_ecs().map(|column| SeriesSheet { column: *column, points: wave(column.name) }).collect();
    platform.nodes = vec![NodeLine {
        name: "general/1".to_owned(),
        pool: "general".to_owned(),
        instance_type: "m7i.xlarge".to_owned(),
        zone: "us-east-1a".to_owned(),
        cpu: Cpu::vcpus(4),
        memory: Bytes::mib(15_400),
        requested: START,
        running: START + Span::millis(31_250),
        registered: START + Span::seconds(48),
        terminated: Timestamp::NEVER,
    }];
    platform.start_distribution = distribution(&[4, 9, 14, 18, 19, 22, 30, 55, 96, 141]);
    platform
}

fn fargate() -> PlatformSheet {
    let mut platform = platform("ecs-fargate", "Amazon ECS on Fargate", &FARGATE);
    let cpu = Price::per_hour(404_800_000, Unit::CpuNs);
    let memory = Price::per_hour(44_450_000, Unit::ByteNs);
    platform.bill = vec![
        charge("compute", "web", "Fargate Linux x86 vCPU", cpu, 25_034 * 128_000 * HOUR_NS, Basis::Listed),
        charge(
            "memory",
            "web",
            "Fargate Linux x86 memory",
            memory,
            57_754 * (1 << 30) * HOUR_NS,
            Basis::Assumed,
        ),
    ];
    platform.series = on_ecs()
        .filter(|column| !column.name.contains("stranded") && column.name != "instances")
        .map(|column| SeriesSheet {
            column: *column,
            points: wave(&column.name.replace("capacity", "reserved")),
        })
        .collect();
    platform.start_distribution = distribution(&[21, 26, 29, 31, 32, 34, 39, 47, 61, 88]);
    platform
}

/// The series of tasks.
fn on_ecs() -> impl Iterator<Item = &'static SeriesColumn> {
    SERIES.iter().filter(|column| column.name != "pending")
}

/// What both platforms have alike.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures of a test")]
fn platform(name: &str, about: &str, means: &[f64; 18]) -> PlatformSheet {
    let estimate = |mean: f64| Estimate { n: 10, mean, half_width: Some(mean / 64.0) };
    let value = |mean: &f64, seed: u64| (*mean >= 0.0).then(|| mean * (1.0 + (seed as f64 - 5.5) / 256.0));
    let seconds = |seconds: f64| Some(estimate(seconds));
    PlatformSheet {
        name: name.to_owned(),
        about: about.to_owned(),
        measures: means.iter().map(|&mean| (mean >= 0.0).then(|| estimate(mean))).collect(),
        replications: (1..=10)
            .map(|seed| Replication {
                seed,
                values: means.iter().map(|mean| value(mean, seed)).collect(),
                digest: format!("{seed:032x}"),
            })
            .collect(),
        series_period: Span::minutes(10),
        workloads: ["web", "worker", "report"]
            .map(|name| WorkloadLine {
                name: name.to_owned(),
                started: seconds(1406.0),
                failed: seconds(4.0),
                refused: seconds(0.0),
                pending: None,
                preempted: None,
                start_p50_s: seconds(means[6]),
                start_p90_s: seconds(means[6] * 1.5),
                start_p99_s: seconds(means[7]),
                start_max_s: (name != "report").then(|| estimate(means[8])),
            })
            .to_vec(),
        tasks: vec![task("web/1", 0), task("web/2", 3600)],
        events: vec![EventLine::of_service(
            START + Span::seconds(9),
            "web",
            "(service web) has started 3 tasks: (task 1) (task 2) (task 3).".to_owned(),
        )],
        decision_digest: "5f0c1d2e3b4a59687786958493a2b1c0".to_owned(),
        digests: vec![
            ("placements".to_owned(), "00112233445566778899aabbccddeeff".to_owned()),
            ("machines".to_owned(), "ffeeddccbbaa99887766554433221100".to_owned()),
        ],
        events_count: 1_284_411,
        ..PlatformSheet::default()
    }
}

fn setting(name: &str, value: &str, basis: &str) -> SettingLine {
    SettingLine { name: name.to_owned(), value: value.to_owned(), basis: basis.to_owned(), set: false }
}

fn charge(component: &str, of: &str, what: &str, rate: Price, amount: u128, basis: Basis) -> ChargeLine {
    let usage = Usage { amount, unit: rate.unit() };
    ChargeLine {
        component: component.to_owned(),
        of: of.to_owned(),
        what: what.to_owned(),
        usage,
        rate,
        basis,
        source: if basis == Basis::Assumed { String::new() } else { "AWS price list".to_owned() },
        as_of: if basis == Basis::Assumed { String::new() } else { "2026-08-21".to_owned() },
        amount: if amount == 0 { Money::ZERO } else { rate.line(usage) },
    }
}

fn task(name: &str, after: u64) -> TaskLine {
    let arrived = START + Span::seconds(after);
    TaskLine {
        name: name.to_owned(),
        workload: "web".into(),
        launch_type: "EC2",
        node: "general/1".into(),
        zone: "us-east-1a".into(),
        cpu: Cpu::millicores(500),
        memory: Bytes::mib(1024),
        arrived,
        placed: arrived + Span::millis(400),
        pull_started: arrived + Span::seconds(3),
        pull_stopped: arrived + Span::seconds(11),
        started: arrived + Span::millis(18_210),
        ready: arrived + Span::seconds(20),
        stopping: Timestamp::NEVER,
        stopped: Timestamp::NEVER,
        stop_code: "",
        stop_reason: "".into(),
        why: "".into(),
    }
}

fn distribution(seconds: &[u64]) -> Vec<(Span, u32)> {
    let spans = seconds.iter().map(|&seconds| Span::millis(seconds * 1000 + 130));
    spans.zip([100, 600, 2000, 4500, 6000, 7800, 9000, 9600, 9900, 10_000]).collect()
}

/// A week of days and nights on a ten-minute grid, with a dip on Wednesday.
fn wave(name: &str) -> Vec<i64> {
    let of = |at: i64| -> i64 {
        let minute = at * 10 % 1440;
        let day = (720 - (minute - 840).abs()).max(0) * 44 / 720 + 12 + at * 7 % 5;
        let running = if (346..360).contains(&at) { day * 2 / 3 } else { day };
        let instances = day / 4 + 3;
        match name {
            "cpu_capacity_vcpu" => instances * 4 * 128_000,
            "cpu_reserved_vcpu" => day * 64_000,
            "cpu_stranded_vcpu" => instances * 16_000,
            "memory_capacity_gib" => instances * 15 * 1024,
            "memory_reserved_gib" => day * 1024,
            "memory_stranded_gib" => instances * 512,
            "instances" => instances,
            "tasks" => day,
            _ => running,
        }
    };
    (0..=1008).map(of).collect()
}
