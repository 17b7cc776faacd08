//! Every rule has a line, and every line is reached: by a recorded decision, or by a row that names it.
//!
//! `tests/it/conformance` compares what the recorded cases answer; here they are decided once more in a
//! build that notes which marks they reach. A mark that none of them reaches must stand in a
//! `must_reach` row.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::base::mark;

#[path = "../../../../tests/it/conformance/describe.rs"]
mod describe;
#[expect(dead_code, reason = "the other replay looks at more")]
#[path = "../../../../tests/it/conformance/world.rs"]
mod world;

use world::{Rules, World};

#[test]
fn every_mark_of_kubernetes_is_reached() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reached = reached_by_recordings(&root.join("tests/data/kubernetes/conformance"));
    let mut text = String::new();
    read_sources(&root.join("src"), &mut text);
    let marks: BTreeSet<&str> = between(&text, "mark!(\"").filter(|mark| mark.starts_with("K ")).collect();
    assert!(marks.len() > 150, "the marks are found");
    let unreached: Vec<&str> = marks
        .into_iter()
        .filter(|mark| !reached.contains(mark) && text.matches(&format!("\"{mark}\"")).count() < 2)
        .collect();
    assert!(unreached.is_empty(), "nothing reaches {unreached:#?}");
}

/// The marks that the recorded cases reach, each decided with and without reasons.
fn reached_by_recordings(folder: &Path) -> BTreeSet<&'static str> {
    let mut reached = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the recordings are there") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "gz") {
            continue;
        }
        let mut cases = String::new();
        GzDecoder::new(File::open(&path).expect("it is there")).read_to_string(&mut cases).expect("gzip");
        for line in cases.lines() {
            let case: Value = serde_json::from_str(line).expect("a case is JSON");
            for brief in [false, true] {
                reached.extend(mark::reached_by(|| {
                    let rules = Rules { brief, ..Rules::default() };
                    let mut world = World::new(&case, &rules).expect("a case that can be read");
                    for step in case["steps"].as_array().expect("a case has steps") {
                        world.take(step).expect("a step that can be taken");
                    }
                }));
            }
        }
    }
    reached
}

fn read_sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// What stands between `before` and the next quotation mark, each time.
fn between<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}
