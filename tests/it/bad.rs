//! Broken input: every file of `tests/bad/` is refused for the reasons, and at the places, of one table.
//!
//! To add one: lay a broken file into a folder of `tests/bad/`, run this test, and paste the lines that it
//! prints into `tests/bad/expected.csv`, if they are what somebody who made this mistake wants to read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::tool::{Ended, scratch, text, tool};

/// What is refused: the place (`file:line:column`), the code, and the words.
type Complaint = [String; 3];

#[test]
fn broken_scenarios() {
    check("scenario", in_place);
}

#[test]
fn broken_sections() {
    check("sections", in_place);
}

#[test]
fn broken_units_and_distributions() {
    check("units", in_place);
}

#[test]
fn broken_settings() {
    check("settings", in_place);
}

#[test]
fn broken_requests() {
    check("requests", |file, folder| laid_into("scenario.yaml", file, folder));
}

#[test]
fn broken_requests_for_fargate() {
    check("fargate", |file, folder| laid_into("fargate.yaml", file, folder));
}

#[test]
fn broken_expressions() {
    check("query", |file, folder| laid_into("scenario.yaml", file, folder));
}

#[test]
fn broken_clusters() {
    check("eks", in_place);
}

#[test]
fn broken_manifests() {
    check("manifests", |file, folder| {
        fs::create_dir(folder.join("manifests")).expect("a folder");
        let name = file.file_name().expect("a name");
        fs::copy(bad().join("manifests.yaml"), folder.join("scenario.yaml")).expect("a scenario");
        fs::copy(file, folder.join("manifests").join(name)).expect("a manifest");
        vec![text(folder).to_owned()]
    });
}

#[test]
fn broken_studies() {
    check("study", in_place);
}

#[test]
fn broken_values_to_set() {
    check("set", |file, _| {
        let value = fs::read_to_string(file).expect("a value");
        vec![text(&bad().join("set.yaml")).to_owned(), "--set".to_owned(), value.trim_end().to_owned()]
    });
}

#[test]
fn what_the_broken_files_are_laid_into_is_right() {
    for file in ["set.yaml", "good.json"] {
        let ended = tool(&["check", "--strict", text(&bad().join(file))]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
    let table = table();
    let folders: Vec<&str> = table.keys().filter_map(|file| file.split_once('/')).map(|(of, _)| of).collect();
    for folder in [
        "scenario",
        "sections",
        "units",
        "settings",
        "requests",
        "fargate",
        "query",
        "set",
        "eks",
        "manifests",
    ] {
        let count = folders.iter().filter(|each| **each == folder).count();
        assert!(count >= 8, "{folder} has only {count} broken files");
    }
}

/// A scenario is read where it lies.
fn in_place(file: &Path, _: &Path) -> Vec<String> {
    vec![text(file).to_owned()]
}

/// A request file is read beside a scenario that is right.
fn laid_into(scenario: &str, file: &Path, folder: &Path) -> Vec<String> {
    let name = file.file_name().expect("a name");
    fs::copy(bad().join(scenario), folder.join("scenario.yaml")).expect("a scenario");
    fs::copy(file, folder.join(name)).expect("a request file");
    vec![text(folder).to_owned()]
}

fn bad() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

/// Every broken file of a folder is refused as the table says, by `check` and by `run`, and leaves nothing.
fn check(format: &str, arguments: impl Fn(&Path, &Path) -> Vec<String>) {
    let expected = table();
    let (mut wrong, mut files) = (String::new(), 0);
    let mut paths: Vec<PathBuf> = fs::read_dir(bad().join(format))
        .expect("a folder of broken files")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort_unstable();
    for path in paths {
        let name = format!("{format}/{}", path.file_name().expect("a name").to_string_lossy());
        let folder = scratch();
        let arguments = arguments(&path, folder.path());
        files += 1;
        match refused(&arguments, &folder.path().join("out")) {
            Ok(found) if expected.get(&name) == Some(&found) => {}
            Ok(found) => wrong.push_str(&rows(&name, &found)),
            Err(why) => drop(writeln!(wrong, "{name}: {why}")),
        }
    }
    let listed = expected.keys().filter(|name| name.starts_with(&format!("{format}/"))).count();
    assert!(wrong.is_empty(), "tests/bad/expected.csv has other rows than these:\n{wrong}");
    assert_eq!(files, listed, "tests/bad/expected.csv names a file of {format} that is not there");
}

/// What is said of a broken input; an error when it is not refused as it should be.
fn refused(arguments: &[String], out: &Path) -> Result<Vec<Complaint>, String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let checked = tool(&[&["check", "--json"], &*arguments].concat());
    // What passes the check is not run: it might go on for ever.
    let is_refused = |command: &str, ended: &Ended| match ended.code {
        Some(2) => Ok(()),
        code => Err(format!("`{command}` ends with {code:?}: {}{}", ended.out, ended.err)),
    };
    is_refused("check", &checked)?;
    let run = tool(&[&["run", "--quiet", "--out", text(out)], &*arguments].concat());
    is_refused("run", &run)?;
    if out.exists() {
        return Err("something is written".to_owned());
    }
    if !run.err.ends_with('\n') || run.err.len() > 100_000 {
        return Err(format!("what is said is cut or too long: {}", run.err));
    }
    let found: Vec<Value> =
        checked.out.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let errors: Vec<Complaint> =
        found.iter().filter(|each| each["severity"] == "error").map(complaint).collect();
    match errors.iter().find(|[_, code, _]| !run.err.contains(code)) {
        Some([_, code, _]) => Err(format!("`check` says {code}, and `run` does not: {}", run.err)),
        None => Ok(errors),
    }
}

fn complaint(found: &Value) -> Complaint {
    let part = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let file = part("file").rsplit('/').next().expect("one part at least").to_owned();
    let place = match (&found["line"], &found["column"]) {
        (line, _) if *line == 0 => file,
        (line, column) => format!("{file}:{line}:{column}"),
    };
    let hint = if found["hint"].is_string() { format!("; {}", part("hint")) } else { String::new() };
    [place, part("code"), part("message") + &hint]
}

/// The table: what is expected of each file, in order.
fn table() -> BTreeMap<String, Vec<Complaint>> {
    let mut reader = csv::Reader::from_path(bad().join("expected.csv")).expect("the table");
    let mut table: BTreeMap<String, Vec<Complaint>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a row");
        let cell = |at: usize| row.get(at).expect("four columns").to_owned();
        table.entry(cell(0)).or_default().push([cell(1), cell(2), cell(3)]);
    }
    table
}

/// Rows as the table has them.
fn rows(name: &str, found: &[Complaint]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for [place, code, said] in found {
        writer.write_record([name, place, code, said]).expect("memory can be written");
    }
    String::from_utf8(writer.into_inner().expect("memory can be flushed")).expect("text")
}
