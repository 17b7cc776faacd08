//! Scenario files and the files beside them, from disk to structs.
//!
//! Knows nothing of what they mean.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::paths::STANDARD_INPUT;
use super::{Exit, colours, say, warn};
use crate::scenario::diagnostic::{SOURCE_BYTES_MAX, Style, excerpts};
use crate::scenario::schema::Platform;
use crate::scenario::{Code, Diagnostic, Place, Scenario, Severity, Source, Sources, read, read_changed};

/// A scenario and everything that was read with it.
pub(super) struct Loaded {
    pub(super) scenario: Scenario,
    pub(super) sources: Sources,
    /// The scenario's own text, as it was run.
    pub(super) text: Rc<Source>,
    folder: PathBuf,
    /// The request files and manifests that were read.
    files: Vec<(PathBuf, Rc<Source>)>,
}

/// How complaints are told.
#[derive(Clone, Copy, Default)]
pub(super) struct Manner {
    /// Warnings end the command too.
    pub(super) strict: bool,
    /// As JSON on standard output.
    pub(super) json: bool,
}

/// Reads a scenario: a file, or the `scenario.yaml` of a folder, with values replaced.
pub(super) fn scenario(path: &Path, set: &[String], manner: Manner) -> Result<Loaded, Exit> {
    let file = if path.is_dir() { path.join("scenario.yaml") } else { path.to_owned() };
    if path.is_dir() && !file.exists() {
        warn(&format!("E0801 {} is a folder without a scenario.yaml\n", path.display()));
        return Err(Exit::Files);
    }
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    let mut sources = Sources::default();
    let (name, bytes) = if path.as_os_str() == STANDARD_INPUT {
        ("standard input".to_owned(), bounded(std::io::stdin().lock()))
    } else {
        (file.display().to_string(), bytes(&file))
    };
    let bytes = bytes.map_err(|error| unreadable(&file, &error))?;
    let mut text = sources.add(name, bytes);
    let changes: Vec<Rc<Source>> =
        set.iter().map(|change| sources.add("--set", change.clone().into_bytes())).collect();
    let (scenario, found) = if changes.is_empty() {
        read::<Scenario>(&text)
    } else {
        let (read, found) = read_changed::<Scenario>(&text, &changes);
        let (scenario, written) = read.unzip();
        let name = format!("{} with --set", text.name);
        text = written.map_or(text, |written| sources.add(name, written.into_bytes()));
        (scenario, found)
    };
    report(&found, &sources, manner)?;
    let scenario = scenario.ok_or(Exit::WrongInput)?;
    if scenario.platforms.is_empty() {
        let message = "a scenario without a platform runs nothing";
        let wrong = Diagnostic::new(Code::WrongValue, scenario.platforms.place, message);
        report(&[wrong], &sources, manner)?;
    }
    Ok(Loaded { scenario, sources, text, folder, files: Vec::new() })
}

impl Loaded {
    /// Where a file lies that the scenario names.
    pub(super) fn beside(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The request files or manifests of a platform, in the order of their names.
    pub(super) fn requests(&mut self, platform: &Platform) -> Result<Vec<Rc<Source>>, Exit> {
        let Some(pattern) = platform.files() else { return Ok(Vec::new()) };
        let (below, name) = pattern.rsplit_once('/').unwrap_or(("", pattern.as_str()));
        let folder = self.folder.join(below);
        let mut names: Vec<String> = match fs::read_dir(&folder) {
            Ok(entries) => entries
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter(|file| crate::scenario::lower::matches(name, file))
                .collect(),
            Err(_) => Vec::new(),
        };
        names.sort_unstable();
        let mut files = Vec::new();
        for name in names {
            let path = folder.join(name);
            let known =
                self.files.iter().find(|(read, _)| *read == path).map(|(_, source)| Rc::clone(source));
            files.push(match known {
                Some(source) => source,
                None => self.file(path)?,
            });
        }
        Ok(files)
    }

    /// Reads a file, once: platforms share most.
    fn file(&mut self, path: PathBuf) -> Result<Rc<Source>, Exit> {
        let source = file(&path, &mut self.sources)?;
        self.files.push((path, Rc::clone(&source)));
        Ok(source)
    }
}

/// Prints what ends the command, if anything does.
pub(super) fn report(found: &[Diagnostic], sources: &Sources, manner: Manner) -> Result<(), Exit> {
    let fatal = |each: &Diagnostic| {
        each.severity == Severity::Error || manner.strict && each.severity == Severity::Warning
    };
    let fatal: Vec<Diagnostic> = found.iter().filter(|each| fatal(each)).cloned().collect();
    if fatal.is_empty() {
        return Ok(());
    }
    if manner.json {
        say_json(&fatal, sources);
        return Err(Exit::WrongInput);
    }
    let style = if colours() { Style::Colour } else { Style::Plain };
    complain(&excerpts(&fatal, sources, style));
    Err(Exit::WrongInput)
}

/// Prints one object a line.
pub(super) fn say_json(found: &[Diagnostic], sources: &Sources) {
    for each in found {
        let line = serde_json::to_string(&each.written(sources)).expect("a diagnostic can be written");
        say(&format!("{line}\n"));
    }
}

/// Prints excerpts, which end without a line break.
pub(super) fn complain(excerpts: &str) {
    if !excerpts.is_empty() {
        warn(&format!("{}\n", excerpts.trim_end()));
    }
}

/// One file as a source.
pub(super) fn file(path: &Path, sources: &mut Sources) -> Result<Rc<Source>, Exit> {
    let bytes = bytes(path).map_err(|error| unreadable(path, &error))?;
    Ok(sources.add(path.display().to_string(), bytes))
}

/// Reads a file, but not more than one byte beyond the limit: reading it then says that it is too large.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    bounded(File::open(path)?)
}

fn bounded(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(SOURCE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Exit {
    let message = format!("{} cannot be read: {error}", path.display());
    let line = Diagnostic::new(Code::CannotRead, Place::default(), message);
    warn(&format!("{}\n", line.line(&Sources::default())));
    Exit::Files
}
