//! ImageLocality: nodes that have the images already (K 2.14).

use crate::control::kubernetes::scheduler::cluster::NodeInfo;
use crate::control::kubernetes::scheduler::framework::{Cycle, Dependence, Plugin, Points, Status};
use crate::mark;

const MIB: i64 = 1024 * 1024;
/// Images that weigh less in all do not count.
const THRESHOLD: i64 = 23 * MIB;
/// More than this per container does not count.
const CONTAINER_MAX: i64 = 1000 * MIB;

/// The plugin.
#[derive(Debug)]
pub struct ImageLocality;

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn points(&self) -> Points {
        Points { score: true, ..Points::default() }
    }

    fn score_depends_on(&self) -> Dependence {
        Dependence::Node
    }

    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<i64, Status> {
        if node.images.is_empty() {
            return Ok(0);
        }
        let nodes = cycle.cluster.order().len();
        let share = |image| {
            let place = node.images.binary_search_by_key(image, |&(known, _, _)| known).ok()?;
            let (_, size, having) = node.images[place];
            Some(share_upstream_f64(size, having, nodes))
        };
        let sum: i64 = cycle.spec.images.iter().filter_map(share).sum();
        let containers = i64::try_from(cycle.spec.container_images).expect("a pod has few containers");
        mark!("K 2.14 image volumes do not raise the ceiling");
        let most = CONTAINER_MAX * containers;
        // As the original clamps: the floor first.
        let sum = if sum < THRESHOLD { THRESHOLD } else { sum.min(most) };
        Ok(100 * (sum - THRESHOLD) / (most - THRESHOLD))
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn share_upstream_f64(size: i64, having: u32, nodes: usize) -> i64 {
    mark!("K 2.14 an image counts by the share of nodes that have it");
    (size as f64 * (f64::from(having) / nodes as f64)) as i64
}
