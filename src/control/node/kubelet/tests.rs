//! One kubelet against a scripted host; the language is that of [`bench`].

mod bench;
mod laws;

use crate::base::mark::must_reach;
use crate::base::{Bytes, Span, Symbols};

use super::{About, ContainerError, KubeletSettings, PodEvent, PullFailure, Rejection};
use bench::{Bench, check};

const UP: &str = "run web; prepared 0; pulled app0; started app0";
const WAS_UP: &str = "prepare:0; 0:pulling pull:app0; 0:pulled start:app0; 0:running 0:ready";

#[test]
fn a_pod_of_one_container() {
    let web = &["web: app"];
    check(
        &[
            "K 3.10 the sandbox comes before the containers",
            "K 3.10 a pod runs when all its main containers were started",
            "K 3.10 what a sync has started is seen at once",
        ],
        "",
        web,
        &format!("{UP}; delete 0 30; +5s; exit app0 143; +1s"),
        &format!("{WAS_UP}; 0:stopping stop:app0/30s; ; 0:unready; @6s 0:failed=deleted remove:0 0:removed"),
    );
    // Told twice, deleted twice, answers for nobody: nothing follows but that the record may go.
    check(
        &[],
        "",
        web,
        &format!(
            "{UP}; again 0; pulled app0; started app0; prepared 0; delete 0 30; delete 0 30; delete 7 0"
        ),
        &format!("{WAS_UP}; ; ; ; ; 0:stopping stop:app0/30s; ; 7:removed"),
    );
    // A sandbox that cannot be made is tried again.
    check(
        &["K 3.10 the sandbox comes before the containers"],
        "events",
        web,
        "run web; unprepared 0; +9s; +1s; prepared 0",
        "prepare:0; 0!FailedCreatePodSandBox; ; @10s prepare:0; app0~Pulling 0:pulling pull:app0",
    );
}

#[test]
fn a_node_refuses_what_does_not_fit() {
    let room = "K 3.10 the node counts again what its pods request";
    let refused = "run web; run web; delete 1 30; run small";
    check(
        &[room],
        "events",
        &["web c600: app", "small c400: app"],
        refused,
        "prepare:0; 1!OutOfcpu 1:rejected=OutOfcpu remove:1; 1:removed; prepare:2",
    );
    check(
        &[room],
        "",
        &["web m600: app", "small m400: app"],
        refused,
        "prepare:0; 1:rejected=OutOfmemory remove:1; 1:removed; prepare:2",
    );
    check(
        &[room],
        "",
        &["web x2: app", "small z9: app"],
        refused,
        "prepare:0; 1:rejected=OutOfx.y/gpu remove:1; 1:removed; prepare:2",
    );
    check(
        &[room],
        "",
        &["web: app"],
        "run web; run web; run web; run web; delete 0 30; run web",
        "prepare:0; prepare:1; prepare:2; 3:rejected=OutOfpods remove:3; ; 4:rejected=OutOfpods remove:4",
    );
    // What has ended gives back what it held; what stops still holds it.
    check(
        &[room],
        "",
        &["web c600 never: app"],
        &format!("{UP}; run web; exit app0 0; +2s; run web; delete 2 1; run web"),
        &format!(
            "{WAS_UP}; 1:rejected=OutOfcpu remove:1; 0:unready 0:stopping; @2s 0:succeeded remove:0; prepare:2; ; 3:rejected=OutOfcpu remove:3"
        ),
    );
    check(
        &["K 3.10 the node looks again at its labels"],
        "",
        &["web elsewhere: app"],
        "run web",
        "0:rejected=NodeAffinity remove:0",
    );
    check(
        &["K 3.10 a port of the host is given once"],
        "",
        &["web p80: app", "dns p53: app"],
        "run web; run dns; run web",
        "prepare:0; prepare:1; 2:rejected=NodePorts remove:2",
    );
    // What is short comes before what does not match.
    check(&[room], "", &["web c1001 elsewhere: app"], "run web", "0:rejected=OutOfcpu remove:0");
    check(
        &[room],
        "",
        &["web p80 x2 never: app"],
        &format!("{UP}; run web; exit app0 0; +2s; run web"),
        &format!(
            "{WAS_UP}; 1:rejected=OutOfx.y/gpu remove:1; 0:unready 0:stopping; @2s 0:succeeded remove:0; prepare:2"
        ),
    );
    check(
        &["K 3.10 a taint that evicts keeps pods from starting"],
        "",
        &["web: app"],
        "run web; taint; run web",
        "prepare:0; ; 1:rejected=TaintToleration remove:1",
    );
}

