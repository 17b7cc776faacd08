//! Every rule of the specification has a line and a test row, or stands in the list of those without
//! behaviour; every vector and trap that applies is a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rules and table rows of the specification; the file says which.
const RULES: &str = include_str!("../data/ecs_rules.csv");
/// Those without a line: why, or what they wait for.
const WITHOUT: &str = include_str!("../data/ecs_rules_without_behaviour.csv");

/// Vectors of section 14: which test holds them, or which section they wait for.
const VECTORS: &[(&str, Held)] = &[
    ("14.1", By("bounds_round_away_from_each_other", "src/control/ecs/service/plan.rs")),
    ("14.2", Awaits("5.7")),
    ("14.3", Awaits("6.3")),
    ("14.4", Awaits("6.1")),
    ("14.5", Awaits("7.6")),
    ("14.6 default", By("strategies_choose", "src/control/ecs/placement/tests/rules.rs")),
    ("14.6 distinctInstance", By("constraints_bind", "src/control/ecs/placement/tests/rules.rs")),
    ("14.6 scale-in", By("the_strategy_keeps_its_balance", "src/control/ecs/placement/tests/stops.rs")),
    ("14.7", By("vector_14_7", "src/control/ecs/query/tests/mod.rs")),
    ("14.8", Awaits("8.3")),
    ("14.9 Fargate", By("fargate_costs_what_it_runs", "src/measure/bill/tests.rs")),
    ("14.9 m5.large", By("machines_cost_what_they_run", "src/measure/bill/tests.rs")),
    ("14.10", Awaits("5.13")),
    (
        "14.11 placement",
        By("stopping_frees_resources_and_stopped_the_rest", "src/control/ecs/placement/tests/rules.rs"),
    ),
    (
        "14.11 calls",
        By("a_stopping_task_has_given_its_memory_back", "src/control/ecs/scheduler/tests/rows.rs"),
    ),
    ("14.11 agent", By("optimistic_release_makes_the_next_task_wait", "src/control/node/ecs_agent/tests.rs")),
    ("14.11 Fargate Spot", Awaits("6.9")),
    ("14.12", Awaits("10.5")),
];

/// The twenty traps of section 15, alike.
const TRAPS: &[(&str, Held)] = &[
    ("1", By("trap_01_reservation_is_not_the_limit", TRAP_FILE)),
    ("2", By("trap_02_registered_memory_is_less_than_advertised", TRAP_FILE)),
    ("3", Awaits("5.13")),
    ("4", By("trap_04_a_task_without_checks_counts_after_40_seconds", TRAP_FILE)),
    ("4 targets", Awaits("5.13")),
    ("5", By("trap_05_min_rounds_up_max_rounds_down", TRAP_FILE)),
    ("6", By("trap_06_min_below_100_stops_first", TRAP_FILE)),
    ("6 old deployments", Awaits("5.7")),
    ("7", Awaits("5.7")),
    ("8", By("trap_08_a_crash_loop_is_not_throttled", TRAP_FILE)),
    ("9", Awaits("5.7")),
    ("10", Awaits("6.4")),
    ("11", Awaits("6.3")),
    ("12", Awaits("6.3")),
    ("13", Awaits("6.5")),
    ("14", Awaits("6.1")),
    ("15", Awaits("5.11")),
    ("16", By("trap_16_a_disconnected_agent_keeps_its_tasks", TRAP_FILE)),
    ("17", By("trap_17_awsvpc_density_is_bound_by_interfaces", TRAP_FILE)),
    ("18", Awaits("7.1")),
    ("19", Awaits("7.6")),
    ("20", Awaits("8.3")),
];

const TRAP_FILE: &str = "src/control/ecs/scheduler/tests/traps.rs";

/// Who holds a vector or a trap.
enum Held {
    /// A test of this name, in this file.
    By(&'static str, &'static str),
    /// Nobody yet: it needs this section.
    Awaits(&'static str),
}
use Held::{Awaits, By};

/// One file of the sources, split into what ships and what tests it.
struct Source {
    name: String,
    code: String,
    tests: String,
}

fn sources() -> Vec<Source> {
    crate::house::sources().iter().map(|(path, text)| split(path, text)).collect()
}

/// Files in `tests/`, `tests.rs`, and the module of tests that ends a file are tests.
fn split(path: &Path, text: &str) -> Source {
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("below the package").to_string_lossy();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let is_test = name.ends_with("/tests.rs") || name.contains("/tests/");
    let at = if is_test { 0 } else { text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()) };
    Source { name: name.into_owned(), code: text[..at].to_owned(), tests: text[at..].to_owned() }
}

/// The first column of a table.
fn ids(table: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(table.as_bytes());
    let rows = reader.records().map(|row| row.expect("a row of the file"));
    rows.map(|row| {
        assert!(row.iter().all(|cell| !cell.trim().is_empty()), "{row:?} has an empty cell");
        row[0].to_owned()
    })
    .collect()
}

fn unique(table: &str) -> BTreeSet<String> {
    let ids = ids(table);
    let unique: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), unique.len(), "an id stands twice");
    unique
}

