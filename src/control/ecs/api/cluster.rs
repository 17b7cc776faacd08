//! `CreateCluster`, and what other requests want to know of a cluster.

use serde::Deserialize;

use super::common::{List, ProviderShare, Tag, is_name, tag_errors};
use super::error::{ApiError, ErrorKind};
use super::placing::strategy_kind;
use super::read::{Operation, Request};
use crate::mark;

/// The request.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateCluster {
    /// Absent is `default`.
    pub cluster_name: Option<String>,
    /// Up to 50.
    pub tags: List<Tag>,
    /// Which providers tasks may come from, up to 20.
    pub capacity_providers: List<String>,
    /// For tasks and services that say nothing (CL-06).
    pub default_capacity_provider_strategy: List<ProviderShare>,
}

/// The request for the end of a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeleteCluster {
    /// Name or ARN; here there is no default.
    pub cluster: Option<String>,
}

/// What is in a cluster when somebody wants to delete it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Contents {
    /// Services, whatever their desired count.
    pub services: u32,
    /// Standalone tasks that were asked for.
    pub tasks: u32,
    /// Container instances.
    pub instances: u32,
}

/// A cluster as created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// For tasks and services that say nothing (CL-06).
    pub default_strategy: List<ProviderShare>,
}

impl Request for CreateCluster {
    const OPERATION: Operation = Operation::CreateCluster;
}

impl Request for DeleteCluster {
    const OPERATION: Operation = Operation::DeleteCluster;
}

/// The name of a cluster that nobody named.
const DEFAULT: &str = "default";
/// Capacity providers per cluster (section 9.1).
const PROVIDERS_MAX: usize = 20;

/// Creates a cluster.
///
/// ```
/// use windtunnel::control::ecs::api::{CreateCluster, cluster};
/// let cluster = cluster::create(&CreateCluster::default()).expect("nothing is required");
/// assert_eq!(cluster.name, "default");
/// ```
///
/// # Errors
/// The first thing that is wrong with the request.
pub fn create(request: &CreateCluster) -> Result<Cluster, ApiError> {
    let name = request.cluster_name.as_deref().unwrap_or(DEFAULT);
    if !is_name(name) {
        mark!("CL-02");
        let words = "A cluster name has 1 to 255 letters, digits, hyphens and underscores.";
        return Err(ApiError::invalid("clusterName", words));
    }
    if let Some(error) = tag_errors(&request.tags).into_iter().next() {
        return Err(error);
    }
    if request.capacity_providers.len() > PROVIDERS_MAX {
        let words = "A cluster has at most 20 capacity providers.";
        return Err(ApiError::invalid("capacityProviders", words));
    }
    check_default_strategy(request)?;
    let default_strategy = request.default_capacity_provider_strategy.clone();
    Ok(Cluster { name: name.to_owned(), default_strategy })
}

/// Deletes a cluster, if nothing is in it.
///
/// # Errors
/// What is still in it, or that there is no such cluster.
pub fn delete(
    request: &DeleteCluster,
    contents: Contents,
    clusters: &mut Vec<Cluster>,
) -> Result<(), ApiError> {
    let Some(named) = request.cluster.as_deref() else {
        return Err(ApiError::invalid("cluster", "A cluster is required."));
    };
    let name = find(clusters, Some(named))?.name.clone();
    let rows = [
        (contents.services, ErrorKind::ClusterContainsServicesException, "services"),
        (contents.tasks, ErrorKind::ClusterContainsTasksException, "tasks"),
        (contents.instances, ErrorKind::ClusterContainsContainerInstancesException, "container instances"),
    ];
    mark!("CL-03");
    for (count, kind, what) in rows {
        if count > 0 {
            return Err(ApiError::new(kind, "cluster", format!("The cluster {name} still has {what}.")));
        }
    }
    clusters.retain(|cluster| cluster.name != name);
    Ok(())
}

fn check_default_strategy(request: &CreateCluster) -> Result<(), ApiError> {
    let shares = &request.default_capacity_provider_strategy;
    if shares.is_empty() {
        return Ok(());
    }
    let at = "defaultCapacityProviderStrategy";
    strategy_kind(shares, at)?;
    for (index, share) in shares.iter().enumerate() {
        let provider = share.capacity_provider.as_deref().unwrap_or_default();
        if !request.capacity_providers.iter().any(|known| known == provider) {
            let path = format!("{at}[{index}].capacityProvider");
            let words = format!("The capacity provider {provider} is not one of the cluster's.");
            return Err(ApiError::invalid(path, words));
        }
    }
    Ok(())
}

/// The cluster that a request means, by name or ARN; a request that names none means `default`.
pub(super) fn find<'a>(clusters: &'a [Cluster], named: Option<&str>) -> Result<&'a Cluster, ApiError> {
    mark!("CL-02");
    let name = named.unwrap_or(DEFAULT);
    let name = name.rsplit_once('/').map_or(name, |(_, last)| last);
    clusters.iter().find(|cluster| cluster.name == name).ok_or_else(|| {
        ApiError::new(ErrorKind::ClusterNotFoundException, "cluster", format!("Cluster {name} not found."))
    })
}