#[test]
fn images_are_pulled_when_the_policy_says_so() {
    check(
        &["K 3.10 an image that is there is not pulled"],
        "events",
        &["web: app"],
        "run web; prepared 0; pulled app0; run web; prepared 1",
        "prepare:0; app0~Pulling 0:pulling pull:app0; app0~Pulled 0:pulled start:app0; prepare:1;
         app1~Pulled start:app1",
    );
    check(
        &["K 3.10 an image that is there is not pulled"],
        "baked=app:1",
        &["web: app/pull=Never"],
        "run web; prepared 0",
        "prepare:0; start:app0",
    );
    check(
        &["K 3.10 an image that is never pulled must be there"],
        "events",
        &["web: app/pull=Never"],
        "run web; prepared 0; +10s",
        "prepare:0; app0!ErrImageNeverPull app0!Failed; @10s app0!ErrImageNeverPull app0!Failed",
    );
    // Always means at every start; each pull has a number of its own.
    check(
        &[],
        "baked=app:1",
        &["web: app/pull=Always"],
        &format!("{UP}; exit app0 0; pulled app0"),
        &format!("{WAS_UP}; 0:unready pull:app0/1; start:app0/1"),
    );
}

#[test]
fn a_failed_pull_waits() {
    let wait = "K 3.10 a failed pull waits, for each pod and image";
    let web = &["web: app", "two: app log/image=app:1"];
    // 10 s, 20 s, 40 s; between them a sync every ten seconds says so.
    check(
        &[wait],
        "",
        web,
        "run web; prepared 0; failed app0; +9s; +1s; failed app0; +19s; +1s; failed app0; +39s; +1s",
        "prepare:0; 0:pulling pull:app0; ; ; @10s pull:app0/1; ; ; @30s pull:app0/2; ; ; @1m10s pull:app0/3",
    );
    check(
        &[wait],
        "events only=app",
        web,
        "run web; prepared 0; failed app0; +10s; failed app0; +10s",
        "; app0~Pulling; app0!Failed app0!Failed; @10s app0~Pulling; app0!Failed app0!Failed;
         @20s app0~BackOff app0!Failed",
    );
    // Containers of one pod share the wait of an image; another pod has its own.
    check(
        &[wait],
        "events only=log",
        web,
        "run two; prepared 0; failed app0",
        "; ; log0~BackOff log0!Failed",
    );
    check(
        &[wait],
        "",
        web,
        "run web; prepared 0; failed app0; run web; prepared 1",
        "prepare:0; 0:pulling pull:app0; ; prepare:1; 1:pulling pull:app1",
    );
    // The longest wait is 300 s.
    check(
        &[wait],
        "only=pull",
        web,
        "run web; prepared 0; failed app0; +10s; failed app0; +20s; failed app0; +40s; failed app0; +80s;
         failed app0; +160s; failed app0; +300s; failed app0; +300s",
        "; pull:app0; ; @10s pull:app0/1; ; @30s pull:app0/2; ; @1m10s pull:app0/3; ; @2m30s pull:app0/4; ;
         @5m10s pull:app0/5; ; @10m10s pull:app0/6; ; @15m10s pull:app0/7",
    );
}

