//! What the documents show is what happens: every console block of README.md and docs/ is run.
//!
//! A block ```` ```console ```` holds commands (`$ ` in front, `\` at the end goes on) and what they print,
//! both streams together; a line `...` stands for any lines. A file block below a line such as
//! `` `my-shop/scenario.yaml`: `` is written before. The blocks of one document run in order in one folder
//! that holds a copy of `scenarios/`. `windtunnel` is the program of this build, and so is `cargo run
//! --release --`; other `cargo` and `git` commands are passed over.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tool::scratch;

/// A piece of a document that has an effect.
enum Piece {
    File(PathBuf, String),
    Command { line: usize, text: String, expected: Vec<String> },
}

#[test]
fn the_readme_is_true() {
    assert!(replay("README.md") >= 6, "the README shows what the program does");
}

#[test]
fn the_first_journey_is_true() {
    assert!(replay("docs/first-what-if.md") >= 6, "the journey is made of commands");
}

#[test]
fn the_other_documents_are_true() {
    let entries = fs::read_dir(root().join("docs")).expect("documents");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    for name in names {
        if Path::new(&name).extension().is_some_and(|kind| kind == "md") && name != "first-what-if.md" {
            replay(&format!("docs/{name}"));
        }
    }
}

#[test]
fn a_transcript_that_is_not_true_is_found() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let rows = [
        ("a\nb", "a\nb", true),
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...", "a\nb", true),
        ("...\nb\n...\nd\n...", "a\nb\nc\nd", true),
        ("a\n...\nd", "a\nb\nc", false),
        ("a", "a\nb", false),
        ("a\nb", "a", false),
    ];
    for (expected, actual, holds) in rows {
        assert_eq!(agree(&lines(expected), &lines(actual)), holds, "{expected:?} and {actual:?}");
    }
}

/// Runs every command of a document, and hands back how many there were.
fn replay(document: &str) -> usize {
    let text = fs::read_to_string(root().join(document)).expect("a document");
    let folder = scratch();
    prepare(folder.path());
    let (mut count, mut wrong) = (0, String::new());
    for piece in pieces(&text) {
        match piece {
            Piece::File(path, content) => {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, content).expect("a file");
            }
            Piece::Command { line, text, expected } => {
                let Some(text) = runnable(&text) else { continue };
                count += 1;
                let actual = run(&text, folder.path());
                if !expected.is_empty() && !agree(&expected, &actual) {
                    let _ = write!(wrong, "{document}:{line}: $ {text}\n{}\n\n", actual.join("\n"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these commands print something else than is shown:\n\n{wrong}");
    count
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with the scenarios and the program, so that nothing is written where the sources are.
fn prepare(folder: &Path) {
    copy(&root().join("scenarios"), &folder.join("scenarios"));
    fs::create_dir(folder.join("bin")).expect("a folder");
    symlink(env!("CARGO_BIN_EXE_windtunnel"), folder.join("bin/windtunnel")).expect("a link");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file");
        }
    }
}

/// The command as this build runs it; none for what is not run here.
fn runnable(text: &str) -> Option<String> {
    let text = text
        .replace("cargo run --release --", "windtunnel")
        .replace("target/release/windtunnel", "windtunnel");
    let first = text.split_whitespace().next()?;
    (!matches!(first, "cargo" | "git" | "cd" | "curl" | "docker")).then_some(text)
}

/// What a command prints, without the spaces at the ends of lines.
fn run(text: &str, folder: &Path) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "the search path of the shell is extended")]
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {text}")])
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .env_remove("COLUMNS")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    assert!(
        matches!(output.status.code(), Some(0..=2)),
        "{text}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    let printed = String::from_utf8(output.stdout).expect("text");
    printed.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Whether lines are as expected, where `...` stands for any number of them.
fn agree(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == "..." => (0..=actual.len()).any(|skip| agree(rest, &actual[skip..])),
        Some((first, rest)) => actual.first() == Some(first) && agree(rest, &actual[1..]),
    }
}

/// The files and commands of a document, in order.
fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut named: Option<PathBuf> = None;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let block: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            if kind == "console" {
                found.extend(commands(&block, number + 2));
            } else if let Some(path) = named.take() {
                found.push(Piece::File(path, block.join("\n") + "\n"));
            }
        } else if !line.trim().is_empty() {
            let name = line.strip_suffix("`:").and_then(|line| line.rsplit('`').next());
            named = name.filter(|name| name.contains('.') && !name.contains(' ')).map(PathBuf::from);
        }
    }
    found
}

/// The commands of a console block that begins at this line.
fn commands(block: &[&str], start: usize) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let mut goes_on = false;
    for (line, shown) in block.iter().enumerate() {
        let command = shown.strip_prefix("$ ");
        match (command, found.last_mut()) {
            (_, Some(Piece::Command { text, .. })) if goes_on => {
                text.push_str(shown.trim().trim_end_matches('\\'));
                goes_on = shown.ends_with('\\');
            }
            (Some(command), _) => {
                goes_on = command.ends_with('\\');
                let text = command.split("  # ").next().unwrap_or(command).trim_end_matches('\\').to_owned();
                found.push(Piece::Command { line: start + line, text, expected: Vec::new() });
            }
            (None, Some(Piece::Command { expected, .. })) => expected.push(shown.trim_end().to_owned()),
            (None, _) => {}
        }
    }
    for piece in &mut found {
        if let Piece::Command { expected, .. } = piece {
            while expected.last().is_some_and(String::is_empty) {
                expected.pop();
            }
        }
    }
    found
}
