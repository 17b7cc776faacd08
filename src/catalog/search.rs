//! Finds types by what they have, and the name that somebody probably meant.
//!
//! Knows nothing of which type is best: results come in catalogue order.

use super::instance::{Arch, InstanceType, instance_types};
use super::region::{Region, regions};
use crate::base::Bytes;

/// What a type must have to be found; nothing asked, everything found.
///
/// ```
/// use windtunnel::catalog::{self, Arch, Filter};
/// let filter = Filter { family: Some("m7"), arch: Some(Arch::Arm64), vcpus: 2..=2, ..Filter::default() };
/// let names: Vec<&str> = catalog::search(filter).map(|found| found.name).collect();
/// assert_eq!(names, ["m7g.large", "m7gd.large"]);
/// ```
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    /// Its name begins with this, as `m7` or `m7i.`.
    pub family: Option<&'a str>,
    /// What its processors run.
    pub arch: Option<Arch>,
    /// How many vCPUs.
    pub vcpus: std::ops::RangeInclusive<u32>,
    /// How much memory is advertised.
    pub advertised: std::ops::RangeInclusive<Bytes>,
    /// Whether it has a GPU.
    pub gpu: Option<bool>,
    /// Whether it is of the current generation.
    pub current_generation: Option<bool>,
    /// Some zone of this region offers it.
    pub region: Option<&'a Region>,
}

impl Default for Filter<'_> {
    fn default() -> Self {
        Filter {
            family: None,
            arch: None,
            vcpus: 0..=u32::MAX,
            advertised: Bytes::ZERO..=Bytes::new(i64::MAX),
            gpu: None,
            current_generation: None,
            region: None,
        }
    }
}

/// Every instance type that passes the filter, in catalogue order.
pub fn search(filter: Filter<'_>) -> impl Iterator<Item = &'static InstanceType> {
    instance_types().iter().filter(move |found| filter.passes(found))
}

/// The instance type whose name is nearest to an unknown one, if any is near.
///
/// ```
/// use windtunnel::catalog::nearest_instance_type;
/// assert_eq!(nearest_instance_type("m7i.lrage"), Some("m7i.large"));
/// assert_eq!(nearest_instance_type("something else"), None);
/// ```
pub fn nearest_instance_type(name: &str) -> Option<&'static str> {
    nearest(name, instance_types().iter().map(|known| known.name))
}

/// The region whose name is nearest to an unknown one, if any is near.
///
/// ```
/// use windtunnel::catalog::nearest_region;
/// assert_eq!(nearest_region("us-est-1"), Some("us-east-1"));
/// ```
pub fn nearest_region(name: &str) -> Option<&'static str> {
    nearest(name, regions())
}

impl Filter<'_> {
    fn passes(&self, found: &InstanceType) -> bool {
        self.family.is_none_or(|family| found.name.starts_with(family))
            && self.arch.is_none_or(|arch| found.arch == arch)
            && self.vcpus.contains(&found.vcpus)
            && self.advertised.contains(&found.advertised)
            && self.gpu.is_none_or(|gpu| found.gpu.is_some() == gpu)
            && self.current_generation.is_none_or(|current| found.current_generation == current)
            && self.region.is_none_or(|region| region.zones_of(found).next().is_some())
    }
}

/// Longer names are nobody's typing error, and comparing them takes long.
const NAME_LENGTH_MAX: usize = 64;

/// The first name with the fewest edits, at most one in three letters.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > NAME_LENGTH_MAX {
        return None;
    }
    let name = name.trim().to_ascii_lowercase();
    let edits = |known: &str| strsim::osa_distance(&name, known);
    let nearest = known.min_by_key(|known| edits(known))?;
    (edits(nearest) <= nearest.len() / 3).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints() {
        let rows = [
            ("m7i.lrage", Some("m7i.large")),
            ("M7I.LARGE", Some("m7i.large")),
            ("m5large", Some("m5.large")),
            ("c5.xlage", Some("c5.xlarge")),
            ("", None),
            ("kubernetes", None),
        ];
        for (typed, meant) in rows {
            assert_eq!(nearest_instance_type(typed), meant, "{typed}");
        }
        assert_eq!(nearest_region("eu_central_1"), Some("eu-central-1"));
        assert_eq!(nearest_region(&"x".repeat(1_000_000)), None);
    }

    #[test]
    fn each_condition_narrows_the_search() {
        let count = |filter| search(filter).count();
        let all = count(Filter::default());
        assert_eq!(all, instance_types().len());
        let region = crate::catalog::region("eu-central-1");
        let rows = [
            Filter { family: Some("m"), ..Filter::default() },
            Filter { arch: Some(Arch::X86_64), ..Filter::default() },
            Filter { vcpus: 0..=4, ..Filter::default() },
            Filter { advertised: Bytes::gib(8)..=Bytes::gib(16), ..Filter::default() },
            Filter { gpu: Some(true), ..Filter::default() },
            Filter { current_generation: Some(true), ..Filter::default() },
            Filter { region, ..Filter::default() },
        ];
        for filter in rows {
            let found = count(filter.clone());
            assert!(0 < found && found < all, "{filter:?} finds {found} of {all}");
        }
    }
}
