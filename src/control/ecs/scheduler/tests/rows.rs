use super::record::run;
use crate::base::mark::must_reach;
use crate::control::ecs::service::SchedulerSettings;

/// Runs a script twice, with ticks computed and with every tick taken, and compares the log.
fn check(marks: &[&str], script: &str, expected: &str) {
    let (log, _) = must_reach(marks, || run(script, SchedulerSettings::default()));
    assert_eq!(log, expected, "\n{script}");
    let every_tick = SchedulerSettings { every_tick: true, ..SchedulerSettings::default() };
    let (other, _) = run(script, every_tick);
    assert_eq!(other, expected, "every tick taken\n{script}");
}

#[test]
fn show() {
    let rows = [
        "2 instances 4vcpu; show arrivals; service web 3; run 60; kill web-1; run 60",
        "2 instances 4vcpu; service web 3; run 60; desire web 1; run 60; desire web 0; run 20",
    ];
    for row in rows {
        println!("{row}\n    {}", run(row, SchedulerSettings::default()).0);
        println!("    {}", run(row, SchedulerSettings { every_tick: true, ..SchedulerSettings::default() }).0);
    }
    let _ = check;
}
