//! VolumeBinding: claims that are bound late choose their volume together with the node (K 2.15).
//!
//! Once a node is reserved, volumes are held for its claims until the record shows the binding. Knows
//! nothing of who provisions.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::base::{Row, Symbol};
use crate::control::kubernetes::labels::{Labels, Requirement};
use crate::control::kubernetes::objects::{
    ClaimReference, ClaimSpec, ClusterChange, Modes, Named, StorageCapacitySpec, StorageClassSpec,
    VolumePhase, VolumeSpec,
};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{
    Binding, Code, Cycle, Plugin, Points, PreFilter, PreScore, Reason, Status,
};
use crate::mark;

use super::volumes::{belongs, names_claim, volume, wanted};

/// The plugin.
#[derive(Debug, Default)]
pub struct VolumeBinding {
    /// The claims of the incoming pod; none before `pre_filter`.
    claims: Option<Claims>,
    /// Whether `filter` was asked in this cycle.
    filtered: Cell<bool>,
    /// What the reserved node needs done.
    reserved: Vec<Binding>,
    /// Volumes that are held for a claim, with what they were when they were taken.
    held: BTreeMap<Symbol, (Row<VolumeSpec>, ClaimReference)>,
    /// Claims whose node is chosen, with what they were then.
    chosen: BTreeMap<(Symbol, Symbol), (Row<ClaimSpec>, Symbol)>,
}

/// The claims of a pod.
#[derive(Debug, Default)]
struct Claims {
    bound: Vec<Named<ClaimSpec>>,
    unbound: Vec<Named<ClaimSpec>>,
}

/// What a node offers to the claims of a pod.
#[derive(Debug, Default)]
struct Offer {
    bindings: Vec<(Named<VolumeSpec>, Named<ClaimSpec>)>,
    provisions: Vec<Named<ClaimSpec>>,
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn points(&self) -> Points {
        Points {
            pre_filter: true,
            filter: true,
            reserve: true,
            pre_score: true,
            score: true,
            ..Points::default()
        }
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        self.claims = None;
        match Self::sort(cycle) {
            Ok(Some(claims)) => {
                self.claims = Some(claims);
                PreFilter::AllNodes
            }
            Ok(None) => {
                self.claims = Some(Claims::default());
                PreFilter::Skip
            }
            Err(status) => PreFilter::Refused(status),
        }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        self.filtered.set(true);
        let Some(claims) = &self.claims else { return Err(Status::error("not found")) };
        self.offer(cycle, claims, node).map(|_| ())
    }

    fn pre_score(&mut self, _: &Cycle<'_>, _: &[&NodeInfo]) -> PreScore {
        PreScore::Skip
    }

    fn scores(&self, _: &Cycle<'_>) -> bool {
        false
    }

    fn reserve(&mut self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        self.reserved.clear();
        let Some(claims) = &self.claims else {
            mark!("K 2.16 a reservation without a search before");
            return Err(Status::error("not found"));
        };
        if !self.filtered.get() || claims.unbound.is_empty() {
            return Ok(());
        }
        let Offer { bindings, provisions } = self.offer(cycle, claims, node)?;
        for (volume, claim) in bindings {
            let reference =
                ClaimReference { namespace: claim.namespace, name: claim.name, uid: Some(claim.uid) };
            self.held.insert(volume.name, (volume.spec, reference));
            self.reserved.push(Binding::Volume { volume: volume.name, claim: (claim.namespace, claim.name) });
        }
        for claim in provisions {
            self.chosen.insert((claim.namespace, claim.name), (claim.spec, node.name));
            self.reserved.push(Binding::Provision { claim: (claim.namespace, claim.name), node: node.name });
        }
        Ok(())
    }

    fn unreserve(&mut self, _: &Cycle<'_>, _: &NodeInfo, bindings: &[Binding]) {
        for binding in bindings {
            match binding {
                Binding::Volume { volume, .. } => self.held.remove(volume).map(|_| ()),
                Binding::Provision { claim, .. } => self.chosen.remove(claim).map(|_| ()),
            };
        }
    }

    fn bindings(&self) -> &[Binding] {
        &self.reserved
    }

