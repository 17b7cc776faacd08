//! NodeVolumeLimits: a node attaches so many volumes of each CSI driver (K 2.7).
//!
//! Volumes that are attached without a pod (VolumeAttachment objects) are not counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Symbol;
use crate::control::kubernetes::objects::{
    ClaimSpec, ClusterChange, CsiNodeSpec, Disk, Named, Pod, PodSpec, PodVolume,
};
use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::event::{Event, EventKind, Listening};
use crate::control::kubernetes::scheduler::framework::{Cycle, Plugin, Points, PreFilter, Status};
use crate::mark;

use super::volumes::{belongs, names_claim, wanted};
use super::{had_node, pod_change};

/// The plugin.
#[derive(Debug)]
pub struct NodeVolumeLimits;

/// A volume as an attachment: one that several pods of a node use is attached once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Attachment {
    /// A volume that exists, by its handle.
    Volume(Symbol),
    /// A disk that is named in the pod.
    Disk(Symbol),
    /// A volume that is still to be made, by its claim.
    Claim(Symbol, Symbol),
}

/// Volumes to attach, with the driver of each, as text.
type Attachments = BTreeSet<(String, Attachment)>;

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn points(&self) -> Points {
        Points { pre_filter: true, filter: true, ..Points::default() }
    }

    fn pre_filter(&mut self, cycle: &Cycle<'_>) -> PreFilter {
        let attaches = cycle.spec.volumes.iter().any(is_attachable);
        if attaches { PreFilter::AllNodes } else { PreFilter::Skip }
    }

    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Status> {
        if cycle.spec.volumes.is_empty() {
            return Ok(());
        }
        let csi_node = cycle.cluster.listers.csi_nodes.get(&node.name).map(|node| &cycle.specs[node.spec]);
        let mut new = Attachments::new();
        attachments(cycle, cycle.pod, cycle.spec, csi_node, true, &mut new)?;
        let limits = csi_node.map(|node| &*node.drivers).unwrap_or_default();
        let limits: BTreeMap<&str, i32> = limits
            .iter()
            .filter_map(|&(driver, limit)| Some((cycle.specs.symbols.text(driver), limit?)))
            .collect();
        if new.is_empty() || limits.is_empty() {
            return Ok(());
        }
        let mut attached = Attachments::new();
        for &row in &node.pods {
            let pod = cycle.cluster.known(row);
            attachments(cycle, pod, &cycle.specs[pod.spec], csi_node, false, &mut attached)?;
        }
        mark!("K 2.7 a volume that is attached already costs nothing");
        for (&driver, &limit) in &limits {
            let count = |volumes: &mut dyn Iterator<Item = &(String, Attachment)>| {
                volumes.filter(|(of, _)| of == driver).count()
            };
            let more = count(&mut new.difference(&attached));
            if more > 0
                && i64::try_from(count(&mut attached.iter()) + more).is_ok_and(|all| all > limit.into())
            {
                mark!("K 2.7 NodeVolumeLimits");
                return Err(Status::unschedulable("node(s) exceed max volume count"));
            }
        }
        Ok(())
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::CsiNodeAdd,
            EventKind::CsiNodeUpdate,
            EventKind::AssignedPodDelete,
            EventKind::ClaimAdd,
            EventKind::VolumeAttachmentDelete,
        ]
    }

    fn may_help(&self, listening: &Listening<'_>, event: &Event<'_>) -> bool {
        let Listening { specs, pod, spec, .. } = *listening;
        match event.change {
            Some(ClusterChange::CsiNode(edit)) => {
                let (Some(old), Some(new)) = (edit.old, edit.new) else { return true };
                mark!("K 2.3 a volume limit that is raised");
                let limit = |node: &CsiNodeSpec, driver: Symbol| {
                    let known = node.drivers.iter().find(|(name, _)| *name == driver);
                    known.and_then(|(_, limit)| *limit).unwrap_or(0)
                };
                let (old, new) = (&specs[old.spec], &specs[new.spec]);
                new.drivers.iter().any(|&(driver, _)| limit(new, driver) > limit(old, driver))
            }
            Some(ClusterChange::Claim(edit)) => {
                edit.new.is_some_and(|claim| names_claim(specs, pod, spec, claim))
            }
            Some(ClusterChange::VolumeAttachment(_)) => spec.volumes.iter().any(is_attachable),
            _ => {
                let old = pod_change(event).and_then(|edit| edit.old);
                mark!("K 2.3 a pod with claims that goes");
                had_node(event) && old.is_some_and(|old| specs[old.spec].volumes.iter().any(is_attachable))
            }
        }
    }
}

