//! One kubelet against a scripted host; the language is that of [`bench`].

mod bench;

use bench::check;

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
        &format!("{UP}; delete 0 30; +5s; exit app0 143"),
        &format!("{WAS_UP}; 0:stopping stop:app0/30s; ; 0:unready 0:failed=deleted remove:0 0:removed"),
    );
}