    fn finish(&mut self) {
        self.claims = None;
        self.filtered.set(false);
        self.reserved.clear();
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::StorageClassAdd,
            EventKind::StorageClassUpdate,
            EventKind::ClaimAdd,
            EventKind::ClaimUpdate,
            EventKind::VolumeAdd,
            EventKind::VolumeUpdate,
            EventKind::NodeAdd,
            EventKind::NodeUpdateLabel,
            EventKind::CsiNodeAdd,
            EventKind::CsiNodeUpdate,
            EventKind::CsiDriverUpdate,
            EventKind::StorageCapacityAdd,
            EventKind::StorageCapacityUpdate,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Listening { specs, pod, spec, .. } = *listening;
        match event.change {
            Some(ClusterChange::StorageClass(edit)) => {
                let topologies = |class: &Named<StorageClassSpec>| &specs[class.spec].topologies;
                edit.old.is_none_or(|old| Some(topologies(old)) != edit.new.map(topologies))
            }
            Some(ClusterChange::Claim(edit)) => {
                edit.new.is_some_and(|claim| names_claim(specs, pod, spec, claim))
            }
            Some(ClusterChange::CsiNode(edit)) => {
                let (Some(old), Some(new)) = (edit.old, edit.new) else { return true };
                specs[old.spec].migrated != specs[new.spec].migrated
            }
            // Only pods with inline CSI volumes would be helped, and this model has none.
            Some(ClusterChange::CsiDriver(_)) => false,
            Some(ClusterChange::StorageCapacity(edit)) => {
                let Some(old) = edit.old else { return true };
                let (old, new) =
                    (volume_max(&specs[old.spec]), edit.new.and_then(|new| volume_max(&specs[new.spec])));
                mark!("K 2.3 storage capacity that grows");
                new.is_some() && new > old
            }
            _ => true,
        }
    }
}

impl VolumeBinding {
    /// Sorts the claims of a pod into bound and unbound ones; none when it has no claims.
    fn sort(cycle: &Cycle<'_>) -> Result<Option<Claims>, Status> {
        let (specs, cluster) = (cycle.specs, cycle.cluster);
        let text = |symbol: Symbol| specs.symbols.text(symbol);
        let mut found = Vec::new();
        for wanted in wanted(specs, cycle.pod, cycle.spec) {
            let Some(claim) = wanted.claim(cluster, cycle.pod.namespace) else {
                mark!("K 2.15 an ephemeral claim that is not there yet");
                let missing = if wanted.ephemeral {
                    let name = &wanted.name;
                    format!(
                        "waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"
                    )
                } else {
                    wanted.missing()
                };
                return Err(Status::unresolvable(missing));
            };
            let spec = &specs[claim.spec];
            if spec.lost {
                mark!("K 2.15 a claim whose volume is lost");
                let (name, volume) = (text(claim.name), spec.volume.map_or("", text));
                let message = format!(
                    "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"
                );
                return Err(Status::unresolvable(message));
            }
            if spec.deleting {
                mark!("K 2.15 a claim that is going");
                let message = format!("persistentvolumeclaim {:?} is being deleted", text(claim.name));
                return Err(Status::unresolvable(message));
            }
            if wanted.ephemeral {
                belongs(specs, cycle.pod, &claim).map_err(Status::unresolvable)?;
            }
            found.push(claim);
        }
        if found.is_empty() {
            return Ok(None);
        }
        let mut claims = Claims::default();
        let mut immediate = false;
        for claim in found {
            let spec = &specs[claim.spec];
            let class = spec.class.and_then(|class| cluster.listers.storage_classes.get(&class));
            if spec.volume.is_some() && spec.bind_completed {
                claims.bound.push(claim);
            } else if spec.volume.is_none() && class.is_some_and(|class| specs[class.spec].waits) {
                claims.unbound.push(claim);
            } else {
                immediate = true;
            }
        }
        if immediate {
            mark!("K 2.15 an immediate claim that is not bound");
            return Err(Status::unresolvable("pod has unbound immediate PersistentVolumeClaims"));
        }
        Ok(Some(claims))
    }