const fn is_attachable(volume: &PodVolume) -> bool {
    match volume {
        PodVolume::Claim(_) | PodVolume::Ephemeral(_) => true,
        PodVolume::Disk(disk) => matches!(disk, Disk::Ebs { .. } | Disk::Gce { .. }),
    }
}

/// Adds the volumes that a pod attaches on a node.
fn attachments(
    cycle: &Cycle<'_>,
    pod: &Pod,
    spec: &PodSpec,
    csi_node: Option<&CsiNodeSpec>,
    incoming: bool,
    all: &mut Attachments,
) -> Result<(), Status> {
    for volume in &spec.volumes {
        // Disks of the old kind are attached by the CSI driver that took over.
        match volume {
            PodVolume::Disk(Disk::Ebs { volume }) if csi_node.is_some() => {
                all.insert(("ebs.csi.aws.com".to_owned(), Attachment::Volume(*volume)));
            }
            PodVolume::Disk(Disk::Gce { name, .. }) if csi_node.is_some() => {
                all.insert(("pd.csi.storage.gke.io".to_owned(), Attachment::Disk(*name)));
            }
            PodVolume::Disk(_) | PodVolume::Claim(_) | PodVolume::Ephemeral(_) => {}
        }
    }
    for wanted in wanted(cycle.specs, pod, spec) {
        let Some(claim) = wanted.claim(cycle.cluster, pod.namespace) else {
            if incoming {
                let namespace = cycle.specs.symbols.text(pod.namespace);
                let (name, missing) = (&wanted.name, wanted.missing());
                return Err(Status::unresolvable(format!("looking up PVC {namespace}/{name}: {missing}")));
            }
            continue;
        };
        if wanted.ephemeral {
            belongs(cycle.specs, pod, &claim).map_err(Status::error)?;
        }
        all.extend(attachment(cycle, &claim, csi_node));
    }
    Ok(())
}

/// What a claim attaches: its volume, or the one that its class will make.
fn attachment(
    cycle: &Cycle<'_>,
    claim: &Named<ClaimSpec>,
    csi_node: Option<&CsiNodeSpec>,
) -> Option<(String, Attachment)> {
    let (specs, listers) = (cycle.specs, &cycle.cluster.listers);
    let spec = &specs[claim.spec];
    if let Some(volume) = spec.volume.and_then(|name| listers.volumes.get(&name)) {
        let (driver, handle) = specs[volume.spec].csi?;
        return Some((specs.symbols.text(driver).to_owned(), Attachment::Volume(handle)));
    }
    let class = listers.storage_classes.get(&spec.class?)?;
    let driver = match specs.symbols.text(specs[class.spec].provisioner) {
        "kubernetes.io/aws-ebs" => csi_node.map(|_| "ebs.csi.aws.com")?,
        "kubernetes.io/gce-pd" => csi_node.map(|_| "pd.csi.storage.gke.io")?,
        "kubernetes.io/azure-disk" => csi_node.map(|_| "disk.csi.azure.com")?,
        "kubernetes.io/cinder" => csi_node.map(|_| "cinder.csi.openstack.org")?,
        "kubernetes.io/portworx-volume" => csi_node.map(|_| "pxd.portworx.com")?,
        own => own,
    };
    Some((driver.to_owned(), Attachment::Claim(claim.namespace, claim.name)))
}
