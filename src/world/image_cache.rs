//! The layers on one host, and the link they come over.
//!
//! A layer is fetched once, whoever waits for it, and kept as long as an image or a pull holds it.
//! Knows nothing of containers: who waits is a label `W`.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::network::{FlowKey, Link, LinkUse};
use super::registry::Layer;
use crate::base::{Bytes, Symbol, Timestamp};
use crate::mark;

/// The images of a host, complete and on their way.
#[derive(Debug)]
pub(super) struct ImageCache<W> {
    /// Flows are labelled with the digest that they carry.
    link: Link<u64>,
    layers: BTreeMap<u64, Slot<W>>,
    /// Complete images, by reference; each holds its layers. Mostly they are few.
    images: SmallVec<[(Symbol, Arc<[Layer]>); 2]>,
    /// The sizes of all layers that somebody holds.
    taken: Bytes,
}

/// A layer that somebody holds.
#[derive(Debug)]
struct Slot<W> {
    /// Images and pulls that need it; at zero the slot is dropped.
    holders: u32,
    state: State<W>,
}

#[derive(Debug)]
enum State<W> {
    Missing,
    Coming { flow: FlowKey, waiting: Vec<W> },
    Present,
}

/// A pull that knows its layers; it holds them all.
#[derive(Debug)]
pub(super) struct Fetch {
    layers: Arc<[Layer]>,
    /// Layers before this one are present or waited for.
    next: usize,
    /// How many layers are waited for.
    waiting: u32,
}

impl<W: Copy + PartialEq> ImageCache<W> {
    /// No images yet.
    pub(super) fn new(link: Link<u64>) -> Self {
        ImageCache { link, layers: BTreeMap::new(), images: SmallVec::new(), taken: Bytes::ZERO }
    }

    /// Whether a container could be created from this reference.
    pub(super) fn has(&self, image: Symbol) -> bool {
        self.image(image).is_ok()
    }

    /// Where the capacity of the link went.
    pub(super) const fn link_use(&self) -> LinkUse {
        self.link.used()
    }

    /// What the link can carry.
    #[cfg(test)]
    pub(super) const fn capacity(&self) -> crate::base::Bandwidth {
        self.link.capacity()
    }

    /// Until when [`link_use`](Self::link_use) counts.
    #[cfg(test)]
    pub(super) const fn touched_at(&self) -> Timestamp {
        self.link.touched_at()
    }