/// Every mark of the ECS specification outside tests, and the files that it stands in. Marks of Kubernetes
/// begin with K, those of the fragmentation study with F; recorded decisions and published results hold those.
/// That every K is reached is tested in `src/control/kubernetes/scheduler/recorded_test.rs`.
fn marks(sources: &[Source]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut marks: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        for part in source.code.split("mark!(\"").skip(1) {
            let mark = part.split('"').next().expect("split gives one part at least");
            if mark.starts_with("K ") || mark.starts_with("F ") {
                continue;
            }
            marks.entry(mark).or_default().insert(&source.name);
        }
    }
    marks
}

/// Whether a section is one that is not built yet: 5.7 to 8, 10, 11.
fn is_later(section: &str) -> bool {
    let (chapter, part) = section.split_once('.').unwrap_or((section, "0"));
    match (chapter.parse::<u32>(), part.parse::<u32>()) {
        (Ok(5), Ok(part)) => part >= 7,
        (Ok(chapter), Ok(_)) => matches!(chapter, 6..=8 | 10 | 11),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn complain(wrong: &[&str], what: &str) {
    assert!(wrong.is_empty(), "{} {what}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_a_line_and_a_row_or_a_reason() {
    let (rules, without, sources) = (unique(RULES), unique(WITHOUT), sources());
    let marks = marks(&sources);
    let all = |keep: &dyn Fn(&str) -> bool| -> Vec<&str> {
        rules.iter().map(String::as_str).filter(|id| keep(id)).collect()
    };
    let neither = all(&|id| !marks.contains_key(id) && !without.contains(id));
    complain(&neither, "rules are neither marked at a line nor listed as without behaviour");
    let both = all(&|id| marks.contains_key(id) && without.contains(id));
    complain(&both, "rules are marked, and listed as without behaviour");
    let stray: Vec<&str> = marks.keys().copied().filter(|mark| !rules.contains(*mark)).collect();
    complain(&stray, "marks name no rule");
    let unknown: Vec<&str> = without.iter().map(String::as_str).filter(|id| !rules.contains(*id)).collect();
    complain(&unknown, "listed ids are no rules");
    let is_named = |id: &str| {
        let literal = format!("\"{id}\"");
        sources.iter().any(|source| source.tests.contains(&literal))
    };
    let untested: Vec<&str> = marks.keys().copied().filter(|mark| !is_named(mark)).collect();
    complain(&untested, "marks are named by no test row");
    let lines: usize = sources.iter().map(|source| source.code.matches("mark!(\"").count()).sum();
    #[expect(clippy::print_stdout, reason = "a summary for those who run it with --nocapture")]
    {
        println!("{} rules: {} marked at {lines} lines, {} listed", rules.len(), marks.len(), without.len());
    }
}

/// A reason is a sentence, or begins with a section that is still to come.
#[test]
fn reasons_are_words_or_later_sections() {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(WITHOUT.as_bytes());
    for row in reader.records().map(|row| row.expect("a row of the file")) {
        let first = row[1].split(": ").next().expect("split gives one part at least");
        let names_section = first.starts_with(|letter: char| letter.is_ascii_digit());
        assert!(!names_section || is_later(first), "{} waits for {first}, which is built", &row[0]);
        assert!(names_section || row[1].contains(' '), "{} has no reason", &row[0]);
    }
}

/// What `must_reach` compares are literals of test tables; a file that names rules calls it, or hands
/// them to a sibling that does.
#[test]
fn files_that_name_rules_reach_them() {
    let (rules, sources) = (unique(RULES), sources());
    let folder = |name: &str| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let reaching: BTreeSet<_> = sources
        .iter()
        .filter(|source| source.tests.contains("must_reach("))
        .map(|source| folder(&source.name))
        .collect();
    let names = |source: &&Source| rules.iter().any(|id| source.tests.contains(&format!("&[\"{id}\"")));
    let idle: Vec<&str> = sources
        .iter()
        .filter(names)
        .filter(|source| !reaching.contains(&folder(&source.name)))
        .map(|source| source.name.as_str())
        .collect();
    complain(&idle, "files name rules in tests and never compare them");
}

#[test]
fn every_vector_and_trap_is_a_test_or_waits_for_a_section() {
    for (table, numbers) in [(VECTORS, 1..=12), (TRAPS, 1..=20)] {
        for number in numbers {
            let names = [format!("14.{number}"), number.to_string()];
            let first = |text: &str| text.split(' ').next().map(str::to_owned);
            let has = table.iter().any(|(name, _)| first(name).is_some_and(|name| names.contains(&name)));
            assert!(has, "{} is not in the table", names[0]);
        }
        for (name, held) in table {
            match held {
                By(test, file) => {
                    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
                    let source = fs::read_to_string(path).unwrap_or_default();
                    let is_there = source.contains(&format!("#[test]\nfn {test}("))
                        || source.contains(&format!("#[test]\n    fn {test}("));
                    assert!(is_there, "{name} should be held by {test} in {file}");
                }
                Awaits(section) => {
                    assert!(is_later(section), "{name} waits for {section}, which is built");
                }
            }
        }
    }
}
