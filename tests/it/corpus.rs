//! What fuzzing found worth keeping, once more: nothing panics, and nothing takes long.
//!
//! `fuzz/run` looks for more with random bytes; `fuzz/keep` renews `tests/corpus/`. What once crashed lies
//! there under a name that begins with `found-`.

#[path = "../../fuzz/entry.rs"]
mod entry;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A bound against endless loops, not a measure of speed: an entry takes milliseconds.
const ENTRY_MAX: Duration = Duration::from_secs(20);

#[test]
fn every_entry_is_survived() {
    for (target, enter) in entry::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("every target has a corpus")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort_unstable();
        assert!(paths.len() >= 20, "{target} has a corpus");
        assert!(paths.len() <= 400, "the corpus of {target} stays small");
        for path in paths {
            let bytes = fs::read(&path).expect("an entry is a file");
            #[expect(clippy::disallowed_methods, reason = "the clock of the wall is meant")]
            let start = Instant::now();
            let survived = std::panic::catch_unwind(|| enter(&bytes)).is_ok();
            assert!(survived, "{} panics", path.display());
            assert!(start.elapsed() < ENTRY_MAX, "{} takes too long", path.display());
        }
    }
}

#[test]
fn every_target_of_the_fuzzer_is_replayed() {
    let targets = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets")).expect("targets");
    let mut names: Vec<String> = targets
        .map(|entry| {
            entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    names.sort_unstable();
    let mut replayed: Vec<&str> = entry::ALL.iter().map(|(name, _)| *name).collect();
    replayed.sort_unstable();
    assert_eq!(names, replayed);
}