#[test]
fn the_registry_is_asked_so_often() {
    // What comes too often fails, and waits like any other failure.
    check(
        &["K 3.10 a pull beyond the rate fails"],
        "burst=1 events",
        &["web: app", "api: bpp"],
        "run web; run api; prepared 0; prepared 1; +10s",
        "prepare:0; prepare:1; app0~Pulling 0:pulling pull:app0;
         bpp1~Pulling 1:pulling bpp1!Failed bpp1!Failed; @10s bpp1~Pulling pull:bpp1",
    );
    // One at a time, first come first served; the rate counts when the turn comes.
    check(
        &["K 3.10 pulls that find no place wait in line"],
        "serial",
        &["web: app", "api: bpp"],
        "run web; run api; run api; prepared 0; prepared 2; prepared 1; pulled app0; pulled bpp2; pulled bpp1",
        "prepare:0; prepare:1; prepare:2; 0:pulling pull:app0; 2:pulling; 1:pulling; 0:pulled start:app0 pull:bpp2;
         2:pulled start:bpp2 pull:bpp1; 1:pulled start:bpp1",
    );
    check(
        &["K 3.10 pulls that find no place wait in line"],
        "serial burst=1",
        &["web: app", "api: bpp", "own: cpp"],
        "run web; run api; run own; prepared 0; prepared 1; prepared 2; pulled app0; +10s; pulled bpp1; +20s",
        "prepare:0; prepare:1; prepare:2; 0:pulling pull:app0; 1:pulling; 2:pulling; 0:pulled start:app0;
         @10s pull:bpp1; 1:pulled start:bpp1; @30s pull:cpp2",
    );
}

#[test]
fn containers_start_in_order() {
    // Init containers one by one, each to its end; then the main containers, one after the other.
    check(
        &["K 3.10 init containers start one by one", "K 3.10 a sync starts one container after the other"],
        "baked=a:1 baked=b:1 baked=c:1 baked=d:1",
        &["web: a! b! c d"],
        "run web; prepared 0; started a0; exit a0 0; started b0; exit b0 0; started c0; started d0",
        "prepare:0; start:a0; ; start:b0; ; start:c0; start:d0; 0:running 0:ready",
    );
    // What happens during a sync is looked at in the next one, which follows at once.
    check(
        &["K 3.10 a sync starts one container after the other"],
        "baked=a:1",
        &["web: a b"],
        "run web; prepared 0; started a0; exit a0 1; pulled b0; started b0; started a0",
        "prepare:0; start:a0; 0:pulling pull:b0; ; 0:pulled start:b0; 0:running start:a0/1; 0:ready",
    );
    check(
        &["K 3.10 a sync starts one container after the other"],
        "",
        &["web: a b"],
        "run web; prepared 0; pulled a0; started a0; pulled b0",
        "prepare:0; 0:pulling pull:a0; start:a0; pull:b0; 0:pulled start:b0",
    );
    // A sidecar runs before what is behind it, and beside it.
    check(
        &["K 3.10 a sidecar lets the next one start when it runs"],
        "baked=a:1 baked=b:1 baked=c:1",
        &["web: a* b! c"],
        "run web; prepared 0; started a0; started b0; exit b0 0; started c0",
        "prepare:0; start:a0; start:b0; ; start:c0; 0:running 0:ready",
    );
    check(
        &["K 3.10 a sidecar lets the next one start when it runs"],
        "auto baked=a:1 baked=b:1 baked=c:1",
        &["web: a* b* c"],
        "run web",
        "prepare:0 start:a0 start:b0 start:c0 0:running 0:ready",
    );
    // A sidecar that exits is started again, whatever the policy: before and after the others are up.
    check(
        &["K 3.10 a sidecar is always started again"],
        "baked=a:1 baked=b:1 baked=c:1",
        &["web never: a* b! c"],
        "run web; prepared 0; started a0; started b0; exit a0 0; started a0; exit b0 0; started c0; exit a0 0; +10s",
        "prepare:0; start:a0; start:b0; ; start:a0/1; ; start:c0; 0:running 0:ready; 0:unready; @10s start:a0/2",
    );
    // A container that cannot be started does not hold up the next; an init container holds up all.
    check(
        &[],
        "events baked=a:1 baked=b:1",
        &["web: a b"],
        "run web; prepared 0; broken a0; started b0; +1s; +10s",
        "prepare:0; a0~Pulled start:a0; a0!Failed b0~Pulled start:b0; b0~Created b0~Started;
         @1s a0~Pulled start:a0; ",
    );
    check(
        &["K 3.10 an init container that cannot start holds up the others"],
        "baked=a:1 baked=b:1",
        &["web: a! b"],
        "run web; prepared 0; broken a0; +10s",
        "prepare:0; start:a0; ; @10s start:a0",
    );
    // The sidecar is back before the main containers are when nothing runs.
    check(
        &["K 3.10 a sidecar is always started again"],
        "baked=a:1 baked=b:1",
        &["web: a* b"],
        "run web; prepared 0; started a0; started b0; exit b0 1; started b0; exit b0 1; exit a0 1; +10s; started a0",
        "prepare:0; start:a0; start:b0; 0:running 0:ready; 0:unready start:b0/1; 0:ready; 0:unready; start:a0/1;
         ; start:b0/2 ",
    );
}

