//! The rules, as scripts and what follows from them.

use super::record::{Record, run};
use crate::base::mark::must_reach;
use crate::base::{EntityKey, Span, Timestamp};
use crate::control::Reconciler;
use crate::control::ecs::service::SchedulerSettings;

const EVERY_TICK: fn() -> SchedulerSettings =
    || SchedulerSettings { every_tick: true, ..SchedulerSettings::default() };

/// Runs a script twice, with ticks computed and with every tick taken, and compares the log.
fn check(marks: &[&str], script: &str, expected: &str) -> Record {
    let record = must_reach(marks, || run(script, SchedulerSettings::default()));
    assert_eq!(record.log(), expected, "\n{script}");
    assert_eq!(run(script, EVERY_TICK()).log(), expected, "every tick taken\n{script}");
    record
}

#[test]
fn calls_are_answered() {
    // No room: a failure, and nothing is created. What stops gives its place back at once.
    check(
        &["RT-04", "RT-07", "TK-02", "PL-03", "3.4/plain reasons", "3.1/PENDING"],
        "1 instances 2vcpu; call job 3; run 1; call job 1; stop job-0; stop job-0; run 1; stop job-0;
         call job 1; run 10; stop job-0; run 10",
        "0: +job-0 +job-1 xjob-2; 1: xjob-3 ~job-0; 2: +job-4",
    );
    // A task that has not reached RUNNING is stopped like any other.
    check(
        &["TK-02"],
        "1 instances 1vcpu; pull 30; call job 1; run 1; stop job-0; run 90; call job 1",
        "0: +job-0; 1: ~job-0",
    );
    // An interface or Fargate: PROVISIONING first.
    check(
        &["RT-02", "3.1/PROVISIONING", "3.1/PENDING"],
        "1 instances 8vcpu; call job 2 awsvpc; call lambda 1 fargate; call plain 1; run 3",
        "0: +job-0* +job-1* +lambda-0* +plain-0",
    );
    // StartTask: the instances are given, resources are still needed, and nothing else is tried.
    check(
        &["RT-06"],
        "3 instances 2vcpu; call job 4 i-1 i-1 i-1 i-2; drop i-0; call job 1 i-0; run 10",
        "0: +job-0 +job-1 xjob-2 +job-3 xjob-4",
    );
    // RT-05: nobody restarts a task of its own.
    check(
        &[],
        "1 instances 8vcpu; call job 2; run 10; kill job-0; pulls fail; call job 1; run 1000",
        "0: +job-0 +job-1; 10: +job-2",
    );
    check(&[], "call job 1; run 10", "0: xjob-0");
    // A creation that is refused gives its place back.
    check(
        &[],
        "1 instances 4vcpu; refuse 1; call job 4; run 1; call job 1; run 1; call job 1; run 1",
        "0: +job-0 +job-1 +job-2 +job-3; 1: +job-4; 2: xjob-5",
    );
}

#[test]
fn tasks_carry_what_they_are() {
    let script = "2 instances 1vcpu; service web 1; run 2; call job 1; run 1; stop web-0; run 1";
    let record = must_reach(&["TK-05", "RT-02"], || run(script, SchedulerSettings::default()));
    let rows = [("web-0", "web", "service:web", 0, 1), ("job-0", "job", "family:job", 2, 2)];
    for (name, of, group, arrived, created) in rows {
        let task = *record.task(record.find(name));
        assert_eq!(task.key, EntityKey::new("task", of, 0));
        assert_eq!(record.definitions.symbols.text(task.group), group);
        assert_eq!(record.definitions.symbols.text(task.zone), "zone-a");
        assert!(task.instance.is_some());
        assert_eq!(task.service.is_some(), of == "web");
        let second = |second| Timestamp::from_nanos(0) + Span::seconds(second);
        assert_eq!((task.times.arrived, task.times.created), (second(arrived), second(created)));
    }
}

#[test]
fn a_stopping_task_has_given_its_memory_back() {
    // Vector 14.11: A stops for 120 s; B takes its place at once, and leaves nothing for C.
    check(
        &["CI-14"],
        "1 instances 4vcpu; shutdown 120; call a 1 mib 1048000; run 5; stop a-0; call b 1 mib 1048000; run 1;
         call c 1 mib 1000; run 200",
        "0: +a-0; 5: ~a-0 +b-0; 6: xc-0",
    );
}

