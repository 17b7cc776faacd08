//! Which images are on the host, who uses them, and when old ones are removed.
//!
//! Images are removed at a beat (AG-22), but nobody looks at a beat that would remove nothing: the
//! next one that does is computed. Knows nothing of layers and sizes.

use smallvec::SmallVec;

use crate::base::{Beat, Span, Symbol, Timestamp};
use crate::mark;

use super::settings::{AgentSettings, PullBehavior};

/// The images of one host, in the order in which the agent met them.
#[derive(Clone, Debug)]
pub(super) struct Images {
    rows: SmallVec<[Image; 1]>,
    behavior: PullBehavior,
    cleanup: Beat,
    per_cleanup: usize,
    age_min: Span,
    /// The latest clean-up that removed something.
    cleaned_at: Option<Timestamp>,
    /// The first beat that would remove something.
    clean_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Image {
    name: Symbol,
    /// Containers that the agent knows, stopped ones included.
    references: u32,
    /// Whether a copy is on the host.
    present: bool,
    /// Whether this agent has pulled it.
    pulled: bool,
    /// When a container was first given it; its age counts from here.
    known_since: Option<Timestamp>,
    /// When it was pulled, or when its last container was forgotten.
    used_at: Timestamp,
}

impl Images {
    pub(super) fn new(settings: &AgentSettings, baked: &[Symbol], now: Timestamp) -> Self {
        let interval = settings.image_cleanup_interval;
        let mut images = Images {
            rows: SmallVec::new(),
            behavior: settings.pull_behavior,
            cleanup: Beat::new(now + interval, interval),
            per_cleanup: settings.images_per_cleanup,
            age_min: settings.image_age_min,
            cleaned_at: None,
            clean_at: None,
        };
        for &name in baked {
            images.row(name).present = true;
        }
        images
    }

    /// Counts a container that uses the image, and says whether the image must be pulled for it.
    pub(super) fn reference(&mut self, name: Symbol) -> bool {
        let behavior = self.behavior;
        let image = self.row(name);
        image.references += 1;
        let first = image.references == 1;
        mark!("AG-20");
        let must_pull = match behavior {
            PullBehavior::Default | PullBehavior::Always => true,
            PullBehavior::Once => !image.pulled,
            PullBehavior::PreferCached => !image.present,
        };
        if first {
            self.plan();
        }
        must_pull
    }

    /// Forgets a container that used the image.
    pub(super) fn unreference(&mut self, name: Symbol, now: Timestamp) {
        let image = self.row(name);
        image.references = image.references.checked_sub(1).expect("each container is forgotten once");
        image.used_at = now;
        if image.references == 0 {
            self.rows.retain(|image| image.present || image.references > 0);
            self.plan();
        }
    }

    /// A pull succeeded.
    pub(super) fn pulled(&mut self, name: Symbol, now: Timestamp) {
        self.row(name).pulled = true;
        self.found(name, now);
    }

    /// A container is made from the copy on the host.
    pub(super) fn found(&mut self, name: Symbol, now: Timestamp) {
        let image = self.row(name);
        image.present = true;
        if image.known_since.is_none() {
            image.known_since = Some(now);
            image.used_at = now;
        }
    }

    /// When the next clean-up is that removes something.
    pub(super) const fn clean_at(&self) -> Option<Timestamp> {
        self.clean_at
    }

    /// Removes what this beat removes, least recently used first.
    pub(super) fn clean(&mut self, now: Timestamp) -> Vec<Symbol> {
        let mut removed = Vec::new();
        mark!("AG-22");
        for _ in 0..self.per_cleanup {
            let old = |image: &Image| self.removable_after(image).is_some_and(|at| at < now);
            let candidates = self.rows.iter().enumerate().filter(|(_, image)| old(image));
            let Some((place, _)) = candidates.min_by_key(|(place, image)| (image.used_at, *place)) else {
                break;
            };
            removed.push(self.rows.remove(place).name);
        }
        self.cleaned_at = Some(now);
        self.plan();
        removed
    }

    /// The row of an image, made on first use. A host has few images, so a scan is the index.
    fn row(&mut self, name: Symbol) -> &mut Image {
        let place = self.rows.iter().position(|image| image.name == name).unwrap_or_else(|| {
            self.rows.push(Image {
                name,
                references: 0,
                present: false,
                pulled: false,
                known_since: None,
                used_at: Timestamp::default(),
            });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// The time after which a clean-up removes the image; none while something uses it.
    fn removable_after(&self, image: &Image) -> Option<Timestamp> {
        let known_since = image.known_since.filter(|_| image.references == 0 && image.present)?;
        known_since.checked_add(self.age_min)
    }

    /// Computes the next beat that removes something.
    fn plan(&mut self) {
        let due = |image: &Image| {
            let old = self.cleanup.next_after(self.removable_after(image)?);
            Some(old.max(self.cleanup.next_at(image.used_at)))
        };
        let next = self.rows.iter().filter_map(due).min();
        let free_again = self.cleaned_at.map(|at| self.cleanup.next_after(at));
        self.clean_at = match self.behavior {
            PullBehavior::PreferCached => None,
            PullBehavior::Default | PullBehavior::Always | PullBehavior::Once => {
                next.map(|at| free_again.map_or(at, |free| at.max(free)))
            }
        };
    }
}