#[test]
fn what_exits_is_started_again_by_its_policy() {
    let again = "K 3.10 the restart policy decides over an exit";
    for (policy, code, expected) in [
        ("", "0", "0:unready start:app0/1; "),
        ("", "1", "0:unready start:app0/1; "),
        ("onfailure", "0", "0:unready 0:stopping; @2s 0:succeeded remove:0"),
        ("onfailure", "1", "0:unready start:app0/1; "),
        ("never", "0", "0:unready 0:stopping; @2s 0:succeeded remove:0"),
        ("never", "1", "0:unready 0:stopping; @2s 0:failed=app-exit-1 remove:0"),
    ] {
        let pod = format!("web {policy}: app");
        check(
            &[again],
            "",
            &[&pod],
            &format!("{UP}; exit app0 {code}; +9s"),
            &format!("{WAS_UP}; {expected}"),
        );
    }
    check(
        &[again],
        "",
        &["web: app/restart=Never"],
        &format!("{UP}; oom app0; +2s; delete 0 9"),
        &format!("{WAS_UP}; 0:unready 0:stopping; @2s 0:failed=app-oom remove:0; 0:removed"),
    );
    // A pod succeeds when all of it has; the first failure names it otherwise.
    check(
        &["K 3.10 a pod has succeeded when its containers have"],
        "auto baked=a:1 baked=b:1",
        &["web never: a b"],
        "run web; exit b0 3; exit a0 0; +2s",
        "prepare:0 start:a0 start:b0 0:running 0:ready; 0:unready; 0:stopping; @2s 0:failed=b-exit-3 remove:0",
    );
    // An init container that may not be tried again fails the pod, and its sidecar stops.
    check(
        &["K 3.10 an init container that fails for good fails the pod"],
        "baked=a:1 baked=b:1 baked=c:1",
        &["web never: a* b! c"],
        "run web; prepared 0; started a0; started b0; exit b0 4; exit a0 143; +2s",
        "prepare:0; start:a0; start:b0; ; 0:stopping stop:a0/30s; ; @2s 0:failed=b-exit-4 remove:0",
    );
    check(
        &[],
        "baked=b:1",
        &["web: b! c"],
        "run web; prepared 0; started b0; exit b0 4; started b0; exit b0 4; +10s",
        "prepare:0; start:b0; ; start:b0/1; ; ; @10s start:b0/2",
    );
    // Sidecars do not keep a pod alive whose work is done.
    check(
        &["K 3.10 sidecars keep no pod alive"],
        "auto baked=a:1 baked=b:1",
        &["job onfailure: a* b"],
        "run job; exit b0 0; +2s",
        "prepare:0 start:a0 start:b0 0:running 0:ready; 0:unready 0:stopping stop:a0/30s; @2s 0:succeeded remove:0",
    );
}