#[test]
fn a_count_is_kept() {
    // Changes share a look a second later; without a health check a task counts after 40 s.
    check(
        &["5.4/no no", "SVC-25", "SVC-12", "SVC-30"],
        "2 instances 4vcpu; show arrivals; service web 3; run 60; kill web-1; run 60",
        "1: +web-0@0 +web-1@0 +web-2@0 [start 3]; 50: [steady]; 61: +web-3@60 [start 1]; 110: [steady]",
    );
    // A vacancy is as old as the raise of the count, the end of the task, or the stop by its user.
    check(
        &["SVC-25"],
        "show arrivals; 1 instances 8vcpu; service web 1; run 60; desire web 3; run 0; desire web 4; run 10;
         kill web-0; stop web-1; run 2",
        "1: +web-0@0 [start 1]; 50: [steady]; 61: +web-1@60 +web-2@60 +web-3@60 [start 3]; 70: ~web-1; \
         71: +web-4@70 +web-5@70 [start 2]",
    );
    // What an agent or the record refuses is wanted since the beginning.
    check(
        &["SVC-25"],
        "show arrivals; 1 instances 4vcpu; refuse 2; service web 3; run 60",
        "1: +web-0@0 +web-1@0 +web-2@0 [start 3]; 2: +web-3@0 +web-4@0 [start 2]; 50: [steady]",
    );
    // `upper` does not hold back what is simply missing.
    check(
        &[],
        "1 instances 8vcpu; service web 1 min 50 max 50; run 60; desire web 4; run 60",
        "1: +web-0 [start 1]; 50: [steady]; 61: +web-1 +web-2 +web-3 [start 3]; 110: [steady]",
    );
    check(&["RT-02"], "service web 2 fargate; run 60", "1: +web-0* +web-1* [start 2]; 50: [steady]");
    // All new starts are of the revision that the service has now.
    check(
        &["SVC-23"],
        "show revisions; 1 instances 4vcpu; service web 1; run 60; kill web-0; run 5; revise web; kill web-1;
         run 5",
        "1: +web-0:1 [start 1]; 50: [steady]; 61: +web-1:1 [start 1]; 66: +web-2:2 [start 1]",
    );
    // A disconnected agent is not a failed node (trap 16).
    check(
        &[],
        "1 instances 8vcpu; service web 3; run 60; disconnect i-0; run 1000",
        "1: +web-0 +web-1 +web-2 [start 3]; 50: [steady]",
    );
    // Ten serials per event.
    check(
        &["SVC-12"],
        "1 instances 40vcpu; service web 12; run 60; forget log; desire web 0; run 10; pull 30; desire web 2;
         run 5; desire web 0; run 5",
        "61: -web-0 -web-11 -web-3 -web-8 -web-5 -web-10 -web-7 -web-9 -web-4 -web-1 -web-6 -web-2 \
         [stop 0,11,3,8,5,10,7,9,4,1] [stop 6,2] [steady]; 71: +web-12 +web-13 [start 2]; \
         76: -web-13 -web-12 [drop 2] [steady]",
    );
}

#[test]
fn a_lower_count_stops_tasks_at_once() {
    check(
        &["SVC-13", "SVC-30"],
        "1 instances 4vcpu; service web 1; run 50; desire web 0; run 43200",
        "1: +web-0 [start 1]; 50: [steady]; 51: -web-0 [stop 0] [steady]; 21660: [steady]",
    );
    check(
        &["SVC-13", "4.6/2"],
        "1 instances 4vcpu; service web 0; run 60; desire web 2; run 1; desire web 1; run 2; desire web 0;
         run 20",
        "1: [steady]; 61: +web-0 +web-1 [start 2]; 62: -web-1 [drop 1]; 64: -web-0 [stop 0] [steady]",
    );
    // Chance says web-5, then web-4. Three count, web-5 and web-6 do not yet: `lower` of the new count
    // is 3, so web-4 stays.
    check(
        &["SVC-13"],
        "1 instances 8vcpu; service web 5; run 42; kill web-0; kill web-3; run 2; desire web 3; run 60",
        "1: +web-0 +web-1 +web-2 +web-3 +web-4 [start 5]; 43: +web-5 +web-6 [start 2]; \
         45: -web-5 -web-6 [stop 5,6] [steady]",
    );
    // With a `lower` of 2 it goes.
    check(
        &["SVC-13"],
        "1 instances 8vcpu; service web 5 min 50; run 42; kill web-0; kill web-3; run 2; desire web 3; run 60",
        "1: +web-0 +web-1 +web-2 +web-3 +web-4 [start 5]; 43: +web-5 +web-6 [start 2]; \
         45: -web-5 -web-4 [stop 5,4]; 90: [steady]",
    );
}

