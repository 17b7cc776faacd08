//! The scenario `first-flight`, read and lowered as the command does.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use windtunnel::scenario::{Scenario, Source, Sources, lower, read};
use windtunnel::sim::Plan;

/// The plan of each platform.
pub(crate) fn plans() -> Vec<Plan> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/first-flight");
    let mut sources = Sources::default();
    let scenario = add(&mut sources, &folder.join("scenario.yaml"));
    let (scenario, found) = read::<Scenario>(&scenario);
    let scenario = scenario.unwrap_or_else(|| panic!("the scenario is read: {found:?}"));
    let requests: Vec<Rc<Source>> =
        requests(&folder.join("requests")).iter().map(|path| add(&mut sources, path)).collect();
    let platforms: Vec<String> = scenario.platforms.keys().map(|name| name.value.clone()).collect();
    platforms
        .iter()
        .map(|platform| {
            let (plan, found) = lower(&scenario, platform, &requests);
            plan.unwrap_or_else(|| panic!("{platform} is lowered: {found:?}"))
        })
        .collect()
}

fn requests(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the scenario has requests").flatten();
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_json).collect();
    paths.sort_unstable();
    paths
}

fn add(sources: &mut Sources, path: &Path) -> Rc<Source> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    sources.add(path.display().to_string(), bytes)
}
