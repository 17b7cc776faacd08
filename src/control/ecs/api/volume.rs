//! `volumeConfigurations`: an EBS volume that is made for each task when it starts (section 1.6).
//!
//! A task definition says that a volume is configured at launch, a request says which. The volume is
//! new with every task, so it lies in the zone of its task and pins nothing (TD-52). Knows nothing
//! of how long it takes to attach one, and of prices.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::common::List;
use super::error::ApiError;
use crate::base::{Bytes, Symbols};
use crate::control::ecs::objects::{LaunchType, ManagedVolume, TaskDefinition, VolumeKind};
use crate::mark;

/// What a request says about one volume of its task definition.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VolumeConfiguration {
    /// The volume of the task definition that is configured at launch.
    pub name: Option<String>,
    /// What it is.
    #[serde(rename = "managedEBSVolume")]
    pub managed_ebs_volume: Option<ManagedEbsVolume>,
}

/// `managedEBSVolume`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ManagedEbsVolume {
    /// Absent is `gp3`.
    pub volume_type: Option<String>,
    /// Needed unless there is a snapshot.
    #[serde(rename = "sizeInGiB")]
    pub size_in_gib: Option<i32>,
    /// Where its content comes from.
    pub snapshot_id: Option<String>,
    /// Operations per second.
    pub iops: Option<i32>,
    /// MiB per second.
    pub throughput: Option<i32>,
    /// The role with which ECS makes it.
    pub role_arn: Option<String>,
    /// Absent is deletion; not for services.
    pub termination_policy: Option<TerminationPolicy>,
}

/// Whether a volume goes with its task.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TerminationPolicy {
    /// Absent is yes.
    pub delete_on_termination: Option<bool>,
}

/// What gp3 includes, and has at least.
const GP3_IOPS: RangeInclusive<i32> = 3000..=16_000;
const GP3_THROUGHPUT: RangeInclusive<i32> = 125..=1000;
/// Operations per second of io1, which have to be said.
const IO1_IOPS: RangeInclusive<i32> = 100..=64_000;

/// The volume that each task of a request gets, if its definition has one that is configured at launch.
pub(super) fn compile(
    configurations: &List<VolumeConfiguration>,
    definition: &TaskDefinition,
    launch_type: LaunchType,
    symbols: &Symbols,
) -> Result<Option<ManagedVolume>, ApiError> {
    let path = "volumeConfigurations";
    mark!("TD-51");
    let (configuration, name) = match (&configurations[..], definition.volume_at_launch) {
        ([], None) => return Ok(None),
        ([], Some(name)) => {
            let words = format!("The volume {} is configured at launch.", symbols.text(name));
            return Err(ApiError::invalid(path, format!("{words} The request has to say how.")));
        }
        ([one], name) => (one, name.map(|name| symbols.text(name))),
        (_, _) => return Err(ApiError::invalid(path, "A task has at most one volume configured at launch.")),
    };
    let stated = configuration.name.as_deref().unwrap_or_default();
    if name != Some(stated) {
        let words = format!("The task definition has no volume {stated:?} that is configured at launch.");
        return Err(ApiError::invalid(format!("{path}[0].name"), words));
    }
    let path = format!("{path}[0].managedEBSVolume");
    let Some(volume) = &configuration.managed_ebs_volume else {
        return Err(ApiError::invalid(path, "managedEBSVolume is required."));
    };
    if volume.role_arn.as_deref().unwrap_or_default().is_empty() {
        return Err(ApiError::invalid(format!("{path}.roleArn"), "roleArn is required."));
    }
    volume_of(volume, launch_type, &path).map(Some)
}

fn volume_of(
    volume: &ManagedEbsVolume,
    launch_type: LaunchType,
    path: &str,
) -> Result<ManagedVolume, ApiError> {
    let (kind, sizes) = kind(volume.volume_type.as_deref().unwrap_or("gp3"), launch_type, path)?;
    let Some(size) = volume.size_in_gib else {
        let path = format!("{path}.sizeInGiB");
        return Err(match &volume.snapshot_id {
            Some(_) => ApiError::not_modelled(path, "A volume as large as its snapshot"),
            None => ApiError::invalid(path, "A volume needs a size or a snapshot."),
        });
    };
    within(Some(size), &sizes, &format!("{path}.sizeInGiB"))?;
    let (iops_path, throughput_path) = (format!("{path}.iops"), format!("{path}.throughput"));
    let (iops, throughput) = match kind {
        VolumeKind::Gp3 => (
            within(volume.iops, &GP3_IOPS, &iops_path)?.unwrap_or(GP3_IOPS.start().unsigned_abs()),
            within(volume.throughput, &GP3_THROUGHPUT, &throughput_path)?
                .unwrap_or(GP3_THROUGHPUT.start().unsigned_abs()),
        ),
        VolumeKind::Io1 => {
            let iops = within(volume.iops, &IO1_IOPS, &iops_path)?;
            (iops.ok_or_else(|| ApiError::invalid(iops_path, "io1 needs iops."))?, 0)
        }
        VolumeKind::Gp2 | VolumeKind::St1 | VolumeKind::Sc1 => (0, 0),
    };
    let deletes = volume.termination_policy.as_ref().and_then(|policy| policy.delete_on_termination);
    let size = Bytes::gib(i64::from(size));
    Ok(ManagedVolume { kind, size, iops, throughput, deleted_with_task: deletes.unwrap_or(true) })
}

/// The kind of a volume, and how many GiB it may have.
fn kind(
    name: &str,
    launch_type: LaunchType,
    path: &str,
) -> Result<(VolumeKind, RangeInclusive<i32>), ApiError> {
    let path = format!("{path}.volumeType");
    match name {
        "gp3" => Ok((VolumeKind::Gp3, 1..=16_384)),
        "gp2" => Ok((VolumeKind::Gp2, 1..=16_384)),
        "io1" => Ok((VolumeKind::Io1, 4..=16_384)),
        "st1" => Ok((VolumeKind::St1, 125..=16_384)),
        "sc1" => Ok((VolumeKind::Sc1, 125..=16_384)),
        "standard" if launch_type == LaunchType::Fargate => {
            Err(ApiError::invalid(path, "Fargate takes no volume of type standard."))
        }
        "io2" | "standard" => {
            Err(ApiError::not_modelled(path, "A volume of type io2 or standard, whose price is not known,"))
        }
        _ => Err(ApiError::invalid(path, "volumeType is gp2, gp3, io1, io2, sc1, st1 or standard.")),
    }
}

/// A number in its bounds, if there is one.
fn within(given: Option<i32>, bounds: &RangeInclusive<i32>, path: &str) -> Result<Option<u32>, ApiError> {
    let Some(number) = given else { return Ok(None) };
    if bounds.contains(&number) {
        return Ok(Some(number.unsigned_abs()));
    }
    let words = format!("{path} is {} to {} here.", bounds.start(), bounds.end());
    Err(ApiError::invalid(path, words))
}
