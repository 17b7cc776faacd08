//! One agent against a scripted host; the language is that of [`bench`].

mod bench;
mod laws;

use crate::base::mark::must_reach;
use crate::control::Reconciler;

use bench::{Bench, check};

const UP: &str = "run web; pulled a0; started a0";

#[test]
fn a_task_of_one_container() {
    let web = &["web 300M: a"];
    check(
        &["3.1/ACTIVATING", "3.1/STOPPING", "3.1/STOPPED", "3.3/EssentialContainerExited", "TK-13", "TD-15"],
        "",
        web,
        &format!("{UP}; exit a0 1"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running;
         0:exited 0:stopping=a0-exit-1 0:stopped=a0-exit-1",
    );
    // A stop that was asked for has no reason of the agent's own, whatever the exit code.
    check(
        &["TK-10", "1.3/stopTimeout"],
        "",
        web,
        &format!("{UP}; halt 0; +5s; exit a0 143"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; 0:stopping stop:a0/30s; ; 0:exited 0:stopped",
    );
    // It exits before it reached anything else: nothing is owed to the host.
    check(
        &["TK-06"],
        "",
        web,
        &format!("{UP}; oom a0"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; 0:exited 0:stopping=a0-exit-137-oom 0:stopped=a0-exit-137-oom",
    );
    check(
        &["3.4/OutOfMemoryError"],
        "",
        web,
        &format!("{UP}; oom a0"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; 0:exited 0:stopping=a0-exit-137-oom 0:stopped=a0-exit-137-oom",
    );
    // Told twice, stopped twice, answers for nobody: nothing follows.
    check(
        &[],
        "",
        web,
        &format!("{UP}; again 0; halt 0; halt 0; exit a0 0; halt 0; exit a0 0; started a0; halt 7"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; ; 0:stopping stop:a0/30s; ; 0:exited 0:stopped; ; ; ; ",
    );
}

#[test]
fn a_stop_may_come_at_any_time() {
    let web = &["web 300M: a/stop=120"];
    // While it is pulled: the late answer changes nothing.
    check(&[], "", web, "run web; halt 0; pulled a0", "0:pulling pull:a0; 0:stopping 0:pulled 0:stopped; ");
    // While it is started: the stop waits for the answer.
    check(
        &["1.3/stopTimeout"],
        "",
        web,
        "run web; pulled a0; halt 0; started a0; exit a0 137",
        "0:pulling pull:a0; start:a0 0:pulled; 0:stopping; stop:a0/2m00s; 0:exited 0:stopped",
    );
    check(
        &[],
        "",
        web,
        "run web; pulled a0; halt 0; broken a0",
        "0:pulling pull:a0; start:a0 0:pulled; 0:stopping; 0:stopped",
    );
    // Between two tries of a pull: the next one is not made.
    check(
        &[],
        "",
        web,
        "run web; failed a0; halt 0; +10s",
        "0:pulling pull:a0; ; 0:stopping 0:pulled 0:stopped; ",
    );
}

#[test]
fn a_task_waits_for_room() {
    let tasks = &["web 600M: a", "big 600M: a", "small 100M: a", "cpu c600: a", "none c0: a"];
    // The head does not fit, and what is behind it waits too, whether it would fit or not.
    check(
        &["AG-10", "AG-11"],
        "",
        tasks,
        "run web; run big; run small; pulled a0; started a0; exit a0 0",
        "0:pulling pull:a0; ; ; start:a0 0:pulled; 0:running;
         0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0 1:pulling pull:a1 2:pulling pull:a2",
    );
    // A waiting task is stopped at once; a new head is looked at.
    check(
        &["TK-02", "AG-10"],
        "",
        tasks,
        "run web; run big; run small; halt 1",
        "0:pulling pull:a0; ; ; 1:stopping 1:stopped 2:pulling pull:a2",
    );
    check(
        &["AG-10"],
        "",
        tasks,
        "run web; run big; run small; halt 2; halt 0",
        "0:pulling pull:a0; ; ; 2:stopping 2:stopped; 0:stopping 0:pulled 0:stopped 1:pulling pull:a1",
    );
    // CPU counts too; a task without CPU takes memory only.
    check(
        &["TD-12"],
        "",
        tasks,
        "run cpu; run none; run cpu; run none",
        "0:pulling pull:a0; 1:pulling pull:a1; ; ",
    );
    let gpu = &["gpu g1: a"];
    check(&["AG-10"], "", gpu, "run gpu", "");
    check(&["AG-10"], "gpus=1", gpu, "run gpu; run gpu", "0:pulling pull:a0; ");
}

#[test]
fn static_host_ports_are_one_of_a_kind() {
    let tasks = &["web p80: a", "dns u80: a", "ssh p22: a", "api p51678: a"];
    check(
        &["AG-10"],
        "",
        tasks,
        "run web; run dns; run web; halt 0",
        "0:pulling pull:a0; 1:pulling pull:a1; ; 0:stopping 0:pulled 0:stopped 2:pulling pull:a2",
    );
    check(
        &["AG-10"],
        "",
        tasks,
        "run dns; run dns; halt 0",
        "0:pulling pull:a0; ; 0:stopping 0:pulled 0:stopped 1:pulling pull:a1",
    );
    check(&["TD-40"], "", tasks, "run ssh", "");
    check(&["TD-40"], "", tasks, "run api", "");
}

#[test]
fn dynamic_host_ports_are_chosen_by_the_agent() {
    let tasks = &["web: a/ports=2", "api: a/ports=1", "fix p32768: a"];
    check(
        &["TD-41", "TD-42"],
        "",
        tasks,
        "run web; pulled a0; run api; pulled a1; started a0; exit a0 0; run api; pulled a2",
        "0:pulling pull:a0; start:a0[32768, 32769] 0:pulled; 1:pulling pull:a1;
         start:a1[32770] 1:pulled; 0:running; 0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0;
         2:pulling pull:a2; start:a2[32768] 2:pulled",
    );
    check(
        &["TD-42"],
        "rotating ports=32770",
        tasks,
        "run api; pulled a0; halt 0; started a0; exit a0 0; run web; pulled a1; run api; pulled a2",
        "0:pulling pull:a0; start:a0[32768] 0:pulled; 0:stopping; stop:a0/30s; 0:exited 0:stopped;
         1:pulling pull:a1; start:a1[32769, 32770] 1:pulled;
         2:pulling pull:a2; start:a2[32768] 2:pulled",
    );
    // A static port in the range is not given away; the end of the range is the end.
    check(
        &["TD-42"],
        "ports=32769",
        tasks,
        "run fix; run api; pulled a1; run web; pulled a2",
        "0:pulling pull:a0; 1:pulling pull:a1; start:a1[32769] 1:pulled; 2:pulling pull:a2;
         2:stopping=a2-start 2:pulled 2:stopped=a2-start",
    );
}

#[test]
fn containers_start_in_the_order_of_their_dependencies() {
    // Without dependencies they go side by side; the task runs when all of them do.
    check(
        &["TK-13"],
        "",
        &["web: a b?"],
        "run web; pulled a0; pulled b0; started a0; started b0",
        "0:pulling pull:a0 pull:b0; start:a0; start:b0 0:pulled; ; 0:running",
    );
    // The pull of a dependent waits; several conditions must all hold.
    let web = &["web: a<b:start<c:success<d:complete b c? d?"];
    check(
        &["TD-22", "TD-23", "TK-13"],
        "",
        web,
        "run web; pulled b0; started b0; pulled c0; pulled d0; started c0; started d0; exit d0 9; exit c0 0;
         pulled a0; started a0",
        "0:pulling pull:b0 pull:c0 pull:d0; start:b0; ; start:c0; start:d0; ; ; ; pull:a0;
         start:a0 0:pulled; 0:running",
    );
    check(
        &["TD-22"],
        "upfront",
        &["web: a<b:start b"],
        "run web; pulled a0; pulled b0; started b0; started a0",
        "0:pulling pull:a0 pull:b0; ; start:b0 0:pulled; start:a0; 0:running",
    );
    check(
        &["TD-22", "TD-23"],
        "",
        &["web: a<b:healthy b/check"],
        "run web; pulled b0; started b0; sick b0; well b0; pulled a0; started a0",
        "0:pulling pull:b0; start:b0; ; 0:unhealthy; pull:a0 0:healthy; start:a0 0:pulled; 0:running",
    );
    // START is met by a container that has exited already.
    check(
        &["TD-22"],
        "upfront",
        &["web: a<b:start b?"],
        "run web; pulled b0; started b0; exit b0 1; pulled a0; started a0",
        "0:pulling pull:a0 pull:b0; start:b0; ; ; start:a0 0:pulled; 0:running",
    );
}

#[test]
fn a_dependency_that_cannot_be_met_ends_the_dependent() {
    check(
        &["TD-22", "3.3/TaskFailedToStart"],
        "",
        &["web: a<b:success b?"],
        "run web; pulled b0; started b0; exit b0 2",
        "0:pulling pull:b0; start:b0; ;
         0:stopping=a0-dependency 0:pulled 0:stopped=a0-dependency",
    );
    // A dependent that is not essential leaves the task running, and so do its own dependents.
    check(
        &["TD-22"],
        "",
        &["web: a?<b:success b? c d?<a:start"],
        "run web; pulled b0; pulled c0; started c0; started b0; exit b0 2",
        "0:pulling pull:b0 pull:c0; start:b0; start:c0; ; ; 0:pulled 0:running",
    );
    // A dependency that never started meets no condition.
    check(
        &["TD-22", "3.4/CannotStartContainerError"],
        "",
        &["web: a<b:complete b?"],
        "run web; pulled b0; broken b0",
        "0:pulling pull:b0; start:b0; 0:stopping=a0-dependency 0:pulled 0:stopped=a0-dependency",
    );
    // startTimeout counts from the start of the dependency, and not for START.
    check(
        &["TD-22", "1.3/startTimeout"],
        "",
        &["web: a<b:healthy b/timeout=60/check"],
        "run web; +90s; pulled b0; +5s; started b0; +90s; exit b0 0",
        "0:pulling pull:b0; ; start:b0; ; ;
         @2m35s 0:stopping=a0-dependency stop:b0/30s 0:pulled; 0:exited 0:stopped=a0-dependency",
    );
    check(
        &["TD-22"],
        "",
        &["web: a<b:start b/timeout=60"],
        "run web; pulled b0; started b0; +90s; pulled a0",
        "0:pulling pull:b0; start:b0; pull:a0; ; start:a0 0:pulled",
    );
    // In time is in time, also when the dependent is started long after.
    check(
        &["TD-22"],
        "",
        &["web: a<b:healthy b/timeout=60/check"],
        "run web; pulled b0; started b0; +59s; well b0; +90s; pulled a0",
        "0:pulling pull:b0; start:b0; ; ; pull:a0 0:healthy; ; start:a0 0:pulled",
    );
}

#[test]
fn only_essential_containers_end_a_task() {
    let web = &["web: a b?"];
    let up = "run web; pulled a0; pulled b0; started a0; started b0";
    let up_printed = "0:pulling pull:a0 pull:b0; start:a0; start:b0 0:pulled; ; 0:running";
    check(
        &["TD-15"],
        "",
        web,
        &format!("{up}; exit b0 1; exit a0 0"),
        &format!("{up_printed}; ; 0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0"),
    );
    check(
        &["TD-15", "3.1/STOPPING"],
        "",
        web,
        &format!("{up}; exit a0 1; exit b0 143"),
        &format!("{up_printed}; 0:exited 0:stopping=a0-exit-1 stop:b0/30s; 0:stopped=a0-exit-1"),
    );
    // Not essential and never up: the task runs without it.
    check(
        &["TK-13", "3.4/CannotStartContainerError"],
        "",
        web,
        "run web; pulled a0; pulled b0; broken b0; started a0",
        "0:pulling pull:a0 pull:b0; start:a0; start:b0 0:pulled; ; 0:running",
    );
    check(
        &["3.3/TaskFailedToStart", "3.4/CannotStartContainerError"],
        "",
        web,
        "run web; pulled a0; pulled b0; broken a0; started b0; exit b0 137",
        "0:pulling pull:a0 pull:b0; start:a0; start:b0 0:pulled; 0:stopping=a0-start; stop:b0/30s;
         0:stopped=a0-start",
    );
}

#[test]
fn containers_stop_in_reverse_order_each_in_its_own_time() {
    check(
        &["TD-22", "1.3/stopTimeout", "TK-10"],
        "",
        &["web: a<b:start b<c:start/stop=60 c/stop=5 d"],
        "run web; pulled c0; pulled d0; started c0; pulled b0; started b0; pulled a0; started a0; started d0;
         halt 0; exit d0 0; exit a0 143; exit b0 143; exit c0 137",
        "0:pulling pull:c0 pull:d0; start:c0; start:d0; pull:b0; start:b0; pull:a0; start:a0 0:pulled; ;
         0:running; 0:stopping stop:a0/30s stop:d0/30s; 0:exited; stop:b0/1m00s; stop:c0/5s; 0:stopped",
    );
}

#[test]
fn a_restart_policy_restarts_in_place() {
    let web = &["web: a/restart=60/ports=1"];
    let up = "0:pulling pull:a0; start:a0[32768] 0:pulled; 0:running";
    // Long enough, then not long enough since the restart.
    check(
        &["TD-20"],
        "",
        web,
        &format!("{UP}; +60s; exit a0 1; started a0; +59s; exit a0 1"),
        &format!("{up}; ; start:a0/1[32768]; ; ; 0:exited 0:stopping=a0-exit-1 0:stopped=a0-exit-1"),
    );
    // An ignored code ends it, and so does a stop.
    check(
        &["TD-20"],
        "",
        web,
        &format!("{UP}; +60s; exit a0 3"),
        &format!("{up}; ; 0:exited 0:stopping=a0-exit-3 0:stopped=a0-exit-3"),
    );
    check(
        &["TK-10"],
        "",
        web,
        &format!("{UP}; +60s; halt 0; exit a0 1"),
        &format!("{up}; ; 0:stopping stop:a0/30s; 0:exited 0:stopped"),
    );
    // A restart that fails: it ran, so it exited.
    check(
        &["TD-20"],
        "",
        web,
        &format!("{UP}; +60s; exit a0 7; broken a0"),
        &format!("{up}; ; start:a0/1[32768]; 0:exited 0:stopping=a0-exit-7 0:stopped=a0-exit-7"),
    );
    // Its health is unknown again.
    check(
        &["TD-20", "TD-25"],
        "",
        &["web: a/restart=60/check"],
        &format!("{UP}; +60s; well a0; exit a0 1; started a0; well a0"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; ; 0:healthy; start:a0/1 0:unknown; ; 0:healthy",
    );
}

#[test]
fn health_is_that_of_the_essential_containers_with_a_check() {
    let up = "run web; pulled a0; pulled b0; pulled c0; started a0; started b0; started c0";
    let printed = "0:pulling pull:a0 pull:b0 pull:c0; start:a0; start:b0; start:c0 0:pulled; ; ; 0:running";
    // Sick is only reported: what follows is the control plane's, and for a standalone task nothing.
    check(
        &["TD-25", "TD-26"],
        "",
        &["web: a/check b/check c"],
        &format!("{up}; well a0; well b0; sick a0; well a0"),
        &format!("{printed}; ; 0:healthy; 0:unhealthy; 0:healthy"),
    );
    check(
        &["TD-25"],
        "",
        &["web: a/check b?/check c"],
        &format!("{up}; sick b0; well a0"),
        &format!("{printed}; ; 0:healthy"),
    );
    check(
        &["TD-25"],
        "",
        &["web: a/check b/check c"],
        &format!("{up}; sick b0; sick a0; well b0"),
        &format!("{printed}; 0:unhealthy; ; "),
    );
    check(&["TD-25"], "", &["web: a b c"], &format!("{up}; well a0"), &format!("{printed}; "));
}

#[test]
fn pulls_are_tried_five_times() {
    check(
        &["AG-13", "3.3/TaskFailedToStart", "3.4/CannotPullContainerError"],
        "",
        &["web: a"],
        "run web; failed a0; +1099ms; +1ms; failed a0; +5s; failed a0; +5s; failed a0; +5s; failed a0",
        "0:pulling pull:a0; ; ; @1.100s pull:a0/1; ; @3.300s pull:a0/2; ; @10.500s pull:a0/3; ;
         @16.100s pull:a0/4; 0:stopping=a0-pull 0:pulled 0:stopped=a0-pull",
    );
}

#[test]
fn the_pull_behavior_decides_what_a_failure_means() {
    const FAILED: &str = "failed a0; +5s; failed a0; +5s; failed a0; +5s; failed a0; +5s";
    let tried = "; @1.100s pull:a0/1; ; @7.200s pull:a0/2; ; @14.400s pull:a0/3; ; @20s pull:a0/4";
    let helper = &["web: a? b"];
    let rows = [
        ("", "cached", "start:a0"),
        ("prefer-cached", "cached", "start:a0"),
        ("", "failed", ""),
        ("prefer-cached", "failed", ""),
        ("always", "cached", "0:stopping=a0-pull"),
        ("once", "cached", "0:stopping=a0-pull"),
        ("once", "failed", "0:stopping=a0-pull"),
    ];
    for (settings, last, printed) in rows {
        // With `always` and `once` the task stops although the container is not essential.
        check(
            &["AG-13", "AG-20"],
            settings,
            helper,
            &format!("run web; {FAILED}; pulled b0; {last} a0"),
            &format!("0:pulling pull:a0 pull:b0; {tried}; start:b0; {printed} 0:pulled"),
        );
    }
}

#[test]
fn the_pull_behavior_decides_what_is_pulled() {
    let web = &["web: a"];
    let twice = "run web; pulled a0; started a0; run web";
    let up = "0:pulling pull:a0; start:a0 0:pulled; 0:running";
    for (settings, second) in [
        ("", "1:pulling pull:a1"),
        ("always", "1:pulling pull:a1"),
        ("once", "1:activating start:a1"),
        ("prefer-cached", "1:activating start:a1"),
    ] {
        check(&["AG-20"], settings, web, twice, &format!("{up}; {second}"));
    }
    // An image baked into the machine image is a copy, but was not pulled.
    check(
        &["AG-20"],
        "prefer-cached baked=a",
        web,
        "run web; started a0",
        "0:activating start:a0; 0:running",
    );
    check(&["AG-20"], "once baked=a", web, "run web", "0:pulling pull:a0");
    // A pull that ended after its task did has pulled all the same.
    check(
        &["AG-20"],
        "once",
        web,
        "run web; halt 0; pulled a0; run web",
        "0:pulling pull:a0; 0:stopping 0:pulled 0:stopped; ; 1:activating start:a1",
    );
}

#[test]
fn a_stopped_task_is_kept_for_a_while() {
    let web = &["web: a"];
    check(
        &["AG-16"],
        "prefer-cached",
        web,
        &format!("{UP}; +60s; exit a0 0; +2h; +2h"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; ;
         0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0; ; @3h01m remove:0",
    );
    // Not before the host has answered the pull it still owes.
    check(
        &["AG-16"],
        "prefer-cached keep=60s",
        web,
        "run web; halt 0; +90s; failed a0; +90s",
        "0:pulling pull:a0; 0:stopping 0:pulled 0:stopped; ; ; @2m00s remove:0",
    );
    // A task that never was admitted is nothing to its host.
    check(&["AG-16"], "keep=60s", &["big 2000M: a"], "run big; halt 0; +90s", "; 0:stopping 0:stopped; ");
}

#[test]
fn old_images_are_cleaned_up_in_cycles() {
    // Stopped at 0:20, forgotten at 0:21, an hour old at 1:00; the next beat is 1:30.
    check(
        &["AG-22"],
        "keep=60s",
        &["web: a"],
        &format!("{UP}; +20m; exit a0 0; +3h; run web"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; ;
         0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0; @21m00s remove:0 @1h30m delete:a;
         1:pulling pull:a1",
    );
    // Nothing is cleaned up while a container of it is known, nor with prefer-cached.
    check(
        &["AG-16"],
        "",
        &["web: a"],
        &format!("{UP}; exit a0 0; +179m; +2m; +3h"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running;
         0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0; ; @3h00m remove:0 delete:a; ",
    );
    check(
        &["AG-16"],
        "prefer-cached keep=60s",
        &["web: a"],
        &format!("{UP}; exit a0 0; +9h"),
        "0:pulling pull:a0; start:a0 0:pulled; 0:running;
         0:exited 0:stopping=a0-exit-0 0:stopped=a0-exit-0; @1m00s remove:0",
    );
    // Five a cycle, the one that was forgotten first goes first.
    let tasks: Vec<String> = ["f", "e", "d", "c", "b", "a"].map(|name| format!("{name}: {name}")).into();
    let tasks: Vec<&str> = tasks.iter().map(String::as_str).collect();
    let runs = ["a0", "b1", "c2", "d3", "e4", "f5"];
    let script: Vec<String> = runs.map(|at| format!("run {}; pulled {at}; started {at}", &at[..1])).into();
    let mut script = script.join("; ");
    for at in ["b1", "a0", "c2", "d3", "e4", "f5"] {
        script.extend(["; exit ", at, " 0; +61s"]);
    }
    let mut bench = Bench::new("keep=60s", &tasks);
    must_reach(&["AG-22"], || {
        script.split(';').for_each(|action| {
            bench.act(action.trim());
        });
        assert_eq!(
            bench.act("+3h").trim(),
            "@1h30m delete:b delete:a delete:c delete:d delete:e @2h00m delete:f"
        );
    });
    assert_eq!(bench.agent.wake_at(), None);
}

/// Section 14.11: the control plane has counted A as gone since it began to stop; the host has not.
#[test]
fn optimistic_release_makes_the_next_task_wait() {
    check(
        &["AG-10", "AG-11", "1.3/stopTimeout"],
        "",
        &["a 1000M: a/stop=120", "b 1000M: b"],
        "run a; pulled a0; started a0; halt 0; +5s; run b; +115s; exit a0 137; pulled b1; started b1",
        "0:pulling pull:a0; start:a0 0:pulled; 0:running; 0:stopping stop:a0/2m00s; ; ; ;
         0:exited 0:stopped 1:pulling pull:b1; start:b1 1:pulled; 1:running",
    );
}
