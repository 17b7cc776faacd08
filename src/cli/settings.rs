//! `windtunnel settings`: every figure of the models, with its default, source and confidence.

use comfy_table::{Table, presets};
use serde_json::json;

use super::args::Settings;
use super::{Exit, say, swing, warn};
use crate::scenario::diagnostic::suggestion;
use crate::scenario::known_settings::{Known, all};

pub(super) fn settings(asked: &Settings) -> Exit {
    let known = all();
    let found: Vec<&Known> =
        known.iter().filter(|known| asked.filter.iter().all(|word| has(known, word))).collect();
    if found.is_empty() {
        let mut names: Vec<&str> = known.iter().map(|known| known.name).collect();
        names.extend(known.iter().flat_map(|known| known.name.split('.')));
        let near = asked.filter.first().and_then(|word| suggestion(word, &names));
        let hint = near.unwrap_or("`windtunnel settings` prints all".to_owned());
        warn(&format!("E0103 no setting matches {}; {hint}\n", asked.filter.join(" ")));
        return Exit::WrongInput;
    }
    if let Some(scenario) = &asked.swing {
        let names: Vec<&str> = found.iter().map(|known| known.name).collect();
        return swing::swing(scenario, asked, &names);
    }
    if asked.json {
        for known in found {
            say(&format!("{}\n", line(known)));
        }
    } else {
        say(&table(&found));
    }
    Exit::Good
}

fn has(known: &Known, word: &str) -> bool {
    let word = word.to_lowercase();
    let places = [known.name, known.about, known.source, known.confidence, known.unit];
    places.iter().any(|place| place.to_lowercase().contains(&word))
}

fn line(known: &Known) -> serde_json::Value {
    json!({
        "name": known.name,
        "path": known.path,
        "about": known.about,
        "default": known.default,
        "unit": known.unit,
        "source": known.source,
        "confidence": known.confidence,
        "used": known.used,
    })
}

fn table(found: &[&Known]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["setting", "default", "takes", "source", "confidence"]);
    for known in found {
        let unused = if known.used { "" } else { ", no model uses it yet" };
        table.add_row([
            known.path.clone(),
            known.default.clone(),
            known.unit.to_owned(),
            known.source.to_owned(),
            format!("{}{unused}", known.confidence),
        ]);
    }
    let rows = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
    format!("{rows}\n{} settings; of a distribution the median, with p10 and p90\n", found.len())
}