#[test]
fn a_crash_loop_waits_longer_and_longer() {
    // Vector 9.3: the container runs for a second.
    check(
        &[
            "K 3.10 the first restart is at once, the waits after it double",
            "K 3.10 the wait after a crash counts from the exit",
            "K 3.10 a back-off ends in a sync of its own",
            "K 3.10 no sync waits longer than the frequency of syncs, jitter aside",
        ],
        "auto life=1s only=start",
        &["web: app"],
        "run web; +920s",
        "start:app0; @1s start:app0/1 @12s start:app0/2 @33s start:app0/3 @1m14s start:app0/4
         @2m35s start:app0/5 @5m16s start:app0/6 @10m17s start:app0/7 @15m18s start:app0/8",
    );
    // The wait counts from the exit, not from the look that found it.
    check(
        &["K 3.10 the wait after a crash counts from the exit"],
        "auto life=1500ms only=start tick=1ms",
        &["web: app"],
        "run web; +14s",
        "start:app0; @2s start:app0/1 @13.500s start:app0/2",
    );
    // While it waits, a sync a minute says so.
    check(
        &["K 3.10 no sync waits longer than the frequency of syncs, jitter aside"],
        "auto events life=1s only=app0!BackOff",
        &["web: app"],
        "run web; +155s",
        "; @2s app0!BackOff @13s app0!BackOff @34s app0!BackOff @1m15s app0!BackOff @2m15s app0!BackOff",
    );
    // Jitter adds half at most: 2 s + 15 s.
    check(
        &["K 3.10 a back-off ends in a sync of its own"],
        "auto late life=1s only=start",
        &["web: app"],
        "run web; +17s",
        "start:app0; @1s start:app0/1 @17s start:app0/2",
    );
    // After twice the longest wait, counted from the last restart to the exit, it begins anew.
    let quiet = |minutes: u32, seconds: u32| {
        format!(
            "run web; exit app0 1; exit app0 1; +10s; +{minutes}m; +{seconds}s; exit app0 1; +1ms; exit app0 1; +9s; +2s"
        )
    };
    let before = "start:app0; start:app0/1; ; @10s start:app0/2; ; ;";
    check(
        &["K 3.10 what was quiet for twice the longest wait begins anew"],
        "auto only=start relist=1ms",
        &["web: app"],
        &quiet(10, 1),
        &format!("{before} start:app0/3; ; ; ; @10m22s start:app0/4"),
    );
    check(&[], "auto only=start relist=1ms", &["web: app"], &quiet(9, 60), &format!("{before} ; ; ; ; "));
}

#[test]
fn looks_are_at_beats() {
    // A pull that fails at 300 ms is tried again at 10.3 s, which is the tick at 11 s.
    check(
        &["K 3.10 waits end at a tick of the sync loop"],
        "only=pull",
        &["web: app"],
        "run web; +300ms; prepared 0; failed app0; +12s",
        "; ; pull:app0; ; @11s pull:app0/1",
    );
    // What one sync could start beside what it could not is seen at the next relist.
    check(
        &["K 3.10 after a sync that failed the next one waits for a relist"],
        "events only=a0 baked=b:1",
        &["web: a b"],
        "run web; +300ms; prepared 0; failed a0; started b0; +1s; +10s",
        "; ; a0~Pulling; a0!Failed a0!Failed; ; @1s a0~BackOff a0!Failed; @11s a0~Pulling",
    );
    // A pod whose work is done is over two relists later, one that was deleted one relist later.
    check(
        &["K 3.10 each step of the end waits for a relist"],
        "auto",
        &["web never: app"],
        "run web; run web; +300ms; exit app0 0; delete 1 9; +3s",
        "prepare:0 0:pulling pull:app0 0:pulled start:app0 0:running 0:ready;
         prepare:1 start:app1 1:running 1:ready; ; ; 1:stopping stop:app1/9s 1:unready;
         @1s 0:unready 0:stopping 1:failed=deleted remove:1 1:removed @3s 0:succeeded remove:0",
    );
}

