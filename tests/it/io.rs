//! The outer world fails: full disks, folders that cannot be written, readers that go away, huge files.
//!
//! Each test holds for any user, root included.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::tool::{Ended, files, good, program, scratch, text, tool};

/// Runs a line of the shell in which `$TOOL` is the program.
fn shell(line: &str) -> Ended {
    let output = Command::new("sh")
        .args(["-c", line])
        .env("TOOL", env!("CARGO_BIN_EXE_windtunnel"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_full_disk_leaves_whole_files_only() {
    let folder = scratch();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    good(&["run", "scenarios/one-task", "--quiet", "--out", text(&whole)]);
    // Files end at 8 blocks of 512 bytes, as if the disk were full; the signal that says so is ignored.
    let line = format!("trap '' XFSZ; ulimit -f 8; exec $TOOL run scenarios/one-task --out {}", text(&cut));
    let ended = shell(&line);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.starts_with("E0802 ") && ended.err.contains("cannot be written"), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    let whole = files(&whole);
    for (path, bytes) in files(&cut) {
        assert_eq!(Some(&bytes), whole.get(&path), "{} is whole, or is not there", path.display());
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_said() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let ended = shell("exec $TOOL catalog m7i > /dev/full");
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.starts_with("E0802 standard output cannot be written: "), "{}", ended.err);
}

#[test]
fn folders_that_cannot_be_made_are_found_before_the_run() {
    let folder = scratch();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let below_a_file = file.join("below");
    let long = folder.path().join("x".repeat(300));
    for out in [below_a_file.as_path(), long.as_path(), Path::new("/proc/windtunnel/out"), file.as_path()] {
        // A run of a year would be noticed.
        let ended = tool(&["run", "scenarios/first-flight", "--set", "run_for=366d", "--out", text(out)]);
        assert_eq!(ended.code, Some(4), "{}: {}", out.display(), ended.err);
        assert!(
            ended.err.starts_with(&format!("E0802 {} cannot be written: ", out.display())),
            "{}",
            ended.err
        );
    }
    assert_eq!(files(folder.path()).len(), 1, "nothing is left but the file");
}

#[test]
fn what_cannot_be_replaced_stays_as_it_was() {
    let folder = scratch();
    let out = folder.path();
    good(&["run", "scenarios/one-task", "--quiet", "--out", text(out)]);
    let before = files(out);
    // A folder stands where the first file of the next run belongs.
    let first = before.keys().find(|path| path.components().count() == 1).expect("a file").clone();
    fs::remove_file(out.join(&first)).expect("a file goes");
    fs::create_dir(out.join(&first)).expect("a folder in its place");
    fs::write(out.join(&first).join("inner"), "kept").expect("a file in it");
    let ended = tool(&["run", "scenarios/one-task", "--seed", "7", "--quiet", "--out", text(out)]);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    let after = files(out);
    assert!(after.keys().all(|path| !path.to_string_lossy().contains(".writing-")), "{:?}", after.keys());
    assert_eq!(after.get(&first.join("inner")).map(Vec::as_slice), Some(&b"kept"[..]));
}

#[test]
fn a_reader_that_wants_one_line_gets_it_quietly() {
    let folder = scratch();
    let mut child = program()
        .args(["run", "scenarios/one-task", "--json", "--quiet", "--out", text(folder.path())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut reader = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    drop(reader);
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert_eq!((child.wait().expect("it ends").code(), &*said, &*line), (Some(0), "", "{\n"));
    let ended = shell("$TOOL error --list | head -1");
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "# Errors and warnings\n", ""));
}

#[test]
fn huge_files_are_refused_in_little_memory() {
    let folder = scratch();
    let path = folder.path().join("huge.yaml");
    let file = File::create(&path).expect("a file");
    file.set_len(10 << 30).expect("a hole of 10 GiB takes no room");
    drop(file);
    for command in ["check", "run"] {
        let ended = shell(&format!("ulimit -v 1500000; exec $TOOL {command} {}", text(&path)));
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.starts_with("error[E0701]: the file is larger than 64 MiB"), "{}", ended.err);
    }
    // One line of text, as long as a file may be, in a list that nobody wants.
    let long = format!("[{{ \"operation\": \"RunTask\", \"input\": \"{}\" }}]", "x".repeat(60 << 20));
    let path = folder.path().join("long.json");
    fs::write(&path, long).expect("a file");
    let ended = shell(&format!("ulimit -v 1500000; exec $TOOL check {}", text(&path)));
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(
        ended.err.len() < 2_000 && ended.err.contains("E0413"),
        "{}",
        &ended.err[..2_000.min(ended.err.len())]
    );
}

#[test]
fn files_that_are_none_are_named() {
    let folder = scratch();
    for (path, code) in
        [(folder.path().join("gone.yaml"), 4), (folder.path().to_owned(), 4), ("/dev/null".into(), 2)]
    {
        let ended = tool(&["check", text(&path)]);
        assert_eq!(ended.code, Some(code), "{}: {}", path.display(), ended.err);
        assert!(ended.err.contains(text(&path)), "{}", ended.err);
    }
}
