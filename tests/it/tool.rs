//! The program as its users meet it: arguments in, exit code, texts and files out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program, to be run in the folder of the project.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

/// Runs the program.
pub(crate) fn tool(arguments: &[&str]) -> Ended {
    let output = program().args(arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs the program, which must end well, and hands back what it said.
pub(crate) fn good(arguments: &[&str]) -> String {
    let ended = tool(arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
    ended.out
}

/// A folder that goes away with the test.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Every file below a folder with its bytes, by its path below the folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(folder).expect("below the folder").to_owned();
                // A file that has just got its final name is read under that.
                if let Ok(bytes) = fs::read(&path) {
                    found.insert(below, bytes);
                }
            }
        }
    }
    found
}

/// A scenario folder: the scenario, and request files by name.
pub(crate) fn scenario(folder: &Path, scenario: &str, requests: &[(&str, &str)]) {
    fs::create_dir_all(folder.join("requests")).expect("a folder");
    fs::write(folder.join("scenario.yaml"), scenario).expect("a scenario");
    for (name, request) in requests {
        fs::write(folder.join("requests").join(name), request).expect("a request file");
    }
}
