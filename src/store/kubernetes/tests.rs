//! What is written is told once, in order, and counted.

use super::*;
use crate::base::{EntityKey, Symbols};

fn pod(symbols: &mut Symbols, name: &str) -> Pod {
    let name = symbols.intern(name);
    Pod {
        key: EntityKey::new("pod", "web", 0),
        namespace: name,
        name,
        uid: name,
        spec: Row::at(0),
        node: None,
        nominated: None,
        ended: false,
        deleted_at: None,
        preempted: false,
        started_at: None,
    }
}

#[test]
fn a_reader_hears_each_change_once_in_order() {
    let mut symbols = Symbols::default();
    let (one, node) = (pod(&mut symbols, "one"), symbols.intern("node-a"));
    let mut record = ClusterRecord::default();
    let (quick, slow) = (record.open(), record.open());
    let at = Timestamp::from_nanos;
    let row = record.create_pod(at(1), one);
    record.change_pod(at(2), row, |pod| pod.node = Some(node));
    record.change_pod(at(3), row, |pod| pod.ended = true);
    record.delete_pod(at(4), row);
    let mut heard = Vec::new();
    let mut hear = |change: ClusterChange<'_>| {
        let ClusterChange::Pod(edit) = change else { panic!("only pods were written") };
        let state = |pod: Option<&Pod>| pod.map(|pod| (pod.node.is_some(), pod.ended));
        heard.push((edit.revision.0, state(edit.old), state(edit.new)));
    };
    record.deliver(quick, at(2), &mut hear);
    record.deliver(quick, at(9), &mut hear);
    record.deliver(slow, at(9), &mut hear);
    let all = [
        (1, None, Some((false, false))),
        (2, Some((false, false)), Some((true, false))),
        (3, Some((true, false)), Some((true, true))),
        (4, Some((true, true)), None),
    ];
    assert_eq!(heard, [all, all].concat());
    record.trim();
    record.recount();
    let books = PodBooks { created: 1, bound: 1, deleted: 1, ..PodBooks::default() };
    assert_eq!(*record.books(), books);
    assert_eq!(record.create_pod(at(10), one), row, "a row that nobody may read any more is used again");
}

#[test]
#[should_panic(expected = "a pod keeps its node")]
fn a_pod_keeps_its_node() {
    let mut symbols = Symbols::default();
    let (one, node) = (pod(&mut symbols, "one"), symbols.intern("node-a"));
    let mut record = ClusterRecord::default();
    let row = record.create_pod(Timestamp::from_nanos(1), Pod { node: Some(node), ..one });
    record.change_pod(Timestamp::from_nanos(2), row, |pod| pod.node = None);
}
