//! Step 7: volumes and what mounts them (section 1.6).

use super::{Errors, containers};
use crate::control::ecs::api::register::{DockerVolumeScope, RegisterTaskDefinition, Volume};
use crate::mark;

/// The name of the volume that requests configure, if there is one.
pub(super) fn at_launch(request: &RegisterTaskDefinition) -> Option<&str> {
    let volume = request.volumes.iter().find(|volume| volume.configured_at_launch == Some(true))?;
    volume.name.as_deref()
}

/// Checks step 7 of section 1.8.
pub(super) fn check(request: &RegisterTaskDefinition, errors: &mut Errors) {
    for (index, volume) in request.volumes.iter().enumerate() {
        check_volume(&format!("volumes[{index}]"), volume, errors);
    }
    let at_launch = |volume: &&Volume| volume.configured_at_launch == Some(true);
    if request.volumes.iter().filter(at_launch).count() > 1 {
        mark!("TD-50");
        errors.client("volumes", "At most one volume can be configured at launch.");
    }
    check_mounts(request, errors);
}

fn check_volume(path: &str, volume: &Volume, errors: &mut Errors) {
    let sources = [
        volume.host.is_some(),
        volume.docker_volume_configuration.is_some(),
        volume.efs_volume_configuration.is_some(),
        volume.s3_files_volume_configuration.is_some(),
        volume.fsx_windows_file_server_volume_configuration.is_some(),
        volume.configured_at_launch == Some(true),
    ];
    if sources.into_iter().filter(|&given| given).count() > 1 {
        mark!("TD-50");
        mark!("1.2/volumes");
        errors.client(path, "A volume has one source.");
    }
    if let Some(docker) = &volume.docker_volume_configuration
        && docker.autoprovision == Some(true)
        && docker.scope != Some(DockerVolumeScope::Shared)
    {
        mark!("TD-50");
        let path = format!("{path}.dockerVolumeConfiguration.autoprovision");
        errors.client(path, "Only a shared volume can be autoprovisioned.");
    }
    let ids = [
        ("efsVolumeConfiguration", volume.efs_volume_configuration.as_ref()),
        (
            "fsxWindowsFileServerVolumeConfiguration",
            volume.fsx_windows_file_server_volume_configuration.as_ref(),
        ),
    ];
    for (field, system) in ids {
        if system.is_some_and(|system| system.file_system_id.is_none()) {
            errors.missing(format!("{path}.{field}.fileSystemId"));
        }
    }
    if volume.s3_files_volume_configuration.as_ref().is_some_and(|files| files.file_system_arn.is_none()) {
        errors.missing(format!("{path}.s3filesVolumeConfiguration.fileSystemArn"));
    }
}

fn check_mounts(request: &RegisterTaskDefinition, errors: &mut Errors) {
    let volumes = |name: &str| request.volumes.iter().any(|volume| volume.name.as_deref() == Some(name));
    let siblings = |name: &str| {
        request.container_definitions.iter().any(|container| container.name.as_deref() == Some(name))
    };
    for (path, container) in containers(request) {
        for (index, mount) in container.mount_points.iter().enumerate() {
            if let Some(name) = mount.source_volume.as_deref()
                && !volumes(name)
            {
                mark!("1.3/mountPoints");
                let path = format!("{path}.mountPoints[{index}].sourceVolume");
                errors.client(path, format!("Unknown volume '{name}'."));
            }
        }
        for (index, from) in container.volumes_from.iter().enumerate() {
            let Some(name) = from.source_container.as_deref() else { continue };
            if !siblings(name) || container.name.as_deref() == Some(name) {
                mark!("1.3/volumesFrom");
                let path = format!("{path}.volumesFrom[{index}].sourceContainer");
                errors.client(path, format!("There is no other container with the name {name}."));
            }
        }
    }
}
