//! Sizes, limits and escapes of the data.

use super::*;
use crate::base::{Bytes, Cpu};
use crate::measure::sheet::{EventLine, NodeLine, TaskLine};
use crate::report::{Place, example, html};

const MEGABYTES_3: usize = 3_000_000;

/// A run of so many tasks over its time, with the events that they make, on machines or on Fargate.
fn generated(tasks: u64, machines: u64, workloads: u64) -> Sheet {
    let mut sheet = example::sheet();
    let gap = sheet.run_for.as_nanos() / tasks;
    for (nth, platform) in sheet.platforms.iter_mut().enumerate() {
        let on_machines = nth == 0;
        let machines = if on_machines { machines } else { 0 };
        let node = platform.nodes.first().cloned();
        platform.nodes = (0..machines)
            .map(|nth| NodeLine {
                name: format!("general-{nth}"),
                zone: format!("us-east-1{}", ["a", "b", "c"][(nth % 3) as usize]),
                ..node.clone().expect("the example has a machine")
            })
            .collect();
        let task = platform.tasks[0].clone();
        platform.tasks = (0..tasks)
            .map(|nth| {
                let workload = format!("workload-{}", nth * nth % workloads);
                let arrived = sheet.start + Span::from_nanos(gap * nth);
                TaskLine {
                    name: format!("{workload}-{nth}"),
                    workload: workload.into(),
                    node: if on_machines {
                        format!("general-{}", nth * 7 % machines).into()
                    } else {
                        "".into()
                    },
                    cpu: Cpu::millicores(250),
                    memory: Bytes::mib(512),
                    arrived,
                    placed: arrived + Span::millis(400),
                    started: arrived + Span::seconds(18),
                    stopped: arrived + Span::minutes(20 + nth % 97),
                    stop_code: "EssentialContainerExited",
                    stop_reason: format!("Essential container in task exited (app, exit code {})", nth % 3)
                        .into(),
                    ..task.clone()
                }
            })
            .collect();
        platform.events = platform
            .tasks
            .iter()
            .flat_map(|task| {
                let says = |message| EventLine::of_service(task.placed, &task.workload, message);
                let of = &task.workload;
                [
                    says(format!("(service {of}) has started 1 tasks: (task {}).", task.name)),
                    says(format!("(service {of}) has reached a steady state.")),
                ]
            })
            .collect();
        let line = platform.workloads[0].clone();
        let named =
            |nth| crate::measure::sheet::WorkloadLine { name: format!("workload-{nth}"), ..line.clone() };
        platform.workloads = (0..workloads).map(named).collect();
        let charge = platform.bill[0].clone();
        let charged =
            |nth| crate::measure::sheet::ChargeLine { of: format!("workload-{nth}"), ..charge.clone() };
        platform.bill = (0..workloads).map(charged).collect();
        sheet.warnings = (0..workloads).map(|nth| format!("Workload {nth} has a warning.")).collect();
    }
    sheet
}

fn page(sheet: &Sheet) -> String {
    let bytes = html::report(sheet, &sheet.platforms, Place::Above, &Packed::of(sheet, &sheet.platforms));
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_week_of_650_tasks_a_day_shows_every_task_and_is_small() {
    let sheet = generated(650 * 7, 12, 30);
    let page = page(&sheet);
    assert!(page.len() < MEGABYTES_3 / 2, "{}", page.len());
    assert!(page.contains(r#""kind":"tasks""#) && !page.contains(r#""kind":"frames""#));
    assert!(!page.contains(" is summed up:"));
}

#[test]
fn as_many_single_tasks_as_are_shown_fit_whatever_they_say() {
    let mut sheet = generated(18_000, 1_000, 2_000); // on each of two platforms
    for (nth, task) in sheet.platforms.iter_mut().flat_map(|platform| &mut platform.tasks).enumerate() {
        task.stop_reason =
            format!("Host EC2 of task {nth} terminated, which nobody has said of any other task.").into();
    }
    let page = page(&sheet);
    assert!(page.len() < MEGABYTES_3, "{}", page.len());
    assert!(!page.contains(r#""kind":"frames""#));
}

#[test]
fn four_hundred_thousand_tasks_are_summed_up_and_the_page_says_so() {
    let sheet = generated(200_000, 3_000, 2_000); // on each of two platforms
    let page = page(&sheet);
    assert!(page.len() < MEGABYTES_3, "{}", page.len());
    assert!(page.contains(r#""kind":"frames""#) && !page.contains(r#""kind":"tasks""#));
    assert!(page.contains(" is summed up:"));
}

/// Pods that never got a place are in the map for as long as they wait: until they go, or past the end.
#[test]
fn pods_without_a_place_wait_in_the_map() {
    let sheet = example::pods();
    let clock = Clock { start: sheet.start, tick: Span::SECOND };
    let tasks = tasks::Tasks::of(&sheet.platforms[0], clock, 604_800);
    let tasks = serde_json::to_value(tasks).expect("plain");
    // In the order in which they are placed or go: web-0, web-1, web-4, web-2, web-3.
    let rows = [
        ("placed", [10, 470, 240, 604_081, 0]),
        ("node", [0, 0, -2, -2, -2]),
        ("waited", [0, 0, 60, 604_201, 604_201]),
        ("started", [18, 18, -1, -1, -1]),
        ("stopped", [495, -1, 0, -1, -1]),
    ];
    for (column, expected) in rows {
        assert_eq!(tasks[column], serde_json::json!(expected), "{column}");
    }
}

#[test]
fn the_data_cannot_end_its_script() {
    for sheet in [example::hostile(), example::sheet(), example::empty(), example::pods()] {
        let data = Packed::of(&sheet, &sheet.platforms).json;
        assert!(!data.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        let read: serde_json::Value = serde_json::from_str(&data).expect("it is JSON");
        let name = read["platforms"][0]["name"].as_str().expect("a name");
        assert_eq!(name, number::plain(&sheet.platforms[0].name));
    }
}

/// The summed map, for one platform: group, instant, workload.
#[test]
fn a_summed_map_tells_what_is_reserved() {
    let sheet = generated(37_000, 4, 2);
    let platform = &sheet.platforms[0];
    let clock = Clock { start: sheet.start, tick: Span::SECOND };
    let end = clock.at(sheet.start + sheet.run_for);
    let frames = serde_json::to_value(frames::Frames::of(platform, clock, end, 1)).expect("plain");
    let (cells, at) =
        (frames["cells"].as_array().expect("groups"), frames["at"].as_array().expect("instants"));
    assert_eq!((cells.len(), at.len(), at[143].as_i64()), (4, 144, Some(end)));
    let cpu: Vec<i64> =
        frames["cpu"].as_array().expect("values").iter().filter_map(serde_json::Value::as_i64).collect();
    let memory = frames["memory"].as_array().expect("values").len();
    assert_eq!((cpu.len(), memory), (144 * 4 * 9, 144 * 4 * 8));
    // About 250 tasks run at once, on four machines of 4 vCPU, a quarter vCPU each.
    let running = platform.tasks.iter().filter(|task| {
        let at = sheet.start + Span::seconds(u64::try_from(end * 70 / 143).expect("positive"));
        task.placed <= at && at < task.stopped
    });
    let expected = i64::try_from(running.count()).expect("few") * 250 * 1000 / 4000;
    let found: i64 = cpu[70 * 36..71 * 36].chunks(9).map(|cell| cell[1..].iter().sum::<i64>()).sum();
    assert!((found - expected).abs() <= 80, "{found} of {expected}");
    assert_eq!(cpu[70 * 36], 1, "one machine in the group");
}
