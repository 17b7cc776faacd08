//! Floor 6: what people and programs read of a result.
//!
//! Pure functions from a [`Sheet`] to bytes. The caller writes them; equal sheets give equal bytes.
//! Knows nothing of simulation, world or record, nor of disks, clocks or terminals.

pub mod csv;
pub mod html;
pub mod json;
pub mod svg;
pub mod terminal;

mod data;
mod headline;
mod number;

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

use std::slice::from_ref;

use crate::measure::sheet::{PlatformSheet, Sheet};
use data::Packed;

/// The csv files of a platform with what they hold.
pub const DATA_FILES: [(&str, &str); 7] = [
    ("summary.json", "Every measure with its interval, for programs."),
    ("summary.csv", "One row per replication."),
    ("timeseries.csv", "Values over time, first seed."),
    ("tasks.csv", "One row per task or pod, first seed."),
    ("nodes.csv", "One row per machine, first seed."),
    ("bill.csv", "One row per charge line, first seed."),
    ("events.csv", "Events as a user of the orchestrator sees them, first seed."),
];

/// Where a page will lie, which its links to the other files follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Above the folders of the platforms.
    Above,
    /// In the folder of the only platform that it shows.
    Inside,
}

/// A file to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its path below the folder of the result, parts separated by `/`; only letters, digits, `.`, `_`, `-`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Every file of a result: a folder for each platform, and above them what compares platforms.
///
/// ```
/// use windtunnel::measure::sheet::{PlatformSheet, Sheet};
/// let platform = PlatformSheet { name: "ecs".into(), ..PlatformSheet::default() };
/// let sheet = Sheet { scenario: "demo".into(), platforms: vec![platform], ..Sheet::default() };
/// let files = windtunnel::report::files(&sheet);
/// assert!(files.iter().any(|file| file.path == "report.html"));
/// assert!(files.iter().any(|file| file.path == "ecs/bill.csv"));
/// ```
pub fn files(sheet: &Sheet) -> Vec<File> {
    let all = &sheet.platforms;
    let packed = Packed::of(sheet, all);
    let mut files = vec![
        File { path: "report.html".to_owned(), bytes: html::report(sheet, all, Place::Above, &packed) },
        File { path: "summary.json".to_owned(), bytes: json::summary(sheet, all) },
        File { path: "summary.csv".to_owned(), bytes: csv::summary(sheet, all) },
    ];
    let plots = svg::costs(sheet, all).into_iter().chain(svg::starts(all));
    files.extend(plots.map(|plot| plot_file("", &plot)));
    for (platform, folder) in all.iter().zip(folders(all)) {
        let alone = (all.len() > 1).then(|| Packed::of(sheet, from_ref(platform)));
        let packed = alone.as_ref().unwrap_or(&packed);
        files.extend(platform_files(sheet, platform, packed, &format!("{folder}/")));
    }
    files
}

/// The folder of each platform: its name in letters that every disk takes, no two alike.
pub fn folders(platforms: &[PlatformSheet]) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for platform in platforms {
        let name = folder(&platform.name);
        let free = |name: &String| !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
        let numbered = (2..).map(|ordinal| format!("{name}-{ordinal}"));
        let chosen = [name.clone()].into_iter().chain(numbered).find(free).expect("ordinals do not end");
        taken.push(chosen);
    }
    taken
}

fn platform_files(sheet: &Sheet, platform: &PlatformSheet, packed: &Packed, folder: &str) -> Vec<File> {
    let one = from_ref(platform);
    let file = |name: &str, bytes| File { path: format!("{folder}{name}"), bytes };
    let mut files = vec![
        file("report.html", html::report(sheet, one, Place::Inside, packed)),
        file("summary.json", json::summary(sheet, one)),
        file("summary.csv", csv::summary(sheet, one)),
        file("timeseries.csv", csv::timeseries(sheet, platform)),
        file("tasks.csv", csv::tasks(platform)),
        file("nodes.csv", csv::nodes(platform)),
        file("bill.csv", csv::bill(platform)),
        file("events.csv", csv::events(platform)),
    ];
    let plots =
        svg::costs(sheet, one).into_iter().chain(svg::starts(one)).chain(svg::over_time(platform, one));
    files.extend(plots.map(|plot| plot_file(folder, &plot)));
    files
}

fn plot_file(folder: &str, plot: &svg::Plot) -> File {
    File { path: format!("{folder}{}.svg", plot.file), bytes: svg::file(plot) }
}

/// Names of files of the result itself and of devices are not for folders.
fn folder(name: &str) -> String {
    const LETTERS_MAX: usize = 80;
    let safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let text: String =
        name.chars().take(LETTERS_MAX).map(|letter| if safe(letter) { letter } else { '-' }).collect();
    let text = text.trim_matches(|letter| letter == '.' || letter == '-');
    let reserved = ["report.html", "summary.json", "summary.csv", "start.svg", "cost.svg", "run.json"];
    match text {
        "" => "platform".to_owned(),
        _ if reserved.iter().any(|other| other.eq_ignore_ascii_case(text)) => format!("{text}-platform"),
        _ => text.to_owned(),
    }
}
