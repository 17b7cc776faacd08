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
        "show arrivals; 2 instances 4vcpu; service web 1; run 60; desire web 3; run 60; stop web-0; run 60",
        "1 instances 4vcpu; service web 2 checked; run 20; sicken web-0; run 30",
        "1 instances 4vcpu; service web 2 checked max 100; run 20; sicken web-0; sicken web-1; run 60",
        "1 instances 4vcpu; service web 4 checked max 100 min 50; run 20; sicken web-0; sicken web-1; run 60",
        "1 instances 4vcpu; service web 1 checked grace 60; run 20; sicken web-0; run 80",
        "1 instances 4vcpu; service web 1 checked; run 20; sicken web-0; run 2; heal web-0; run 30",
        "1 instances 4vcpu; service web 1 checked; run 20; sicken web-0; run 8; sicken web-1; run 30",
        "1 instances 4vcpu; service web 1; run 50; desire web 0; run 43200",
        "1 instances 4vcpu; service web 1; run 90000",
        "1 instances 4vcpu; pulls fail; service web 1; run 3600; pulls work; run 4000",
        "1 instances 4vcpu; pulls fail; service web 1; run 100; revise web; run 10",
        "1 instances 4vcpu; crash after 1; service web 1; run 30",
        "1 instances 4vcpu; service web 5; run 2000; stop web-0; run 20",
        "service web 1; run 50; 1 instances 4vcpu; run 50",
        "1 instances 2vcpu; call job 3; run 1; call job 1; stop job-0; stop job-0; run 1; stop job-0; call job 1; run 10; stop job-0; run 10",
        "3 instances 2vcpu; call job 4 i-1 i-1 i-1 i-2; drop i-0; call job 1 i-0; run 10",
        "1 instances 4vcpu; refuse 1; call job 4; run 1; call job 1; run 1",
        "show arrivals; 1 instances 4vcpu; refuse 2; service web 3; run 30",
        "1 instances 1000vcpu; service web 200; run 60",
        "service web 2 fargate; run 60",
        "1 instances 4vcpu; service web 0; run 60; desire web 2; run 1; desire web 1; run 2; desire web 0; run 20",
        "1 instances 4vcpu; service web 2; run 60; disconnect i-0; run 10; kill web-0; run 200",
    ];
    for row in rows {
        println!("{row}\n    {}", run(row, SchedulerSettings::default()).0);
        println!("    {}", run(row, SchedulerSettings { every_tick: true, ..SchedulerSettings::default() }).0);
    }
    let _ = check;
}