#[test]
fn exits_are_seen_late() {
    check(
        &["K 3.10 exits are seen at the next relist"],
        "auto",
        &["web: app"],
        "run web; +500ms; exit app0 1; +499ms; +1ms",
        "prepare:0 0:pulling pull:app0 0:pulled start:app0 0:running 0:ready; ; ; ; @1s 0:unready start:app0/1 0:ready",
    );
    // Both exits of one look are seen by one sync.
    check(
        &["K 3.10 exits are seen at the next relist"],
        "baked=a:1 baked=b:1 auto",
        &["web never: a b"],
        "run web; +500ms; exit a0 0; exit b0 0; +1s; +2s",
        "prepare:0 start:a0 start:b0 0:running 0:ready; ; ; ; @1s 0:unready 0:stopping; @3s 0:succeeded remove:0",
    );
    // An exit that nobody has seen yet is no container to wait for.
    check(
        &[],
        "",
        &["web: app"],
        &format!("{UP}; +500ms; exit app0 1; delete 0 30; exit app0 1; +1s"),
        &format!(
            "{WAS_UP}; ; ; 0:stopping stop:app0/30s; 0:unready; @1s 0:failed=deleted remove:0 0:removed"
        ),
    );
}

#[test]
fn readiness() {
    let probe = "K 3.10 the readiness probe says whether a container is ready";
    let web = &["web: app/ready", "two: a*/ready b/ready"];
    check(
        &[probe],
        "auto",
        web,
        "run web; well app0; well app0; sick app0; well app0; exit app0 1; well app0",
        "prepare:0 0:pulling pull:app0 0:pulled start:app0 0:running; 0:ready; ; 0:unready; 0:ready;
         0:unready start:app0/1; 0:ready",
    );
    check(
        &["K 3.10 a pod is ready when its containers and sidecars are"],
        "auto baked=a:1 baked=b:1",
        web,
        "run two; well b0; well a0; sick a0",
        "prepare:0 start:a0 start:b0 0:running; ; 0:ready; 0:unready",
    );
    // What is said of a container that does not run is late.
    check(
        &[],
        "auto",
        web,
        "run web; delete 0 9; well app0; +1s; well app0",
        "prepare:0 0:pulling pull:app0 0:pulled start:app0 0:running;
         0:stopping stop:app0/9s; ; @1s 0:failed=deleted remove:0 0:removed; ",
    );
}

