//! VolumeZone: a bound volume is used in its zone (K 2.7, 2.15).

use crate::base::{Symbol, Symbols};
use crate::control::kubernetes::labels::Labels;
use crate::control::kubernetes::objects::{ClusterChange, Named, PodVolume, VolumeSpec};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, Status};
use crate::mark;

/// Beta zone and region, then the present ones.
const KEYS: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

/// The plugin.
#[derive(Debug, Default)]
pub struct VolumeZone {
    /// Of each bound volume: a key, by place, and the values that it permits.
    wanted: Vec<(usize, Vec<String>)>,
}

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, ..Points::default() }
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        match wanted(cycle) {
            Err(status) => PreFilter::Refused(status),
            Ok(wanted) if wanted.is_empty() => PreFilter::Skip,
            Ok(wanted) => {
                self.wanted = wanted;
                PreFilter::AllNodes
            }
        }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let labels = &cycle.cluster.spec(cycle.specs, node).labels;
        let symbols = &cycle.specs.symbols;
        let value = |place: usize| Some(symbols.text(labels.get(symbols.find(KEYS[place])?)?));
        if (0..KEYS.len()).all(|place| value(place).is_none()) {
            mark!("K 2.7 a node without zone labels takes every volume");
            return Ok(());
        }
        let suits = |(place, values): &(usize, Vec<String>)| {
            // A beta key is also looked for under its present name.
            let value = value(*place).or_else(|| value(place % 2 + 2));
            value.is_some_and(|value| values.iter().any(|permitted| permitted == value))
        };
        if self.wanted.iter().all(suits) {
            return Ok(());
        }
        mark!("K 2.7 VolumeZone");
        Err(Status::unresolvable("node(s) had no available volume zone"))
    }

    fn finish(&mut self) {
        self.wanted.clear();
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::StorageClassAdd,
            EventKind::NodeAdd,
            EventKind::NodeUpdateLabel,
            EventKind::ClaimAdd,
            EventKind::ClaimUpdate,
            EventKind::VolumeAdd,
            EventKind::VolumeUpdate,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Listening { specs, pod, spec, .. } = *listening;
        match event.change {
            Some(ClusterChange::StorageClass(edit)) => edit.new.is_some_and(|class| specs[class.spec].waits),
            Some(ClusterChange::Claim(edit)) => edit.new.is_some_and(|claim| {
                claim.namespace == pod.namespace && spec.volumes.contains(&PodVolume::Claim(claim.name))
            }),
            Some(ClusterChange::Volume(edit)) => {
                mark!("K 2.3 a volume whose zone changes");
                let zones = |volume: &Named<VolumeSpec>| zones(&specs.symbols, &specs[volume.spec].labels);
                edit.old.is_none_or(|old| Some(zones(old)) != edit.new.map(zones))
            }
            _ => true,
        }
    }
}

/// The zones and regions of the bound volumes of a pod.
fn wanted(cycle: &Cycle<'_>) -> Result<Vec<(usize, Vec<String>)>, Status> {
    let (specs, listers) = (cycle.specs, &cycle.cluster.listers);
    let symbols = &specs.symbols;
    let missing =
        |what: &str, name: Symbol| Status::unresolvable(format!("{what} {:?} not found", symbols.text(name)));
    let mut all = Vec::new();
    for volume in &cycle.spec.volumes {
        let PodVolume::Claim(name) = *volume else { continue };
        let claim = listers.claims.get(&(cycle.pod.namespace, name));
        let claim = &specs[claim.ok_or_else(|| missing("persistentvolumeclaim", name))?.spec];
        let Some(volume) = claim.volume else {
            let class = claim.class.filter(|&class| !symbols.text(class).is_empty());
            let class = class.ok_or_else(|| {
                Status::unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
            })?;
            let found = listers.storage_classes.get(&class);
            let found = found.ok_or_else(|| missing("storageclass.storage.k8s.io", class))?;
            if specs[found.spec].waits {
                continue;
            }
            return Err(Status::unresolvable("PersistentVolume had no name"));
        };
        mark!("K 2.15 a bound claim without its volume");
        let found = listers.volumes.get(&volume).ok_or_else(|| missing("persistentvolume", volume))?;
        all.extend(zones(symbols, &specs[found.spec].labels));
    }
    Ok(all)
}

/// The zone and region labels of a volume; several zones stand in one label, parted by two underscores.
fn zones(symbols: &Symbols, labels: &Labels) -> Vec<(usize, Vec<String>)> {
    let of = |place: usize| {
        let text = symbols.text(labels.get(symbols.find(KEYS[place])?)?);
        let values: Vec<String> = text.split("__").map(|value| value.trim().to_owned()).collect();
        values.iter().all(|value| !value.is_empty()).then_some((place, values))
    };
    (0..KEYS.len()).filter_map(of).collect()
}
