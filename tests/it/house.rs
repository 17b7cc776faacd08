//! The house stands: floors, file sizes, and the words the project may not say.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by floor; modules on one floor are siblings and do not import each other.
const FLOORS: [&[&str]; 8] = [
    &["base"],
    &["engine", "catalog"],
    &["control", "world", "workload"],
    &["store"],
    &["sim"],
    &["measure"],
    &["report", "scenario", "experiment", "study"],
    &["cli"],
];

/// A module that may import less than its floor allows.
const NARROW: [(&str, &[&str]); 1] = [("control", &["base", "catalog"])];

/// Siblings that may import each other all the same, with the reason.
const SIBLINGS: [(&str, &str, &str); 1] =
    [("experiment", "scenario", "an experiment of a scenario lowers it for each platform")];

/// Files beyond this many lines want a second look; tables and tests are exempt.
const LINES_MAX: usize = 900;

/// Every source file and its text, in the order of their paths.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources are there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).expect("sources are text");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// The module of a file: the first folder or file name below `src`.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn may_import(from: &str, to: &str) -> bool {
    if from == to || matches!(from, "lib" | "main") {
        return true;
    }
    if let Some((_, allowed)) = NARROW.iter().find(|(narrow, _)| *narrow == from) {
        return allowed.contains(&to);
    }
    let sibling = SIBLINGS.iter().any(|(left, right, _)| *left == from && *right == to);
    sibling || matches!((floor(from), floor(to)), (Some(from), Some(to)) if to < from)
}

/// The text without its tests: tests may look anywhere.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().expect("split gives one part at least")
}

#[test]
fn modules_import_lower_floors_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = module(&path);
        let is_test = path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
        if is_test {
            continue;
        }
        for (number, line) in without_tests(&text).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for part in line.split("crate::").skip(1) {
                let to: String = part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if floor(&to).is_some() && !may_import(&from, &to) {
                    wrong.push(format!("{}:{}: {from} imports {to}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "the floors are broken:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    for (path, _) in sources() {
        let module = module(&path);
        assert!(floor(&module).is_some() || matches!(&*module, "lib" | "main"), "{module} has no floor");
    }
}

#[test]
fn files_open_with_what_they_are() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} opens with its purpose", path.display());
    }
}

#[test]
fn files_stay_readable() {
    for (path, text) in sources() {
        let lines = without_tests(&text).lines().count();
        let exempt = path.to_string_lossy().contains("test");
        assert!(exempt || lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

/// Only the outermost floor touches files, the environment or clocks.
#[test]
fn nothing_below_cli_opens_a_file() {
    for (path, text) in sources() {
        if matches!(&*module(&path), "cli" | "main") || path.to_string_lossy().contains("test") {
            continue;
        }
        for banned in ["std::fs", "std::env", "std::net", "std::process", "Instant::now", "SystemTime"] {
            assert!(!without_tests(&text).contains(banned), "{} uses {banned}", path.display());
        }
    }
}