#[test]
fn a_pod_stops_in_order() {
    let order = "K 3.10 sidecars stop after the main containers, in reverse";
    let web = &["web: a* b* c d"];
    let up = "run web; prepared 0; started a0; started b0; started c0; started d0";
    let was_up = "prepare:0; start:a0; start:b0; start:c0; start:d0; 0:running 0:ready";
    let baked = "baked=a:1 baked=b:1 baked=c:1 baked=d:1";
    check(
        &[order],
        baked,
        web,
        &format!("{up}; delete 0 30; +1500ms; exit c0 143; exit d0 143; +1s; exit b0 143; exit a0 143; +1s"),
        &format!(
            "{was_up}; 0:stopping stop:c0/30s stop:d0/30s; ; ; stop:b0/29s; ; stop:a0/28s; 0:unready;
             @3s 0:failed=deleted remove:0 0:removed"
        ),
    );
    // An init container is nothing to wait for.
    check(
        &[order],
        "baked=a:1 baked=b:1",
        &["web: a* b! c"],
        "run web; prepared 0; started a0; started b0; delete 0 30",
        "prepare:0; start:a0; start:b0; ; 0:stopping stop:a0/30s stop:b0/30s",
    );
    // At the end of the grace everything is told, and has two seconds.
    check(
        &[order, "K 3.10 no container has less than two seconds to stop"],
        baked,
        web,
        &format!("{up}; delete 0 5; +5s"),
        &format!("{was_up}; 0:stopping stop:c0/5s stop:d0/5s; @5s stop:a0/2s stop:b0/2s"),
    );
    check(
        &["K 3.10 no container has less than two seconds to stop"],
        "",
        &["web: app"],
        &format!("{UP}; delete 0 0"),
        &format!("{WAS_UP}; 0:stopping stop:app0/2s"),
    );
    // A second deletion with less grace is told to those that stop; one with more changes nothing.
    check(
        &["K 3.10 a grace can only become shorter"],
        "",
        &["web: app"],
        &format!("{UP}; delete 0 60; delete 0 90; delete 0 10; exit app0 137; exit app0 137; +1s"),
        &format!(
            "{WAS_UP}; 0:stopping stop:app0/1m00s; ; stop:app0/10s; 0:unready; ; @1s 0:failed=deleted remove:0 0:removed"
        ),
    );
    // A deletion that comes later hastens the end of a pod whose work is done, and does not rename it.
    check(
        &["K 3.10 a grace can only become shorter"],
        "baked=a:1 baked=c:1",
        &["job never: a* c"],
        "run job; prepared 0; started a0; started c0; exit c0 0; delete 0 5; exit a0 137; +2s",
        "prepare:0; start:a0; start:c0; 0:running 0:ready; 0:unready 0:stopping stop:a0/30s; stop:a0/5s; ; @2s 0:succeeded remove:0 0:removed",
    );
    // A pod whose work is done stops its sidecars by its own grace.
    check(
        &[order],
        "auto baked=a:1 baked=c:1",
        &["job g7 never: a* c"],
        "run job; exit c0 0; +1s; delete 0 1; +1s",
        "prepare:0 start:a0 start:c0 0:running 0:ready; 0:unready 0:stopping stop:a0/7s; ; ;
         @2s 0:succeeded remove:0 0:removed",
    );
    check(
        &[],
        "events auto baked=app:1",
        &["web: app"],
        "run web; delete 0 3; +1s",
        "prepare:0 app0~Pulled start:app0 app0~Created app0~Started 0:running 0:ready;
         0:stopping app0~Killing stop:app0/3s 0:unready; @1s 0:failed=deleted remove:0 0:removed",
    );
}

#[test]
fn a_deletion_waits_for_the_sync_under_way() {
    let waits = "K 3.10 a deletion waits for the sync under way";
    let web = &["web: app"];
    check(&[], "", web, "run web; delete 0 9; prepared 0", "prepare:0; ; 0:pulling pull:app0");
    check(
        &[waits],
        "",
        web,
        "run web; prepared 0; delete 0 9; pulled app0; +20s; started app0; exit app0 143; +1s",
        "prepare:0; 0:pulling pull:app0; ; 0:pulled start:app0; ; 0:running 0:ready 0:stopping stop:app0/9s;
         0:unready; @21s 0:failed=deleted remove:0 0:removed",
    );
    check(
        &[waits],
        "",
        web,
        "run web; prepared 0; delete 0 9; failed app0; +1s; +1s",
        "prepare:0; 0:pulling pull:app0; ; ; @1s 0:stopping; @2s 0:failed=deleted remove:0 0:removed",
    );
    check(
        &[waits],
        "",
        web,
        "run web; delete 0 9; unprepared 0; +1s; +1s",
        "prepare:0; ; ; @1s 0:stopping; @2s 0:failed=deleted remove:0 0:removed",
    );
    // Between two syncs it does not wait.
    check(
        &[],
        "",
        web,
        "run web; prepared 0; failed app0; +1s; delete 0 9; +20s",
        "prepare:0; 0:pulling pull:app0; ; ; 0:stopping; @2s 0:failed=deleted remove:0 0:removed",
    );
}