    /// What a node offers to the claims.
    fn offer(&self, cycle: &Cycle<'_>, claims: &Claims, node: &NodeInfo) -> Result<Offer, Status> {
        let spec = cycle.cluster.spec(cycle.specs, node);
        let mut reasons: Vec<Reason> = Vec::new();
        let mut volumes_exist = true;
        for claim in &claims.bound {
            let bound = cycle.specs[claim.spec].volume.and_then(|name| volume(cycle.cluster, name));
            let Some(bound) = bound else {
                mark!("K 2.15 a bound volume that does not exist");
                volumes_exist = false;
                break;
            };
            if !reaches(cycle, &cycle.specs[bound.spec], node.name, &spec.labels) {
                mark!("K 2.15 a bound volume pins its users");
                reasons.push("node(s) didn't match PersistentVolume's node affinity".into());
                break;
            }
        }
        let (offer, bound, enough) = self.late(cycle, claims, node)?;
        if !bound {
            mark!("K 2.15 no volume and no provisioner");
            reasons.push("node(s) didn't find available persistent volumes to bind".into());
        }
        if !enough {
            mark!("K 2.15 storage capacity");
            reasons.push("node(s) did not have enough free storage".into());
        }
        if !volumes_exist {
            reasons.push("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)".into());
        }
        if reasons.is_empty() {
            return Ok(offer);
        }
        Err(Status { code: Code::UnschedulableAndUnresolvable, reasons, plugin: "" })
    }

    /// What a node offers to the claims that are bound late; whether all can be, and have the space.
    fn late(
        &self,
        cycle: &Cycle<'_>,
        claims: &Claims,
        node: &NodeInfo,
    ) -> Result<(Offer, bool, bool), Status> {
        let specs = cycle.specs;
        let (mut offer, mut to_match, mut to_provision) = (Offer::default(), Vec::new(), Vec::new());
        for &claim in &claims.unbound {
            match self.selected_node(cycle, &claim) {
                Some(selected) if selected != node.name => {
                    mark!("K 2.15 a claim that waits for its provisioner stays with its node");
                    return Ok((offer, false, true));
                }
                Some(_) => to_provision.push(claim),
                None => to_match.push(claim),
            }
        }
        let mut bound = true;
        to_match.sort_by_key(|claim| specs[claim.spec].request);
        for claim in to_match {
            match self.matching(cycle, &claim, node, &offer) {
                Some(volume) => offer.bindings.push((volume, claim)),
                None => {
                    bound = false;
                    to_provision.push(claim);
                }
            }
        }
        if to_provision.is_empty() {
            return Ok((offer, bound, true));
        }
        for claim in &to_provision {
            match provisions(cycle, claim, node)? {
                Provision::Possible => offer.provisions.push(*claim),
                Provision::Impossible => return Ok((offer, false, true)),
                Provision::TooSmall => return Ok((offer, true, false)),
            }
        }
        Ok((offer, true, true))
    }

    fn selected_node(&self, cycle: &Cycle<'_>, claim: &Named<ClaimSpec>) -> Option<Symbol> {
        let chosen = self.chosen.get(&(claim.namespace, claim.name));
        let chosen = chosen.filter(|(since, _)| *since == claim.spec).map(|(_, node)| *node);
        chosen.or(cycle.specs[claim.spec].selected_node)
    }

    /// Which claim a volume is for, held ones included.
    fn claim_of(&self, cycle: &Cycle<'_>, volume: &Named<VolumeSpec>) -> Option<ClaimReference> {
        let held = self.held.get(&volume.name).filter(|(since, _)| *since == volume.spec);
        held.map(|(_, reference)| *reference).or(cycle.specs[volume.spec].claim)
    }

