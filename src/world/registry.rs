//! Images: what has to be fetched, and how the application in it behaves.
//!
//! Layers are shared between images by digest. Behaviour is drawn from tables, so that a container
//! is a few times and an exit code, not a process. Knows nothing of hosts, caches or time.

use std::sync::Arc;

use super::settings::MILLION;
use crate::base::hash::Map;
use crate::base::{Bytes, Span, Symbol};
use crate::engine::Quantiles;

/// A layer of an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer {
    /// Equal digests are one layer.
    pub digest: u64,
    /// What is sent over the network.
    pub compressed: Bytes,
}

/// An image and the application in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Bottom first; shared, because every host that caches the image remembers them.
    pub layers: Arc<[Layer]>,
    /// What the application does once it is started.
    pub behaviour: Behaviour,
}

/// How an application behaves, in nanoseconds from the start of its container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behaviour {
    /// Probability that one try to pull the image fails, in parts per million.
    pub pull_failure: u32,
    /// Until its health check passes: `app.startup.*`.
    pub start: Quantiles,
    /// How its work ends by itself, if ever.
    pub ends: Option<Ending>,
    /// How it crashes, if ever; what comes first counts.
    pub crashes: Option<Ending>,
    /// From SIGTERM to its exit: `app.shutdown.handles_sigterm`; A-22.
    pub shutdown: Quantiles,
    /// Probability that it ignores SIGTERM, in parts per million:
    /// `app.shutdown.ignores_sigterm_prob`.
    pub ignores_term: u32,
    /// Until its health check fails for good, if ever.
    pub sickens: Option<Quantiles>,
    /// How long a health probe takes that passes.
    pub passing_probe: Span,
    /// How long a health probe takes that fails: zero is refused at once.
    pub failing_probe: Span,
}

/// One way to exit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// How long after the start.
    pub after: Quantiles,
    /// The exit code.
    pub code: u8,
    /// Whether it was killed for memory.
    pub out_of_memory: bool,
}

/// The images of one plan, by reference.
///
/// ```
/// use windtunnel::base::{Bytes, Symbols};
/// use windtunnel::world::registry::{Behaviour, Image, Layer, Registry};
/// let mut symbols = Symbols::default();
/// let web = symbols.intern("web:1");
/// let mut registry = Registry::default();
/// let layers = [Layer { digest: 7, compressed: Bytes::mib(120) }].into();
/// registry.push(web, Image { layers, behaviour: Behaviour::steady() });
/// assert_eq!(registry.find(web).map(Image::compressed), Some(Bytes::mib(120)));
/// assert!(registry.find(symbols.intern("web:2")).is_none());
/// ```
#[derive(Clone, Default, Debug)]
pub struct Registry {
    images: Map<Symbol, Image>,
}

impl Registry {
    /// Makes `reference` mean this image, from now on.
    pub fn push(&mut self, reference: Symbol, image: Image) {
        self.images.insert(reference, image);
    }

    /// What a reference means, if anything.
    pub fn find(&self, reference: Symbol) -> Option<&Image> {
        self.images.get(&reference)
    }
}

impl Image {
    /// The size of all layers.
    pub fn compressed(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.compressed).sum()
    }
}

impl Behaviour {
    /// An application that is well at once, runs for ever, never fails, and exits on SIGTERM
    /// without delay.
    pub const fn steady() -> Self {
        Behaviour {
            pull_failure: 0,
            start: Quantiles::constant(0),
            ends: None,
            crashes: None,
            shutdown: Quantiles::constant(0),
            ignores_term: 0,
            sickens: None,
            passing_probe: Span::ZERO,
            failing_probe: Span::ZERO,
        }
    }
}

/// Whether something of this probability, in parts per million, happens with this draw.
pub(super) const fn happens(probability: u32, draw: u64) -> bool {
    crate::base::turn::below(draw, MILLION as u64) < probability as u64
}
