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
