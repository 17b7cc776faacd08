//! Volumes: what the binder and a provisioner write for the claims of a pod that has its node (section 2.15).
//!
//! Both are one write here, a fixed while after the pod has its node. Attaching and mounting take no time.

use crate::base::Symbol;
use crate::control::kubernetes::api::Object;
use crate::control::kubernetes::labels::{Labels, Operator, Requirement};
use crate::control::kubernetes::objects::{
    ClaimReference, ClaimSpec, Named, NodeTerm, VolumePhase, VolumeSpec,
};
use crate::control::kubernetes::scheduler::framework::Binding;
use crate::mark;
use crate::sim::kubernetes::state::Kubernetes;
use crate::sim::simulation::Simulation;

/// The label of a node that says its zone.
const ZONE: &str = "topology.kubernetes.io/zone";

impl Simulation<'_> {
    /// A claim gets its volume: one that is there, or one that is made for it.
    pub(super) fn bind_volume(&mut self, binding: Binding) {
        let now = self.now;
        let plan = self.cluster_plan();
        let cluster = self.cluster_mut();
        let ((namespace, name), volume) = match binding {
            Binding::Volume { volume, claim } => (claim, Ok(volume)),
            Binding::Provision { claim, node } => (claim, Err(node)),
        };
        let Some((row, claim)) = cluster.record.claim(namespace, name) else { return };
        let reference = ClaimReference { namespace, name, uid: Some(claim.uid) };
        let volume = match volume {
            Ok(volume) => {
                if let Some((at, known)) = cluster.record.volume(volume) {
                    let spec = cluster.specs[known.spec].clone();
                    let spec = VolumeSpec { claim: Some(reference), phase: VolumePhase::Bound, ..spec };
                    let spec = cluster.specs.volumes.intern(spec);
                    cluster.record.write_volume(now, at, Named { spec, ..known });
                }
                volume
            }
            Err(node) => {
                let seat = cluster.seat_of_name.get(&node).copied();
                let zone = seat.and_then(|seat| {
                    let label = cluster.specs.symbols.find(ZONE)?;
                    let node = plan.nodes[seat as usize].node.spec;
                    Some((label, cluster.specs[node].labels.get(label)?))
                });
                let volume = cluster.provision(&claim, reference, zone);
                cluster.record.create(now, Object::Volume(volume));
                volume.name
            }
        };
        let spec = cluster.specs[claim.spec].clone();
        let spec = ClaimSpec { volume: Some(volume), bind_completed: true, ..spec };
        let spec = cluster.specs.claims.intern(spec);
        cluster.record.write_claim(now, row, Named { spec, ..claim });
    }
}

impl Kubernetes {
    /// A volume made for a claim, which only nodes of this zone reach.
    fn provision(
        &mut self,
        claim: &Named<ClaimSpec>,
        reference: ClaimReference,
        zone: Option<(Symbol, Symbol)>,
    ) -> Named<VolumeSpec> {
        let symbols = &mut self.specs.symbols;
        let text = match symbols.text(claim.uid) {
            "" => format!("pvc-{}-{}", symbols.text(claim.namespace), symbols.text(claim.name)),
            uid => format!("pvc-{uid}"),
        };
        let (name, nothing) = (symbols.intern(&text), symbols.intern(""));
        mark!("K 2.15 a provisioned volume stays in the zone of its first pod");
        let nodes = zone.map(|(key, zone)| {
            let here = Requirement { key, operator: Operator::In([zone].into()) };
            [NodeTerm { labels: Some([here].into()), names: Box::default() }].into()
        });
        let wanted = &self.specs[claim.spec];
        let spec = VolumeSpec {
            labels: Labels::default(),
            class: wanted.class.unwrap_or(nothing),
            capacity: wanted.request,
            modes: wanted.modes,
            block: wanted.block,
            nodes,
            claim: Some(reference),
            csi: None,
            phase: VolumePhase::Bound,
            deleting: false,
        };
        Named { namespace: nothing, name, uid: name, spec: self.specs.volumes.intern(spec) }
    }
}
