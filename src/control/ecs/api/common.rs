//! The parts that several requests share.

use std::ops::Deref;

use serde::{Deserialize, Deserializer};

use super::error::ApiError;

/// A list of a request; `null` and a missing list are empty.
///
/// ```
/// use windtunnel::control::ecs::api::List;
/// let none: List<u32> = serde_json::from_str("null").expect("null is a list");
/// assert!(none.is_empty());
/// let some: List<u32> = serde_json::from_str("[1, 2]").expect("a list");
/// assert_eq!(some.len(), 2);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(List(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// A tag.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: Option<String>,
    /// Up to 256 characters.
    pub value: Option<String>,
}

/// `launchType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LaunchType {
    /// Container instances.
    Ec2,
    /// Fargate.
    Fargate,
    /// Machines outside AWS.
    External,
    /// Instances that ECS manages.
    ManagedInstances,
}

/// One item of a capacity provider strategy (CP-03).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProviderShare {
    /// The provider.
    pub capacity_provider: Option<String>,
    /// 0 to 1000; absent is 0.
    pub weight: Option<i32>,
    /// 0 to 100,000; absent is 0.
    pub base: Option<i32>,
}

/// `networkConfiguration`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NetworkConfiguration {
    /// For awsvpc tasks, which have an interface of their own.
    pub awsvpc_configuration: Option<AwsvpcConfiguration>,
}

/// `awsvpcConfiguration`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AwsvpcConfiguration {
    /// Ids, 1 to 16.
    pub subnets: List<String>,
    /// Ids, up to 5.
    pub security_groups: List<String>,
    /// Whether tasks get a public IPv4 address; absent is no.
    pub assign_public_ip: Option<Switch>,
}

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Switch {
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

/// A placement constraint (section 4.3).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PlacementConstraint {
    /// Which kind.
    #[serde(rename = "type")]
    pub kind: Option<ConstraintKind>,
    /// In the cluster query language; for `memberOf`.
    pub expression: Option<String>,
}

/// The kind of a placement constraint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConstraintKind {
    /// Each task on an instance of its own.
    DistinctInstance,
    /// Only where an expression holds.
    MemberOf,
}

/// A placement strategy (section 4.2).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PlacementStrategy {
    /// Which kind.
    #[serde(rename = "type")]
    pub kind: Option<StrategyKind>,
    /// `cpu`, `memory`, `instanceId`, `host` or `attribute:NAME`.
    pub field: Option<String>,
}

/// The kind of a placement strategy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StrategyKind {
    /// Any instance.
    Random,
    /// As few tasks per group as possible.
    Spread,
    /// As full an instance as possible.
    Binpack,
}

/// The longest name of a family, a cluster or a service, in characters.
const NAME_LENGTH_MAX: usize = 255;
/// Tags per request.
const TAGS_MAX: usize = 50;
const TAG_KEY_LENGTH_MAX: usize = 128;
const TAG_VALUE_LENGTH_MAX: usize = 256;

/// Whether a text is a name: 1 to 255 characters of `[A-Za-z0-9_-]`.
pub(in crate::control::ecs) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.len() <= NAME_LENGTH_MAX && text.bytes().all(plain)
}

/// Everything that is wrong with a list of tags.
pub(in crate::control::ecs) fn tag_errors(tags: &[Tag]) -> Vec<ApiError> {
    let mut errors = Vec::new();
    if tags.len() > TAGS_MAX {
        errors.push(ApiError::invalid("tags", format!("A resource has at most {TAGS_MAX} tags.")));
    }
    for (index, tag) in tags.iter().enumerate() {
        let length = tag.key.as_deref().unwrap_or_default().chars().count();
        if length == 0 || length > TAG_KEY_LENGTH_MAX {
            let path = format!("tags[{index}].key");
            errors.push(ApiError::invalid(path, "The key of a tag has 1 to 128 characters."));
        }
        if tag.value.as_deref().unwrap_or_default().chars().count() > TAG_VALUE_LENGTH_MAX {
            let path = format!("tags[{index}].value");
            errors.push(ApiError::invalid(path, "The value of a tag has at most 256 characters."));
        }
    }
    errors
}