#[test]
fn unhealthy_tasks_are_replaced() {
    // Start first, where `upper` allows.
    check(
        &["SVC-20", "SVC-22", "SVC-24", "5.4/no yes"],
        "1 instances 4vcpu; service web 2 checked; run 20; sicken web-0; run 30",
        "1: +web-0 +web-1 [start 2]; 7: [steady]; 21: +web-2 [start 1 for 1]; 27: !web-0 [stop 0] [steady]",
    );
    // Stop first, one at a time, where it does not.
    check(
        &["SVC-22", "SVC-24"],
        "1 instances 4vcpu; service web 2 checked max 100; run 20; sicken web-0; sicken web-1; run 60",
        "1: +web-0 +web-1 [start 2]; 7: [steady]; 21: !web-0 [stop 0]; 22: +web-2 [start 1 for 1]; \
         28: !web-1 [stop 1]; 29: +web-3 [start 1 for 1]; 35: [steady]",
    );
    // Enough count without it: the next one need not wait for the replacement.
    check(
        &["SVC-22"],
        "1 instances 4vcpu; service web 4 checked max 100 min 50; run 20; sicken web-0; sicken web-1; run 60",
        "1: +web-0 +web-1 +web-2 +web-3 [start 4]; 7: [steady]; 21: !web-0 [stop 0]; \
         22: +web-4 [start 1 for 1]; 23: !web-1 [stop 1]; 24: +web-5 [start 1 for 1]; 30: [steady]",
    );
    // As many at a time as `upper` allows.
    check(
        &["SVC-22"],
        "1 instances 8vcpu; service web 2 checked min 50 max 150; run 20; sicken web-0; sicken web-1; run 60",
        "1: +web-0 +web-1 [start 2]; 7: [steady]; 21: +web-2 [start 1 for 1]; 27: !web-0 [stop 0]; \
         28: +web-3 [start 1 for 1]; 34: !web-1 [stop 1] [steady]",
    );
    // The replacement is unhealthy too: either one stops.
    check(
        &["SVC-22"],
        "1 instances 8vcpu; service web 1 checked; run 20; sicken web-0; run 4; sicken web-1; run 60",
        "1: +web-0 [start 1]; 7: [steady]; 21: +web-1 [start 1 for 1]; 25: !web-0 [stop 0]; \
         26: +web-2 [start 1 for 1]; 32: !web-1 [stop 1] [steady]",
    );
    // It recovers: there are too many, and the one that counts stays.
    check(
        &["SVC-22", "SVC-13"],
        "1 instances 4vcpu; service web 1 checked; run 20; sicken web-0; run 2; heal web-0; run 30",
        "1: +web-0 [start 1]; 7: [steady]; 21: +web-1 [start 1 for 1]; 23: -web-1 [stop 1] [steady]",
    );
    // Grace counts from RUNNING, at second 3; the tick after its end sees it.
    check(
        &["SVC-21"],
        "1 instances 4vcpu; service web 1 checked grace 60; run 20; sicken web-0; run 80",
        "1: +web-0 [start 1]; 7: [steady]; 70: +web-1 [start 1 for 1]; 76: !web-0 [stop 0] [steady]",
    );
    // Unhealthy in grace: nothing is replaced, but it goes first when there are too many.
    check(
        &["SVC-21", "4.6/3"],
        "1 instances 4vcpu; service web 3 checked grace 600; run 20; sicken web-1; run 20; desire web 2; run 9",
        "1: +web-0 +web-1 +web-2 [start 3]; 7: [steady]; 41: -web-1 [stop 1] [steady]",
    );
}

#[test]
fn failed_starts_are_throttled() {
    // 30, 60, 120 ... 1620 s after each failure, at the next tick.
    check(
        &["SVC-61", "SVC-62"],
        "1 instances 4vcpu; pulls fail; service web 1; run 3600; pulls work; run 4000",
        "1: +web-0 [start 1]; 4: +web-1 [start 1]; 7: +web-2 [start 1]; 10: [impaired]; \
         40: +web-3 [start 1]; 110: +web-4 [start 1]; 240: +web-5 [start 1]; 490: +web-6 [start 1]; \
         980: +web-7 [start 1]; 1950: +web-8 [start 1]; 3580: +web-9 [start 1]; 5210: +web-10 [start 1]; \
         5260: [steady]",
    );
    // A new revision starts afresh.
    check(
        &["SVC-61"],
        "1 instances 4vcpu; pulls fail; service web 1; run 100; revise web; run 10",
        "1: +web-0 [start 1]; 4: +web-1 [start 1]; 7: +web-2 [start 1]; 10: [impaired]; \
         40: +web-3 [start 1]; 101: +web-4 [start 1]; 104: +web-5 [start 1]; 107: +web-6 [start 1]; \
         110: [impaired]",
    );
    // A new count does not.
    check(
        &["SVC-61"],
        "1 instances 4vcpu; pulls fail; service web 1; run 12; desire web 2; run 33",
        "1: +web-0 [start 1]; 4: +web-1 [start 1]; 7: +web-2 [start 1]; 10: [impaired]; \
         40: +web-3 +web-4 [start 2]",
    );
    // One that reaches RUNNING resets the count, so web-3 and web-4 are the first two again.
    check(
        &["SVC-61"],
        "1 instances 4vcpu; pulls fail; service web 1; run 6; pulls work; run 10; pulls fail; kill web-2; run 20",
        "1: +web-0 [start 1]; 4: +web-1 [start 1]; 7: +web-2 [start 1]; 17: +web-3 [start 1]; \
         20: +web-4 [start 1]; 23: +web-5 [start 1]; 26: [impaired]",
    );
    // A crash loop did reach RUNNING: full speed for ever (trap 8).
    check(
        &["SVC-61"],
        "1 instances 4vcpu; crash after 1; service web 1; run 20",
        "1: +web-0 [start 1]; 4: +web-1 [start 1]; 7: +web-2 [start 1]; 10: +web-3 [start 1]; \
         13: +web-4 [start 1]; 16: +web-5 [start 1]; 19: +web-6 [start 1]",
    );
}

