//! `windtunnel catalog`: instance types as the simulator sees them.

use comfy_table::{CellAlignment, Table, presets};

use super::args::Catalog;
use super::{Exit, say, warn};
use crate::catalog::{self, Arch, InstanceType, Orchestrator, Region};

pub(super) fn catalog(asked: &Catalog) -> Exit {
    let Some(region) = catalog::region(&asked.region) else {
        let hint = catalog::nearest_region(&asked.region)
            .map_or(String::new(), |near| format!("; did you mean {near:?}?"));
        warn(&format!("E0302 unknown region {:?}{hint}\n", asked.region));
        return Exit::WrongInput;
    };
    let found: Vec<&InstanceType> =
        catalog::instance_types().iter().filter(|of| asked.filter.iter().all(|word| has(of, word))).collect();
    if found.is_empty() {
        let near = asked.filter.first().and_then(|word| catalog::nearest_instance_type(word));
        let hint = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
        warn(&format!("E0301 no instance type matches {}{hint}\n", asked.filter.join(" ")));
        return Exit::WrongInput;
    }
    if asked.json {
        for of in found {
            say(&format!("{}\n", json(of, region)));
        }
    } else {
        say(&table(&found, region));
    }
    Exit::Good
}

fn has(of: &InstanceType, word: &str) -> bool {
    of.name.contains(word) || word == arch(of)
}

const fn arch(of: &InstanceType) -> &'static str {
    match of.arch {
        Arch::X86_64 => "x86_64",
        Arch::Arm64 => "arm64",
    }
}

fn table(found: &[&InstanceType], region: &Region) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "type",
        "vCPU",
        "memory",
        "visible to ECS",
        "awsvpc tasks",
        "trunking",
        "arch",
        "USD/h",
        "basis",
    ]);
    for of in found {
        let visible = of.visible_memory(Orchestrator::Ecs);
        let rate = region.on_demand(of);
        table.add_row([
            of.name.to_owned(),
            of.vcpus.to_string(),
            of.advertised.to_string(),
            format!("{} MiB", visible.value.mib_down()),
            of.awsvpc_tasks(false).value.to_string(),
            if of.trunks() { of.awsvpc_tasks(true).value.to_string() } else { "-".to_owned() },
            arch(of).to_owned(),
            rate.map_or("-".to_owned(), |rate| usd(rate.price.value.nanos10())),
            rate.map_or("-", |rate| rate.price.basis.label()).to_owned(),
        ]);
    }
    for column in 1..=7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let plural = if found.len() == 1 { "" } else { "s" };
    format!("{table}\n\n{} instance type{plural}; prices on demand in {}\n", found.len(), region.name)
}

fn usd(nanos10: i64) -> String {
    crate::base::Money::from_nanos10(i128::from(nanos10)).to_string()
}

fn json(of: &InstanceType, region: &Region) -> serde_json::Value {
    let rate = region.on_demand(of);
    serde_json::json!({
        "instance_type": of.name,
        "vcpus": of.vcpus,
        "memory_mib": of.advertised.mib_down(),
        "visible_memory_mib": of.visible_memory(Orchestrator::Ecs).value.mib_down(),
        "awsvpc_tasks": of.awsvpc_tasks(false).value,
        "awsvpc_tasks_trunking": of.trunks().then(|| of.awsvpc_tasks(true).value),
        "arch": arch(of),
        "usd_per_hour": rate.map(|rate| usd(rate.price.value.nanos10())),
        "basis": rate.map(|rate| rate.price.basis.label()),
        "source": rate.map(|rate| rate.source),
    })
}