#[test]
fn events_in_the_words_of_the_original() {
    let mut symbols = Symbols::default();
    let image = symbols.intern("app:1");
    let about =
        About { namespace: "shop", name: "web-0", uid: "u7", container: "app", image: Bytes::new(1234) };
    let pulled = |took: u64, waited: u64| PodEvent::Pulled {
        image,
        took: Span::millis(took),
        waited: Span::millis(waited),
    };
    let words = "K 3.10 an image that is there may be used by the pod";
    let rows = [
        (
            PodEvent::Rejected(Rejection::NodeAffinity),
            "Warning NodeAffinity Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
        (PodEvent::SandboxFailed, "Warning FailedCreatePodSandBox Failed to create pod sandbox"),
        (PodEvent::Pulling(image), "Normal Pulling Pulling image \"app:1\""),
        (
            PodEvent::Present(image),
            "Normal Pulled Container image \"app:1\" already present on machine and can be accessed by the pod",
        ),
        (
            pulled(532, 62_500),
            "Normal Pulled Successfully pulled image \"app:1\" in 532ms (1m2.5s including waiting). Image size: 1234 bytes.",
        ),
        (
            pulled(0, 3_600_000),
            "Normal Pulled Successfully pulled image \"app:1\" in 0s (1h0m0s including waiting). Image size: 1234 bytes.",
        ),
        (
            pulled(1_001, 2_000),
            "Normal Pulled Successfully pulled image \"app:1\" in 1.001s (2s including waiting). Image size: 1234 bytes.",
        ),
        (
            PodEvent::PullFailed(image, PullFailure::Rate),
            "Warning Failed Failed to pull image \"app:1\": pull QPS exceeded",
        ),
        (
            PodEvent::PullFailed(image, PullFailure::Registry),
            "Warning Failed Failed to pull image \"app:1\": the registry did not deliver it",
        ),
        (PodEvent::Error(ContainerError::ErrImagePull), "Warning Failed Error: ErrImagePull"),
        (PodEvent::Error(ContainerError::ImagePullBackOff), "Warning Failed Error: ImagePullBackOff"),
        (PodEvent::PullBackoff(image), "Normal BackOff Back-off pulling image \"app:1\""),
        (
            PodEvent::NeverPulled(image),
            "Warning ErrImageNeverPull Container image \"app:1\" is not present with pull policy of Never",
        ),
        (PodEvent::Created, "Normal Created Container created"),
        (PodEvent::Started, "Normal Started Container started"),
        (PodEvent::Killing, "Normal Killing Stopping container app"),
        (
            PodEvent::CrashBackoff,
            "Warning BackOff Back-off restarting failed container app in pod web-0_shop(u7)",
        ),
    ];
    must_reach(&[words], || {
        for (event, expected) in rows {
            let kind = if event.is_warning() { "Warning" } else { "Normal" };
            let text = format!("{kind} {} {}", event.reason(&symbols), event.message(&about, &symbols));
            assert_eq!(text, expected);
        }
    });
}

#[test]
fn settings_that_would_spin_are_raised() {
    let normal = KubeletSettings::default();
    assert_eq!(normal.in_force(), normal);
    let tick = Span::ZERO;
    let zero =
        KubeletSettings { tick, retry: Span::ZERO, sync_frequency: Span::ZERO, relist: Span::ZERO, ..normal };
    let held = KubeletSettings {
        retry: Span::SECOND,
        sync_frequency: Span::SECOND,
        relist: Span::millis(1),
        tick: Span::millis(1),
        ..normal
    };
    assert_eq!(zero.in_force(), held);
}

/// Nothing that is quiet costs a unit of work.
#[test]
fn a_pod_that_runs_wants_no_look() {
    let mut bench = Bench::new("auto", &["web: app/ready"]);
    assert!(bench.act("run web").ends_with("0:running"));
    assert_eq!(bench.act("well app0"), "0:ready");
    assert_eq!(bench.wake_at(), None);
}
