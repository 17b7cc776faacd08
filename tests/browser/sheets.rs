//! Sheets that no scenario of the repository gives: too large to show each task, hostile, empty.

use windtunnel::base::{Bytes, Cpu, Span, Timestamp};
use windtunnel::measure::sheet::{EventLine, NodeLine, PlatformSheet, SeriesSheet, Sheet, TaskLine};

const START: Timestamp = Timestamp::from_nanos(1_772_409_600_000_000_000);

/// 60,000 tasks on 1,200 machines and on Fargate: summed up.
pub(crate) fn summed() -> Sheet {
    let run_for = Span::HOUR * 24;
    let gap = run_for.as_nanos() / 60_000;
    let tasks = (0..60_000_u64).map(|nth| {
        let node = if nth % 3 == 0 { String::new() } else { format!("fleet-{}", nth % 1_200) };
        let arrived = START + Span::from_nanos(gap * nth);
        task(&format!("job-{}", nth * nth % 23), nth, node, arrived)
    });
    let nodes = (0..1_200).map(|nth| node("fleet", nth)).collect();
    let steps = (0..=288).map(|nth| nth * nth % 97).collect();
    let running = SeriesSheet::named("running", steps).expect("a series");
    let events = (0..9_000_u64)
        .map(|nth| {
            event("job-1", nth * 9, &format!("(service job-1) has started 1 tasks: (task job-1-{nth})."))
        })
        .collect();
    sheet(PlatformSheet {
        name: "large".into(),
        tasks: tasks.collect(),
        nodes,
        events,
        series: vec![SeriesSheet::named("tasks", vec![7; 289]).expect("a series"), running],
        series_period: Span::minutes(5),
        ..PlatformSheet::default()
    })
}

/// Names that would like to be markup or scripts.
pub(crate) fn hostile() -> Sheet {
    const EVIL: &str =
        "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\"'`\u{2028}${alert(3)}{{ 7*7 }}";
    let mut sheet = sheet(PlatformSheet {
        name: EVIL.into(),
        about: EVIL.into(),
        tasks: (0..40)
            .map(|nth| {
                task(
                    EVIL,
                    nth,
                    if nth % 2 == 0 { format!("{EVIL}-0") } else { String::new() },
                    START + Span::minutes(nth * 9),
                )
            })
            .collect(),
        nodes: vec![node(EVIL, 0)],
        events: vec![event(EVIL, 600, EVIL), event("__proto__", 60, "constructor 1 2 \\u0001")],
        series: vec![SeriesSheet::named("tasks", vec![0, 3, 1]).expect("a series")],
        series_period: Span::HOUR * 12,
        start_distribution: vec![(Span::ZERO, 5_000), (Span::from_nanos(u64::MAX), 10_000)],
        ..PlatformSheet::default()
    });
    (sheet.scenario, sheet.about, sheet.warnings) = (EVIL.into(), EVIL.into(), vec![EVIL.into()]);
    sheet
}

/// A run in which nothing happened.
pub(crate) fn empty() -> Sheet {
    sheet(PlatformSheet { name: "nothing".into(), ..PlatformSheet::default() })
}

fn sheet(platform: PlatformSheet) -> Sheet {
    Sheet {
        scenario: "test".into(),
        start: START,
        run_for: Span::HOUR * 24,
        replications: 1,
        platforms: vec![platform],
        ..Sheet::default()
    }
}

fn task(workload: &str, nth: u64, node: String, arrived: Timestamp) -> TaskLine {
    TaskLine {
        name: format!("{workload}-{nth}"),
        workload: workload.into(),
        launch_type: if node.is_empty() { "FARGATE" } else { "EC2" },
        node: node.into(),
        zone: "us-east-1a".into(),
        cpu: Cpu::millicores(500),
        memory: Bytes::gib(1),
        arrived,
        placed: arrived + Span::seconds(1),
        pull_started: arrived + Span::seconds(2),
        pull_stopped: arrived + Span::seconds(9),
        started: arrived + Span::seconds(20),
        ready: arrived + Span::seconds(20),
        stopping: Timestamp::NEVER,
        stopped: arrived + Span::minutes(60 + nth % 300),
        stop_code: "EssentialContainerExited",
        stop_reason: "Essential container in task exited".into(),
        why: "".into(),
    }
}

fn node(pool: &str, nth: u64) -> NodeLine {
    NodeLine {
        name: format!("{pool}-{nth}"),
        pool: pool.into(),
        instance_type: "m7i.xlarge".into(),
        zone: format!("us-east-1{}", ["a", "b", "c"][(nth % 3) as usize]),
        cpu: Cpu::vcpus(4),
        memory: Bytes::gib(15),
        requested: START,
        running: START + Span::seconds(5),
        registered: START + Span::minutes(nth),
        terminated: Timestamp::NEVER,
    }
}

fn event(of: &str, seconds: u64, message: &str) -> EventLine {
    EventLine::of_service(START + Span::seconds(seconds), of, message.into())
}
