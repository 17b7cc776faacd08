//! What every report promises: the golden files, no attack, no odd number, documentation that agrees.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::terminal::Look;
use super::*;
use crate::report::example;

/// Where the golden files are.
fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name)
}

const WIDE: Look = Look { width: Some(120), colour: false };
const NARROW: Look = Look { width: Some(44), colour: false };
const PIPED: Look = Look { width: None, colour: false };

/// The letters after the last dot of a path.
fn kind(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// What the golden folder holds: name, bytes.
fn goldens() -> Vec<(String, Vec<u8>)> {
    let table = |sheet: Sheet, look| terminal::table(&sheet, "out/checkout", look).into_bytes();
    let mut all = vec![
        ("terminal-wide.txt".to_owned(), table(example::sheet(), WIDE)),
        ("terminal-narrow.txt".to_owned(), table(example::sheet(), NARROW)),
        ("terminal-piped-single.txt".to_owned(), table(example::single(), PIPED)),
        ("terminal-pods.txt".to_owned(), table(example::pods(), WIDE)),
    ];
    let kept = ["report.html", "summary.json", "summary.csv", "cost.svg", "start.svg"];
    let wanted = |path: &str| {
        kept.contains(&path)
            || path.starts_with("ecs-ec2/") && kind(path) != "html" && !path.ends_with("timeseries.csv")
    };
    let sheet = example::sheet();
    let files = files(&sheet).into_iter().filter(|file| wanted(&file.path));
    all.extend(files.map(|file| (file.path.replace('/', "-"), without_assets(file.bytes()))));
    let of_pods = ["eks/tasks.csv", "eks/nodes.csv", "eks/bill.csv", "eks/events.csv", "eks/report.html"];
    let sheet = example::pods();
    let files = super::files(&sheet).into_iter().filter(|file| of_pods.contains(&file.path.as_str()));
    all.extend(files.map(|file| (file.path.replace('/', "-"), without_assets(file.bytes()))));
    all
}

/// A page with the names of its assets in their place, so that goldens show what is of the result.
fn without_assets(bytes: Vec<u8>) -> Vec<u8> {
    let Ok(mut text) = String::from_utf8(bytes) else { panic!("reports are UTF-8") };
    for (nth, asset) in html::STYLES.iter().chain(&html::SCRIPTS).enumerate() {
        text =
            text.replace(asset.text, &format!("(asset {nth})")).replace(asset.hash, &format!("(hash {nth})"));
    }
    text.into_bytes()
}

#[test]
fn the_policy_names_the_assets_by_their_hashes() {
    use base64::Engine as _;
    use sha2::Digest as _;
    for asset in html::STYLES.iter().chain(&html::SCRIPTS) {
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(asset.text));
        let begin: String = asset.text.chars().take(60).collect();
        assert_eq!(
            asset.hash, hash,
            "html.rs should have this hash for the asset that begins with {begin:?}"
        );
        assert!(!asset.text.contains("</"), "an asset cannot end its element");
    }
}

#[test]
fn the_example_reads_as_the_golden_files() {
    for (name, bytes) in goldens() {
        let kept = std::fs::read(golden(&name)).unwrap_or_default();
        let same = kept == bytes;
        assert!(
            same,
            "{name} differs; look at it, then: cargo test report -- --ignored write_the_golden_files"
        );
    }
}

#[test]
#[ignore = "writes the golden files; run it by name when a report is meant to look different"]
fn write_the_golden_files() {
    std::fs::create_dir_all(golden("")).expect("the folder can be made");
    for (name, bytes) in goldens() {
        std::fs::write(golden(&name), bytes).expect("the file can be written");
    }
}

/// Everything that can be printed of a sheet, as text.
fn everything(sheet: &Sheet) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("reports are UTF-8");
    let mut all: Vec<_> =
        files(sheet).iter().map(|file| (file.path.clone(), text(without_assets(file.bytes())))).collect();
    for look in [WIDE, NARROW, PIPED, Look { width: Some(1), colour: true }] {
        all.push((format!("{look:?}"), terminal::table(sheet, "out", look)));
    }
    all
}

