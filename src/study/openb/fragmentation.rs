//! How much of a machine's GPUs the usual pods cannot use.
//!
//! The study weighs what is left on a machine by the pods that usually come: for each of them, what it
//! could not use counts, times how often such pods come. Sums are taken in the order of the study, since
//! the last bit decides between two scores.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::mark;

use super::devices::{DEVICES_MAX, Left};
use super::trace::Shape;

/// Groups of pods are taken until they make up this share of all pods, in percent.
const TYPICAL_PERCENT: usize = 95;

/// A group of pods that is common enough to count.
#[derive(Clone, PartialEq, Debug)]
pub struct Typical {
    /// What they ask for; memory plays no part and is 0.
    pub shape: Shape,
    /// How many pods of the trace.
    pub count: usize,
    /// Their share of all pods that count.
    pub weight: f64,
}

/// The groups of pods that together make up 95 % of a trace, most frequent first.
///
/// ```
/// use windtunnel::study::openb::{Shape, typical};
/// let shape = |milli| Shape { cpu_milli: 1000, memory_mib: 1, milli, devices: 1, models: String::new() };
/// let pods: Vec<Shape> = [vec![shape(500); 95], vec![shape(250); 5]].concat();
/// let groups = typical(&pods);
/// assert_eq!((groups.len(), groups[0].count, groups[0].weight), (1, 95, 1.0));
/// ```
pub fn typical(pods: &[Shape]) -> Vec<Typical> {
    let mut counts: BTreeMap<(i64, i64, i64, &str), usize> = BTreeMap::new();
    for pod in pods {
        *counts.entry((pod.cpu_milli, pod.milli, pod.devices, &pod.models)).or_default() += 1;
    }
    let mut groups: Vec<_> = counts.into_iter().collect();
    mark!("F equal counts by the group, descending");
    groups.sort_by_key(|&(group, count)| Reverse((count, group)));
    let mut taken = 0;
    groups.retain(|&(_, count)| {
        mark!("F the group that crosses 95 percent counts");
        let wanted = taken * 100 < TYPICAL_PERCENT * pods.len();
        taken += if wanted { count } else { 0 };
        wanted
    });
    let group = |((cpu_milli, milli, devices, models), count): ((i64, i64, i64, &str), usize)| Typical {
        shape: Shape { cpu_milli, memory_mib: 0, milli, devices, models: models.to_owned() },
        count,
        weight: weight_upstream_f64(count, pods.len(), taken),
    };
    groups.into_iter().map(group).collect()
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "three divisions, as in the study")]
fn weight_upstream_f64(count: usize, all: usize, taken: usize) -> f64 {
    (count as f64 / all as f64) / (taken as f64 / all as f64)
}

/// The typical pods, sorted out by model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fragmentation {
    /// The different sizes of a device share, ascending.
    sizes: Vec<i32>,
    models: Vec<(String, Terms)>,
    /// For a model that no trace names: nothing is permitted that names models.
    other: Terms,
}

/// The typical pods as one model of GPUs sees them, in the order of the study.
#[derive(Clone, PartialEq, Debug, Default)]
struct Terms {
    /// Those that want a share of these devices.
    sharing: Vec<Term>,
    /// Those that want none.
    without: Vec<(i64, f64)>,
    /// Those that want other models.
    barred: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Term {
    cpu_milli: i64,
    weight: f64,
    /// Which of the sizes.
    size: usize,
    devices: i32,
}

/// A model, as [`Fragmentation`] numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Model(Option<usize>);

impl Fragmentation {
    /// Sorts out typical pods.
    pub fn new(typical: &[Typical]) -> Self {
        let shapes = || typical.iter().map(|each| &each.shape);
        let mut sizes: Vec<i32> =
            shapes().filter(|shape| shape.milli > 0).map(|each| small(each.milli)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let mut models: Vec<&str> = shapes().flat_map(Shape::permitted).collect();
        models.sort_unstable();
        models.dedup();
        let models = models.into_iter().map(|model| (model.to_owned(), Terms::new(typical, &sizes, model)));
        Fragmentation { models: models.collect(), other: Terms::new(typical, &sizes, ""), sizes }
    }

    /// The number of a model.
    pub fn model(&self, name: &str) -> Model {
        Model(self.models.binary_search_by(|(known, _)| (**known).cmp(name)).ok())
    }

    /// How much of what is left on the devices of a machine usual pods cannot use, in thousandths of a
    /// device.
    #[expect(clippy::float_arithmetic, reason = "the sums of the study, in its order")]
    pub fn of_upstream_f64(&self, model: Model, cpu_left: i64, left: &Left) -> f64 {
        let total: i32 = left.iter().sum();
        if total == 0 {
            return 0.0;
        }
        let terms = model.0.map_or(&self.other, |model| &self.models[model].1);
        let whole = f64::from(total);
        let mut fits = [(0, 0.0); SIZES_MAX];
        for (fit, &size) in fits.iter_mut().zip(&self.sizes) {
            let (count, usable) = fitting(left, size);
            *fit = (count, f64::from(total - usable));
        }
        let mut sharing = [0.0; 3];
        for term in &terms.sharing {
            let known = fits.get(term.size).copied();
            let (count, unusable) = known.unwrap_or_else(|| {
                let (count, usable) = fitting(left, self.sizes[term.size]);
                (count, f64::from(total - usable))
            });
            let (enough, cpu) = (count >= term.devices, cpu_left >= term.cpu_milli);
            mark!("F what a pod that fits cannot use, else all that is left");
            let lost = if enough && cpu { unusable } else { whole };
            let kind = if cpu { 1 } else { usize::from(enough) * 2 };
            sharing[kind] += term.weight * lost;
        }
        let mut without = [0.0; 2];
        for &(cpu, weight) in &terms.without {
            mark!("F a pod without devices uses none");
            without[usize::from(cpu_left < cpu)] += weight * whole;
        }
        mark!("F a pod that wants another model uses none");
        let barred = terms.barred.iter().fold(0.0, |sum, weight| sum + weight * whole);
        sharing[0] + sharing[1] + sharing[2] + without[0] + without[1] + barred
    }
}

/// Traces use a few dozen sizes; what each size has left is worked out once for so many of them.
const SIZES_MAX: usize = 64;

/// How many devices have a size left, and what is left on them in all.
fn fitting(left: &Left, size: i32) -> (i32, i32) {
    let (mut count, mut usable) = (0, 0);
    for &left in left {
        let fits = i32::from(left >= size);
        count += fits;
        usable += fits * left;
    }
    (count, usable)
}

impl Terms {
    fn new(typical: &[Typical], sizes: &[i32], model: &str) -> Self {
        let mut terms = Terms::default();
        for Typical { shape, weight, .. } in typical {
            if shape.milli == 0 {
                terms.without.push((shape.cpu_milli, *weight));
            } else if shape.models.is_empty() || shape.permitted().any(|permitted| permitted == model) {
                let size = sizes.binary_search(&small(shape.milli)).expect("every size is known");
                let (cpu_milli, devices) = (shape.cpu_milli, small(shape.devices));
                terms.sharing.push(Term { cpu_milli, weight: *weight, size, devices });
            } else {
                terms.barred.push(*weight);
            }
        }
        terms
    }
}

fn small(amount: i64) -> i32 {
    i32::try_from(amount).unwrap_or(i32::MAX)
}

const _: () = assert!(DEVICES_MAX <= 8, "a row of devices is two vectors of four");
