//! `windtunnel check`: every complaint about a scenario, without a run.

use super::args::Check;
use super::load;
use super::{Exit, colours, say, warn};
use crate::scenario::diagnostic::{Style, excerpts, sort};
use crate::scenario::{Severity, lower};

pub(super) fn check(asked: &Check) -> Exit {
    let mut loaded = match load::scenario(&asked.file, &[], asked.strict) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let scenario = loaded.scenario.clone();
    let mut found = Vec::new();
    let mut tasks = 0;
    for (name, platform) in &scenario.platforms {
        let files = match loaded.requests(&platform.ecs.requests) {
            Ok(files) => files,
            Err(exit) => return exit,
        };
        let (plan, more) = lower(&scenario, name, &files);
        found.extend(more);
        tasks = plan.map_or(tasks, |plan| plan.definitions.tasks.len());
    }
    sort(&mut found);
    let count = |severity: Severity| found.iter().filter(|each| each.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if asked.json {
        for each in &found {
            let line =
                serde_json::to_string(&each.written(&loaded.sources)).expect("a diagnostic can be written");
            say(&format!("{line}\n"));
        }
    } else {
        let style = if colours() { Style::Colour } else { Style::Plain };
        warn(&excerpts(&found, &loaded.sources, style));
        say(&format!(
            "{}: {} platforms, {tasks} task definitions, {errors} errors, {warnings} warnings\n",
            scenario.name.value,
            scenario.platforms.len(),
        ));
    }
    if errors > 0 || asked.strict && warnings > 0 { Exit::WrongInput } else { Exit::Good }
}