#[test]
fn failed_placements_are_tried_again() {
    // 15 s later, at the next tick.
    check(
        &["SVC-63"],
        "fargate full; service web 1 fargate; run 15; fargate free; run 20",
        "1: [full]; 20: +web-0* [start 1]",
    );
    // Tried at 1, 20, 40, 60 and 80 s, then 300 s later. Said once.
    check(
        &["SVC-63"],
        "fargate full; service web 1 fargate; run 79; fargate free; run 20",
        "1: [full]; 80: +web-0* [start 1]",
    );
    check(
        &["SVC-63", "SVC-30"],
        "fargate full; service web 1 fargate; run 90; fargate free; run 400",
        "1: [full]; 380: +web-0* [start 1]; 430: [steady]",
    );
    // Said again after six hours.
    check(&["SVC-30"], "fargate full; service web 1 fargate; run 30000", "1: [full]; 21680: [full]");
    // A task that stops, an instance that registers: at once.
    check(
        &["SVC-63"],
        "1 instances 4vcpu; service web 5; run 2000; stop web-0; run 20",
        "1: +web-0 +web-1 +web-2 +web-3 [start 4] [full]; 2000: ~web-0; 2001: +web-4 [start 1]",
    );
    check(
        &["SVC-63"],
        "service web 1; run 50; 1 instances 4vcpu; run 50",
        "1: [empty]; 51: +web-0 [start 1]; 100: [steady]",
    );
    // Nothing is missing any more, and then it is: a new cause, said anew.
    check(
        &["SVC-30"],
        "1 instances 2vcpu; service web 3; run 300; desire web 2; run 60; desire web 3; run 5",
        "1: +web-0 +web-1 [start 2] [full]; 301: [steady]; 361: [full]",
    );
}

#[test]
fn no_minute_sees_more_starts_than_the_rate() {
    let starts = |script: &str| -> Vec<(u64, usize)> {
        let log = must_reach(&["SVC-60"], || run(script, SchedulerSettings::default()).log());
        let lines = log.split("; ").map(|line| {
            let (at, words) = line.split_once(':').expect("a line begins with its time");
            (at.parse().expect("a second"), words.matches('+').count())
        });
        lines.collect()
    };
    let starts = starts("1 instances 3000vcpu; service web 2000; run 600");
    assert_eq!(starts[0], (1, 83), "the burst is a sixth of 500");
    let most = (0..600).map(|from| {
        let inside = starts.iter().filter(|(at, _)| (from..=from + 60).contains(at));
        inside.map(|(_, count)| count).sum::<usize>()
    });
    let most = most.max().expect("some windows");
    assert!((490..=500).contains(&most), "{most} starts in a minute");
    assert_eq!(starts.iter().map(|(_, count)| count).sum::<usize>(), 2000);
}

#[test]
fn a_quiet_service_is_left_alone() {
    let script = "1 instances 4vcpu; service web 3; run 100";
    let record = check(&[], script, "1: +web-0 +web-1 +web-2 [start 3]; 50: [steady]");
    let repeat = Timestamp::from_nanos(0) + Span::seconds(50) + Span::HOUR * 6;
    assert_eq!(record.scheduler.wake_at(), Some(repeat), "the next look only repeats an event");
    let day = "1 instances 4vcpu; service web 3; run 86400";
    let looks = |settings| run(day, settings).scheduler.counters().looks;
    assert_eq!(looks(SchedulerSettings::default()), 7, "start, created, started, counted, three repeats");
    assert!(looks(EVERY_TICK()) > 8640, "every tick is taken when asked for");
}
