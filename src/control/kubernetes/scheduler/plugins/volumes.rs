//! What the volume plugins have in common: the claims that a pod's volumes stand for.
//!
//! Knows nothing of what a plugin makes of them.

use crate::base::Symbol;
use crate::control::kubernetes::objects::{ClaimSpec, Named, Pod, PodSpec, PodVolume, Specs, VolumeSpec};
use crate::control::kubernetes::scheduler::cluster::Cluster;

/// A claim that a volume of a pod stands for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Its name, as text: nobody may have written it yet.
    pub(super) name: String,
    /// Its name, if anybody has.
    pub(super) symbol: Option<Symbol>,
    /// Whether a controller makes it for the pod.
    pub(super) ephemeral: bool,
}

/// The claims that the volumes of a pod stand for, in order.
pub(super) fn wanted(specs: &Specs, pod: &Pod, spec: &PodSpec) -> Vec<Wanted> {
    let symbols = &specs.symbols;
    let claim = |volume: &PodVolume| match volume {
        PodVolume::Claim(name) => {
            Some(Wanted { name: symbols.text(*name).to_owned(), symbol: Some(*name), ephemeral: false })
        }
        PodVolume::Ephemeral(volume) => {
            let name = format!("{}-{}", symbols.text(pod.name), symbols.text(*volume));
            Some(Wanted { symbol: symbols.find(&name), name, ephemeral: true })
        }
        PodVolume::Disk(_) => None,
    };
    spec.volumes.iter().filter_map(claim).collect()
}

impl Wanted {
    /// The claim itself, if it exists.
    pub(super) fn claim(&self, cluster: &Cluster, namespace: Symbol) -> Option<Named<ClaimSpec>> {
        cluster.listers.claims.get(&(namespace, self.symbol?)).copied()
    }

    /// Why it cannot be used, when it is not there.
    pub(super) fn missing(&self) -> String {
        format!("persistentvolumeclaim {:?} not found", self.name)
    }
}

/// Whether a claim that is to be ephemeral belongs to the pod.
///
/// # Errors
/// In the words of the original, when another pod or nobody owns it.
pub(super) fn belongs(specs: &Specs, pod: &Pod, claim: &Named<ClaimSpec>) -> Result<(), String> {
    if specs[claim.spec].controller.is_some_and(|controller| controller.uid == pod.uid) {
        return Ok(());
    }
    let text = |symbol: Symbol| specs.symbols.text(symbol);
    Err(format!(
        "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
        text(claim.namespace),
        text(claim.name),
        text(pod.namespace),
        text(pod.name)
    ))
}

/// A volume, by name.
pub(super) fn volume(cluster: &Cluster, name: Symbol) -> Option<Named<VolumeSpec>> {
    cluster.listers.volumes.get(&name).copied()
}

/// Whether a pod names a claim, itself or through an ephemeral volume.
pub(super) fn names_claim(specs: &Specs, pod: &Pod, spec: &PodSpec, claim: &Named<ClaimSpec>) -> bool {
    claim.namespace == pod.namespace
        && wanted(specs, pod, spec).iter().any(|each| each.symbol == Some(claim.name))
}
