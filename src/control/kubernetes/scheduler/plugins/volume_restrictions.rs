//! VolumeRestrictions: claims for one pod only, and disks that may be attached once (K 2.7).

use crate::base::{Row, Symbol, Symbols};
use crate::control::kubernetes::objects::{ClaimSpec, ClusterChange, Disk, Named, Pod, PodSpec, PodVolume};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, Status};
use crate::mark;

use super::pod_change;

/// The plugin.
#[derive(Debug, Default)]
pub struct VolumeRestrictions {
    state: Claims,
    saved: Vec<Claims>,
}

/// Claims of the incoming pod that one pod only may use, and how often they are in use.
#[derive(Clone, Debug, Default)]
struct Claims {
    one_pod: Vec<Symbol>,
    uses: i64,
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, ..Points::default() }
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        let mut state = Claims::default();
        let namespace = cycle.pod.namespace;
        for name in named_claims(cycle.spec) {
            let Some(claim) = cycle.cluster.listers.claims.get(&(namespace, name)) else {
                mark!("K 2.15 a claim that is missing");
                let name = cycle.specs.symbols.text(name);
                return PreFilter::Refused(Status::unresolvable(format!(
                    "persistentvolumeclaim {name:?} not found"
                )));
            };
            if cycle.specs[claim.spec].modes.write_one_pod && !state.one_pod.contains(&name) {
                state.one_pod.push(name);
                let used = |&row: &Row<NodeInfo>| cycle.cluster[row].claims.contains_key(&(namespace, name));
                state.uses += i64::from(cycle.cluster.order().iter().any(used));
            }
        }
        let disks = cycle.spec.volumes.iter().any(|volume| matches!(volume, PodVolume::Disk(_)));
        if !disks && state.uses == 0 {
            return PreFilter::Skip;
        }
        self.state = state;
        PreFilter::AllNodes
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        let others = node.pods.iter().map(|&row| &cycle.specs[cycle.cluster.known(row).spec]);
        if others.into_iter().any(|other| conflict(&cycle.specs.symbols, cycle.spec, other)) {
            mark!("K 2.7 a disk that is in use");
            return Err(Status::unschedulable("node(s) had no available disk"));
        }
        if self.state.uses > 0 {
            mark!("K 2.7 a claim for one pod that is in use");
            return Err(Status::unschedulable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already \
                 in-use by another pod",
            ));
        }
        Ok(())
    }

    fn add_pod(&mut self, cycle: &Cycle<'_>, added: Row<Pod>, _: &NodeInfo) {
        self.state.uses += self.uses_by(cycle, added);
    }

    fn remove_pod(&mut self, cycle: &Cycle<'_>, removed: Row<Pod>, _: &NodeInfo) {
        self.state.uses -= self.uses_by(cycle, removed);
    }

    fn save(&mut self) {
        self.saved.push(self.state.clone());
    }

    fn restore(&mut self) {
        self.state = self.saved.pop().expect("saved before it is restored");
    }

    fn finish(&mut self) {
        self.state = Claims::default();
    }

    fn events(&self) -> &'static [EventKind] {
        &[EventKind::AssignedPodDelete, EventKind::NodeAdd, EventKind::ClaimAdd]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Listening { specs, pod, spec, .. } = *listening;
        if let Some(ClusterChange::Claim(edit)) = event.change {
            let own = |claim: &Named<ClaimSpec>| {
                claim.namespace == pod.namespace && named_claims(spec).any(|name| name == claim.name)
            };
            return edit.new.is_some_and(own);
        }
        let Some(edit) = pod_change(event) else { return true };
        let Some(old) = edit.old.filter(|old| old.namespace == pod.namespace) else { return false };
        mark!("K 2.3 a pod that shared a claim or disk");
        let other = &specs[old.spec];
        conflict(&specs.symbols, spec, other)
            || named_claims(spec).any(|name| named_claims(other).any(|shared| shared == name))
    }
}

impl VolumeRestrictions {
    fn uses_by(&self, cycle: &Cycle<'_>, row: Row<Pod>) -> i64 {
        // The original compares names alone, whatever the namespace.
        let names = named_claims(&cycle.specs[cycle.cluster.known(row).spec]);
        i64::try_from(names.filter(|name| self.state.one_pod.contains(name)).count()).unwrap_or(i64::MAX)
    }
}

fn named_claims(spec: &PodSpec) -> impl Iterator<Item = Symbol> {
    spec.volumes.iter().filter_map(|volume| match volume {
        PodVolume::Claim(name) => Some(*name),
        PodVolume::Ephemeral(_) | PodVolume::Disk(_) => None,
    })
}

fn conflict(symbols: &Symbols, one: &PodSpec, other: &PodSpec) -> bool {
    let disks = |spec: &PodSpec| {
        let disk = |volume: &PodVolume| match volume {
            PodVolume::Disk(disk) => Some(*disk),
            PodVolume::Claim(_) | PodVolume::Ephemeral(_) => None,
        };
        spec.volumes.iter().filter_map(disk).collect::<Vec<Disk>>()
    };
    let (ours, theirs) = (disks(one), disks(other));
    ours.iter().any(|our| theirs.iter().any(|their| same_disk(symbols, *our, *their)))
}

/// Whether two pods cannot have these disks at once; read-only mounts can be shared, but not of EBS.
fn same_disk(symbols: &Symbols, one: Disk, other: Disk) -> bool {
    match (one, other) {
        (Disk::Gce { name, read_only }, Disk::Gce { name: same, read_only: both }) => {
            name == same && !(read_only && both)
        }
        (Disk::Ebs { volume }, Disk::Ebs { volume: same }) => volume == same,
        (Disk::Iscsi { iqn, read_only }, Disk::Iscsi { iqn: same, read_only: both }) => {
            iqn == same && !(read_only && both)
        }
        (
            Disk::Rbd { monitors, pool, image, read_only },
            Disk::Rbd { monitors: theirs, pool: same_pool, image: same_image, read_only: both },
        ) => {
            let theirs: Vec<&str> = symbols.text(theirs).split(',').collect();
            let meet = symbols.text(monitors).split(',').any(|monitor| theirs.contains(&monitor));
            meet && pool == same_pool && image == same_image && !(read_only && both)
        }
        (Disk::Gce { .. } | Disk::Ebs { .. } | Disk::Iscsi { .. } | Disk::Rbd { .. }, _) => false,
    }
}
