//! Floor 6: what people and programs read of a result.
//!
//! Pure functions from a [`Sheet`] to bytes. The caller says where they go; equal sheets give equal bytes.
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

use std::fmt;
use std::io::{self, Write};
use std::slice::from_ref;
use std::sync::{Arc, OnceLock};

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

/// A file to be written. What it holds is made while it is written, since it may be large.
pub struct File<'a> {
    /// Its path below the folder of the result, parts separated by `/`; only letters, digits, `.`, `_`, `-`.
    pub path: String,
    make: Box<Make<'a>>,
}

/// Writes what a file holds.
type Make<'a> = dyn Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'a;

impl<'a> File<'a> {
    /// A file that holds what `make` writes.
    pub fn new(
        path: impl Into<String>,
        make: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'a,
    ) -> Self {
        File { path: path.into(), make: Box::new(make) }
    }

    /// Writes what the file holds.
    ///
    /// # Errors
    /// Whatever `to` answers.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        (self.make)(to)
    }

    /// What the file holds.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("memory takes everything");
        bytes
    }
}

impl fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File {}", self.path)
    }
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
pub fn files(sheet: &Sheet) -> Vec<File<'_>> {
    let all = sheet.platforms.as_slice();
    let packed = Arc::default();
    let mut files = files_of(sheet, all, Place::Above, "", &packed);
    for (platform, folder) in all.iter().zip(folders(all)) {
        let folder = format!("{folder}/");
        let file = |name: &str| format!("{folder}{name}");
        let packed = if all.len() == 1 { Arc::clone(&packed) } else { Arc::default() };
        files.extend(files_of(sheet, from_ref(platform), Place::Inside, &folder, &packed));
        files.push(File::new(file("timeseries.csv"), |to| csv::timeseries(sheet, platform, to)));
        files.push(File::new(file("tasks.csv"), |to| csv::tasks(platform, to)));
        files.push(File::new(file("nodes.csv"), |to| csv::nodes(platform, to)));
        files.push(File::new(file("bill.csv"), |to| csv::bill(platform, to)));
        files.push(File::new(file("events.csv"), |to| csv::events(platform, to)));
        files.extend(
            svg::over_time(platform, from_ref(platform)).into_iter().map(|plot| plot_file(&folder, plot)),
        );
    }
    files
}

/// The files that platforms have together, or one has alone.
fn files_of<'a>(
    sheet: &'a Sheet,
    platforms: &'a [PlatformSheet],
    place: Place,
    folder: &str,
    packed: &Arc<OnceLock<Packed>>,
) -> Vec<File<'a>> {
    let file = |name: &str| format!("{folder}{name}");
    let packed = Arc::clone(packed);
    let page = move |to: &mut dyn Write| {
        let packed = packed.get_or_init(|| Packed::of(sheet, platforms));
        to.write_all(&html::report(sheet, platforms, place, packed))
    };
    let mut files = vec![
        File::new(file("report.html"), page),
        File::new(file("summary.json"), move |to| to.write_all(&json::summary(sheet, platforms))),
        File::new(file("summary.csv"), move |to| csv::summary(sheet, platforms, to)),
    ];
    let plots = svg::costs(sheet, platforms).into_iter().chain(svg::starts(platforms));
    files.extend(plots.map(|plot| plot_file(folder, plot)));
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

fn plot_file<'a>(folder: &str, plot: svg::Plot) -> File<'a> {
    File::new(format!("{folder}{}.svg", plot.file), move |to| to.write_all(&svg::file(&plot)))
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
