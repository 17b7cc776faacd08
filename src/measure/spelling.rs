//! What tasks, pods and machines are called in text.
//!
//! Most are a name of the scenario and a number. A pod or a node that was described alone keeps the whole
//! name that it was given. One place spells them, so that a table, an explanation and a comparison agree.

use std::collections::BTreeSet;

use crate::base::hash::Map;
use crate::base::{Name, Symbol, Symbols};
use crate::sim::Plan;

/// The names of one plan as text.
///
/// ```
/// use windtunnel::base::Name;
/// use windtunnel::measure::Spelling;
/// use windtunnel::scenario::{Scenario, Sources, lower, read};
/// let text = "
/// name: demo
/// region: us-east-1
/// run_for: 1h
/// subnets: { subnet-a: us-east-1a }
/// arrivals: { web: { at: 1m, pod: { spec: { containers: [ { name: c, image: app } ] } } } }
/// platforms: { eks: { eks: { node_groups: { general: { instance_type: m7i.large, count: 1 } } } } }
/// ";
/// let (scenario, _) = read::<Scenario>(&Sources::default().add("demo.yaml", text.as_bytes().to_vec()));
/// let plan = lower(&scenario.unwrap(), "eks", &[]).0.unwrap();
/// let web = plan.kubernetes.as_ref().unwrap().pods[0].name;
/// assert_eq!(Spelling::of(&plan).named(Name { of: web, serial: 3 }), "web-3");
/// ```
#[derive(Debug)]
pub struct Spelling<'a> {
    symbols: &'a Symbols,
    /// Pods without a number.
    alone: BTreeSet<Name>,
    /// Nodes that are not called by pool and number.
    nodes: Map<Name, Symbol>,
}

impl<'a> Spelling<'a> {
    /// The names of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        let symbols = &plan.definitions.symbols;
        let mut spelling = Spelling { symbols, alone: BTreeSet::new(), nodes: Map::default() };
        let Some(cluster) = &plan.kubernetes else { return spelling };
        for pods in cluster.pods.iter().filter(|pods| pods.alone) {
            spelling.alone.insert(Name { of: pods.name, serial: pods.first });
        }
        for planned in &cluster.nodes {
            let (own, name) = (planned.node.name, planned.machine.name);
            if symbols.text(own) != spelling.numbered(name) {
                spelling.nodes.insert(name, own);
            }
        }
        spelling
    }

    /// A task or a pod: `web-3`, or the name of a pod that stands alone.
    pub fn named(&self, name: Name) -> String {
        if self.alone.contains(&name) { self.text(name.of).to_owned() } else { self.numbered(name) }
    }

    /// A machine: `general-3`, or the name of its node.
    pub fn machine(&self, name: Name) -> String {
        self.nodes.get(&name).map_or_else(|| self.numbered(name), |&own| self.text(own).to_owned())
    }

    /// The spellings.
    pub const fn symbols(&self) -> &'a Symbols {
        self.symbols
    }

    /// A name of the scenario.
    pub fn text(&self, symbol: Symbol) -> &'a str {
        self.symbols.text(symbol)
    }

    /// The pod that stands alone under this name.
    pub fn alone(&self, text: &str) -> Option<Name> {
        let of = self.symbols.find(text)?;
        self.alone.range(Name { of, serial: 0 }..).next().copied().filter(|name| name.of == of)
    }

    fn numbered(&self, name: Name) -> String {
        format!("{}-{}", self.text(name.of), name.serial)
    }
}
