//! `windtunnel check`: every complaint about a scenario, without a run.

use std::path::Path;

use super::args::Check;
use super::{Exit, colours, load, paths, say, study, traces};
use crate::scenario::diagnostic::{Style, excerpts, sort};
use crate::scenario::{Diagnostic, Scenario, Severity, Sources, import, lower_with, manifests};

pub(super) fn check(asked: &Check) -> Exit {
    let paths = match paths::scenarios(&asked.file) {
        Ok(paths) => paths,
        Err(exit) => return exit,
    };
    paths.iter().map(|path| check_one(path, asked)).fold(Exit::Good, worse)
}

/// The first exit that is not good.
fn worse(so_far: Exit, next: Exit) -> Exit {
    if so_far == Exit::Good { next } else { so_far }
}

fn check_one(path: &Path, asked: &Check) -> Exit {
    let kind = path.extension().and_then(|kind| kind.to_str()).filter(|_| path.is_file());
    if let Some("json" | "yaml" | "yml") = kind
        && let Some(exit) = check_alone(path, kind == Some("json"), asked)
    {
        return exit;
    }
    let manner = load::Manner { strict: asked.strict, json: asked.json };
    match study::scenario(path, &asked.set, manner) {
        Some(Ok(study)) => {
            return match study::check(&study) {
                Ok(()) => conclude(asked, &study.about(), &[], &Sources::default()),
                Err(exit) => exit,
            };
        }
        Some(Err(exit)) => return exit,
        None => {}
    }
    let mut loaded = match load::scenario(path, &asked.set, manner) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let scenario = loaded.scenario.clone();
    let traces = match traces::traces(&scenario, &loaded, Path::new("."), asked.skip_bad_rows) {
        Ok(traces) => traces,
        Err(exit) => return exit,
    };
    let mut found = Vec::new();
    let mut counts: [Option<usize>; 2] = [None, None];
    for (name, platform) in &scenario.platforms.value {
        let files = match loaded.requests(platform) {
            Ok(files) => files,
            Err(exit) => return exit,
        };
        let (plan, more) = lower_with(&scenario, name, &files, &traces);
        found.extend(more);
        let Some(plan) = plan else { continue };
        match plan.kubernetes {
            Some(cluster) => counts[1] = Some(cluster.pods.len()),
            None => counts[0] = Some(plan.definitions.tasks.len()),
        }
    }
    sort(&mut found);
    let what = format!(
        "{}: {}{}",
        scenario.name.value,
        counted(scenario.platforms.len(), "platform"),
        contents(&scenario, counts)
    );
    conclude(asked, &what, &found, &loaded.sources)
}

/// What the platforms of each sort run, as far as they can be lowered.
fn contents(scenario: &Scenario, [tasks, pods]: [Option<usize>; 2]) -> String {
    let platforms = || scenario.platforms.values();
    let tasks = platforms()
        .any(|platform| platform.ecs.is_some())
        .then(|| format!(", {}", counted(tasks.unwrap_or(0), "task definition")));
    let pods = platforms()
        .any(|platform| platform.eks.is_some())
        .then(|| format!(", {} of pods", counted(pods.unwrap_or(0), "group")));
    tasks.into_iter().chain(pods).collect()
}

/// A file of manifests or of ECS requests by itself; none where it is something else.
fn check_alone(path: &Path, json: bool, asked: &Check) -> Option<Exit> {
    let mut sources = Sources::default();
    let source = match load::file(path, &mut sources) {
        Ok(source) => source,
        Err(exit) => return Some(exit),
    };
    let (what, found) = if manifests::is_manifest(&source.text) {
        ("a file of manifests", manifests::check(&source))
    } else if json {
        ("a file of requests", import::check(&source))
    } else {
        return None;
    };
    Some(conclude(asked, &format!("{}: {what}", path.display()), &found, &sources))
}

/// Prints what was found, and counts it.
fn conclude(asked: &Check, what: &str, found: &[Diagnostic], sources: &Sources) -> Exit {
    let count = |severity: Severity| found.iter().filter(|each| each.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if asked.json {
        load::say_json(found, sources);
    } else {
        let style = if colours() { Style::Colour } else { Style::Plain };
        // Who has a mistake to mend is not told what else is worth knowing.
        let told = |each: &&Diagnostic| errors == 0 || each.severity != Severity::Note;
        let told: Vec<Diagnostic> = found.iter().filter(told).cloned().collect();
        load::complain(&excerpts(&told, sources, style));
        say(&format!("{what}, {}, {}\n", counted(errors, "error"), counted(warnings, "warning")));
    }
    if errors > 0 || asked.strict && warnings > 0 { Exit::WrongInput } else { Exit::Good }
}

/// `1 error`, `2 errors`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