#[test]
fn odd_numbers_and_empty_results_are_never_printed_as_such() {
    let sheets = [example::hostile(), example::empty(), example::single(), example::pods(), example::sheet()];
    for sheet in &sheets {
        for (path, text) in everything(sheet) {
            for odd in ["NaN", "inf ", "inf<", "Infinity", "-0.00 "] {
                assert!(!text.contains(odd), "{odd:?} in {path}");
            }
            assert!(!text.is_empty(), "{path}");
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    for (path, text) in everything(&example::hostile()) {
        let html = kind(&path) == "html";
        let drawn = html || kind(&path) == "svg";
        let scripts = if html { 1 + html::SCRIPTS.len() } else { 0 };
        assert!(!drawn || text.matches("<script").count() == scripts, "a script in {path}");
        assert!(!drawn || text.matches("</script").count() == scripts, "a script in {path}");
        assert!(!(html && text.matches("</title>").count() != text.matches("<title>").count()), "{path}");
        assert!(!(drawn && text.contains('\u{202e}')), "{path}");
        assert!(!text.contains('\u{0}'), "{path}");
        if !path.starts_with("Look") || !path.contains("true") {
            assert!(!text.contains('\u{1b}'), "an escape in {path}");
        }
        assert!(!text.contains("{{ 7*7 }}") || !text.contains(">49<"), "{path}");
    }
}

#[test]
fn paths_stay_below_the_folder() {
    let named = |name: &str| PlatformSheet { name: name.to_owned(), ..PlatformSheet::default() };
    let rows = [
        (vec!["ecs-ec2", "ecs-fargate"], vec!["ecs-ec2", "ecs-fargate"]),
        (vec!["../../etc", "..", ""], vec!["etc", "platform", "platform-2"]),
        (vec!["A", "a", "a"], vec!["A", "a-2", "a-3"]),
        (vec!["report.html", "größe 1"], vec!["report.html-platform", "gr--e-1"]),
        (vec!["/root", "c:\\x"], vec!["root", "c--x"]),
    ];
    for (names, expected) in rows {
        let platforms: Vec<PlatformSheet> = names.into_iter().map(named).collect();
        assert_eq!(folders(&platforms), expected);
    }
}

#[test]
fn equal_sheets_give_equal_bytes_and_paths_once() {
    let sheets = [example::sheet(), example::sheet()];
    let [one, other] = sheets.each_ref().map(files);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!((&one.path, one.bytes()), (&other.path, other.bytes()));
    }
    let paths: BTreeSet<&str> = one.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((paths.len(), other.len()), (one.len(), one.len()));
}

#[test]
fn csv_rows_are_as_long_as_their_header() {
    for sheet in [example::sheet(), example::hostile(), example::empty(), example::pods()] {
        for file in files(&sheet).into_iter().filter(|file| kind(&file.path) == "csv") {
            let bytes = file.bytes();
            let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
            let header = reader.headers().expect("a header").len();
            let rows: Vec<_> =
                reader.records().map(|row| row.expect("a row as long as the header")).collect();
            assert!(rows.iter().all(|row| row.len() == header), "{}", file.path);
        }
    }
}

/// Lines of a table in the documentation whose first cell is code: `| `name` | about |`.
fn documented(section: &str) -> Vec<(String, String)> {
    let text = include_str!("../../docs/outputs.md");
    let body = text.split("\n## ").find(|part| part.starts_with(section)).unwrap_or_default();
    body.lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "))
        .map(|(name, about)| (name.to_owned(), about.to_owned()))
        .collect()
}

/// What the documentation has to say: section, name, about.
fn to_be_documented() -> Vec<(String, Vec<(String, String)>)> {
    fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter().map(|&(name, about)| (name.to_owned(), about.to_owned())).collect()
    }
    let mut all: Vec<_> =
        csv::described().into_iter().map(|(file, columns)| (format!("`{file}`"), owned(&columns))).collect();
    all.push(("`summary.json`".to_owned(), owned(json::KEYS)));
    all.push((
        "Plots".to_owned(),
        svg::described().into_iter().map(|(file, about)| (file, about.to_owned())).collect(),
    ));
    all.push(("Data files".to_owned(), owned(&DATA_FILES)));
    all
}

#[test]
fn the_documentation_lists_every_column_and_key() {
    for (section, rows) in to_be_documented() {
        let lines: Vec<String> = rows.iter().map(|(name, about)| format!("| `{name}` | {about} |")).collect();
        let lines = lines.join("\n");
        assert!(documented(&section) == rows, "docs/outputs.md, section {section}, should hold:\n{lines}");
    }
}

/// Every path of a json value, with names of maps that people choose as `*`.
fn paths(value: &serde_json::Value, path: &str, found: &mut BTreeSet<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        serde_json::Value::Object(map) => {
            let named =
                [".measures", ".workloads", ".workloads.*", ".digests"].iter().any(|end| path.ends_with(end));
            for (key, value) in map {
                paths(value, &below(if named { "*" } else { key }), found);
            }
        }
        serde_json::Value::Array(entries) => {
            for entry in entries {
                paths(entry, &format!("{path}[]"), found);
            }
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn summary_json_has_the_described_keys_and_no_other() {
    let sheet = example::sheet();
    let json = serde_json::from_slice(&json::summary(&sheet, &sheet.platforms)).expect("it is json");
    let mut found = BTreeSet::new();
    paths(&json, "", &mut found);
    let described: BTreeSet<String> = json::KEYS.iter().map(|key| key.0.to_owned()).collect();
    assert_eq!(found, described);
}

#[test]
fn the_page_needs_nothing_else() {
    for sheet in [example::sheet(), example::hostile()] {
        let packed = Packed::of(&sheet, &sheet.platforms);
        let page = html::report(&sheet, &sheet.platforms, Place::Above, &packed);
        let page = String::from_utf8(without_assets(page)).expect("UTF-8");
        for outside in
            ["<script src", "<link", "<img", "@import", "url(", "src=", "https://", " style=", " onclick="]
        {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(
            page.matches("http://").count(),
            page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count()
        );
    }
}