    /// When the next layer is here, if nothing changes.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.link.ends_at()
    }

    /// Puts an image here that was part of the machine image.
    pub(super) fn bake(&mut self, now: Timestamp, image: Symbol, layers: Arc<[Layer]>) {
        self.hold(&layers);
        for layer in layers.iter() {
            self.slot(layer.digest).state = State::Present;
        }
        self.keep(now, image, layers);
    }

    /// Whether the image is here and made of these layers: then a pull of it fetches nothing.
    pub(super) fn is_complete(&self, image: Symbol, layers: &Arc<[Layer]>) -> bool {
        mark!("AG-21");
        self.image(image).is_ok_and(|place| Arc::ptr_eq(&self.images[place].1, layers))
    }

    /// How much of these layers nobody has or fetches yet.
    pub(super) fn missing(&self, layers: &[Layer]) -> Bytes {
        let missing = layers.iter().filter(|layer| !self.layers.contains_key(&layer.digest));
        missing.map(|layer| layer.compressed).fold(Bytes::ZERO, |sum, size| sum + size)
    }

    /// What all layers take that somebody holds, those on their way included.
    pub(super) const fn taken(&self) -> Bytes {
        self.taken
    }

    /// Begins to pull these layers; [`proceed`](Self::proceed) does the rest.
    pub(super) fn begin(&mut self, layers: Arc<[Layer]>) -> Fetch {
        self.hold(&layers);
        Fetch { layers, next: 0, waiting: 0 }
    }

    /// Waits for up to `at_a_time` layers that are not here; says whether all of them are.
    pub(super) fn proceed(&mut self, now: Timestamp, fetch: &mut Fetch, who: W, at_a_time: u32) -> bool {
        while fetch.waiting < at_a_time.max(1)
            && let Some(&layer) = fetch.layers.get(fetch.next)
        {
            fetch.next += 1;
            let slot = self.layers.get_mut(&layer.digest).expect("a pull holds its layers");
            match &mut slot.state {
                State::Present => {
                    mark!("AG-21");
                    continue;
                }
                State::Coming { waiting, .. } => waiting.push(who),
                State::Missing => {
                    let flow = self.link.start(now, layer.compressed, layer.digest);
                    slot.state = State::Coming { flow, waiting: vec![who] };
                }
            }
            fetch.waiting += 1;
        }
        fetch.waiting == 0
    }

    /// Takes in every layer that is complete, and names who waited, once per layer; each tells its
    /// fetch by [`Fetch::arrived`] and proceeds.
    pub(super) fn arrive(&mut self, now: Timestamp) -> Vec<W> {
        let (mut digests, mut woken) = (Vec::new(), Vec::new());
        self.link.finish(now, &mut digests);
        for digest in digests {
            let state = std::mem::replace(&mut self.slot(digest).state, State::Present);
            let State::Coming { waiting, .. } = state else {
                panic!("a flow carries a layer that is coming")
            };
            woken.extend(waiting);
        }
        woken
    }

    /// Ends a pull that has all its layers: the image is here.
    pub(super) fn complete(&mut self, now: Timestamp, image: Symbol, fetch: Fetch) {
        self.keep(now, image, fetch.layers);
    }

    /// Ends a pull early; what nobody else waits for is not fetched any further.
    pub(super) fn abandon(&mut self, now: Timestamp, fetch: &Fetch, who: W) {
        for layer in &fetch.layers[..fetch.next] {
            if let State::Coming { waiting, .. } = &mut self.slot(layer.digest).state {
                waiting.retain(|&other| other != who);
            }
        }
        self.release(now, &fetch.layers);
    }

    /// Deletes an image and the layers that only it needed.
    pub(super) fn remove(&mut self, now: Timestamp, image: Symbol) {
        if let Ok(place) = self.image(image) {
            let (_, layers) = self.images.remove(place);
            self.release(now, &layers);
        }
    }

    /// Hands the held layers to the image; a former one of this reference lets its layers go.
    fn keep(&mut self, now: Timestamp, image: Symbol, layers: Arc<[Layer]>) {
        match self.image(image) {
            Ok(place) => {
                let former = std::mem::replace(&mut self.images[place].1, layers);
                self.release(now, &former);
            }
            Err(place) => self.images.insert(place, (image, layers)),
        }
    }

    /// Where a complete image stands, or would.
    fn image(&self, image: Symbol) -> Result<usize, usize> {
        self.images.binary_search_by_key(&image, |&(known, _)| known)
    }

    fn hold(&mut self, layers: &[Layer]) {
        for layer in layers {
            let slot = self.layers.entry(layer.digest).or_insert(Slot { holders: 0, state: State::Missing });
            if slot.holders == 0 {
                self.taken += layer.compressed;
            }
            slot.holders += 1;
        }
    }

    fn release(&mut self, now: Timestamp, layers: &[Layer]) {
        for layer in layers {
            let slot = self.slot(layer.digest);
            slot.holders -= 1;
            if slot.holders > 0 {
                continue;
            }
            self.taken -= layer.compressed;
            let slot = self.layers.remove(&layer.digest).expect("it was held");
            if let State::Coming { flow, waiting } = slot.state {
                assert!(waiting.is_empty(), "who waits for a layer holds it");
                let _ = self.link.cancel(now, flow);
            }
        }
    }

    fn slot(&mut self, digest: u64) -> &mut Slot<W> {
        self.layers.get_mut(&digest).expect("the layer is held")
    }
}

impl Fetch {
    /// One of the layers waited for is here.
    pub(super) const fn arrived(&mut self) {
        self.waiting -= 1;
    }
}