    /// The volume that a claim would get on a node: the one that is kept for it, else the smallest that does.
    fn matching(
        &self,
        cycle: &Cycle<'_>,
        claim: &Named<ClaimSpec>,
        node: &NodeInfo,
        offer: &Offer,
    ) -> Option<Named<VolumeSpec>> {
        let specs = cycle.specs;
        let wanted = &specs[claim.spec];
        let labels = &cycle.cluster.spec(specs, node).labels;
        let text = |volume: &Named<VolumeSpec>| specs.symbols.text(volume.name);
        let class =
            |volume: &VolumeSpec| Some(volume.class).filter(|&class| !specs.symbols.text(class).is_empty());
        let wanted_class = wanted.class.filter(|&class| !specs.symbols.text(class).is_empty());
        let mut volumes: Vec<Named<VolumeSpec>> = cycle
            .cluster
            .listers
            .volumes
            .values()
            .filter(|volume| class(&specs[volume.spec]) == wanted_class)
            .copied()
            .collect();
        volumes.sort_unstable_by(|one, other| text(one).cmp(text(other)));
        let mut smallest: Option<(i64, Named<VolumeSpec>)> = None;
        for volume in volumes {
            let spec = &specs[volume.spec];
            let kept_for = self.claim_of(cycle, &volume);
            let kept = kept_for.is_some_and(|kept| is_for(&kept, claim));
            let taken = offer.bindings.iter().any(|(taken, _)| taken.name == volume.name);
            if taken
                || (kept_for.is_some() && !kept)
                || spec.capacity < wanted.request
                || spec.block != wanted.block
            {
                continue;
            }
            if spec.deleting {
                mark!("K 2.15 a volume that is going");
                continue;
            }
            let reaches = reaches(cycle, spec, node.name, labels);
            if kept {
                mark!("K 2.15 a volume that is kept for the claim");
                return reaches.then_some(volume);
            }
            let selected =
                wanted.selector.as_ref().is_none_or(|each| each.matches(&spec.labels, &specs.symbols));
            if spec.phase == VolumePhase::Available
                && selected
                && reaches
                && permits(spec.modes, wanted.modes)
                && smallest.is_none_or(|(size, _)| spec.capacity < size)
            {
                mark!("K 2.15 the smallest volume that does");
                smallest = Some((spec.capacity, volume));
            }
        }
        smallest.map(|(_, volume)| volume)
    }
}

/// Whether a claim can be provisioned on a node.
enum Provision {
    Possible,
    /// No provisioner, or not in that topology.
    Impossible,
    /// Not enough storage is left there.
    TooSmall,
}

fn provisions(cycle: &Cycle<'_>, claim: &Named<ClaimSpec>, node: &NodeInfo) -> Result<Provision, Status> {
    let (specs, listers) = (cycle.specs, &cycle.cluster.listers);
    let symbols = &specs.symbols;
    let wanted = &specs[claim.spec];
    let Some(name) = wanted.class else {
        let (namespace, name) = (symbols.text(claim.namespace), symbols.text(claim.name));
        return Err(Status::error(format!("no class for claim {:?}", format!("{namespace}/{name}"))));
    };
    let Some(class) = listers.storage_classes.get(&name) else {
        return Err(Status::error(format!("failed to find storage class {:?}", symbols.text(name))));
    };
    let class = &specs[class.spec];
    let labels = &cycle.cluster.spec(specs, node).labels;
    let holds =
        |term: &[Requirement]| !term.is_empty() && term.iter().all(|each| each.holds(labels, symbols));
    let provisioner = symbols.text(class.provisioner);
    if matches!(provisioner, "" | "kubernetes.io/no-provisioner")
        || !(class.topologies.is_empty() || class.topologies.iter().any(|term| holds(term)))
    {
        mark!("K 2.15 allowed topologies");
        return Ok(Provision::Impossible);
    }
    let tracked = listers.csi_drivers.get(&class.provisioner).is_some_and(|driver| driver.storage_capacity);
    if wanted.request == 0 || !tracked {
        return Ok(Provision::Possible);
    }
    let suffices = |capacity: &Named<StorageCapacitySpec>| {
        let capacity = &specs[capacity.spec];
        capacity.class == name
            && volume_max(capacity).is_some_and(|most| most >= wanted.request)
            && capacity.nodes.matches(labels, symbols)
    };
    if listers.capacities.values().any(suffices) { Ok(Provision::Possible) } else { Ok(Provision::TooSmall) }
}

/// The largest volume that a capacity permits.
fn volume_max(capacity: &StorageCapacitySpec) -> Option<i64> {
    capacity.volume_max.or(capacity.capacity)
}

/// Whether a volume can be used on a node.
fn reaches(cycle: &Cycle<'_>, volume: &VolumeSpec, node: Symbol, labels: &Labels) -> bool {
    let symbols = &cycle.specs.symbols;
    volume.nodes.as_deref().is_none_or(|terms| terms.iter().any(|term| term.holds(node, labels, symbols)))
}

fn is_for(reference: &ClaimReference, claim: &Named<ClaimSpec>) -> bool {
    (reference.namespace, reference.name) == (claim.namespace, claim.name)
        && reference.uid.is_none_or(|uid| uid == claim.uid)
}

/// Whether a volume has every access mode that is asked for.
const fn permits(has: Modes, asked: Modes) -> bool {
    (has.write_once || !asked.write_once)
        && (has.read_many || !asked.read_many)
        && (has.write_many || !asked.write_many)
        && (has.write_one_pod || !asked.write_one_pod)
}
