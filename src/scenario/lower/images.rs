//! Images: sizes, layers and behaviour, for every image that a container names.

use super::Lowering;
use crate::base::{Bytes, EntityKey, Percent, Span, Symbol};
use crate::engine::Quantiles;
use crate::scenario::codes::Code;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::schema::Image as Stated;
use crate::scenario::text::Placed;
use crate::world::registry::{Behaviour, Ending, Image, Layer, Registry};

impl Lowering<'_> {
    /// The images of these references.
    pub(super) fn registry(&mut self, mut references: Vec<Symbol>) -> Registry {
        let mut registry = Registry::default();
        references.sort_unstable();
        references.dedup();
        for reference in references {
            let name = self.definitions.symbols.text(reference).to_owned();
            let image = self.image(&name);
            registry.push(reference, image);
        }
        registry
    }

    fn image(&mut self, reference: &str) -> Image {
        let images = &self.scenario.images;
        let matching = images.by_name.iter().filter(|(pattern, _)| matches(pattern, reference));
        let own = matching.max_by_key(|(pattern, _)| (pattern.len(), &pattern.value)).map(|(_, image)| image);
        let default = Stated::default();
        let own = own.unwrap_or(&default);
        let all = &images.defaults;
        let layers = self.layers(reference, own, all);
        let spans = |own: &Option<crate::scenario::distribution::Distribution<Span>>,
                     all: &Option<_>,
                     setting: &str| {
            let stated =
                own.as_ref().or(all.as_ref()).map(crate::scenario::distribution::Distribution::quantiles);
            stated.unwrap_or_else(|| self.calibration.quantiles(setting))
        };
        let mut share = |percent: Placed<Percent>| {
            if percent.value.0 > 100 {
                let message = format!("{}% of containers are more than all", percent.value.0);
                self.found.push(Diagnostic::new(Code::WrongValue, percent.place, message));
            }
            percent.value.0.min(100) * 10_000
        };
        let ignores = own.ignores_sigterm.or(all.ignores_sigterm).map(&mut share);
        let ending = |after: Quantiles, code: u8, out_of_memory: bool| Ending { after, code, out_of_memory };
        let takes = own.takes.as_ref().or(all.takes.as_ref());
        let crash = own.crash.as_ref().or(all.crash.as_ref());
        let sickens = own.unhealthy_after.as_ref().or(all.unhealthy_after.as_ref());
        let behaviour = Behaviour {
            pull_failure: own.pull_failure.or(all.pull_failure).map_or(0, share),
            start: spans(&own.app_start, &all.app_start, "app.startup.interpreted"),
            ends: takes
                .map(|takes| ending(takes.quantiles(), own.exit_code.or(all.exit_code).unwrap_or(0), false)),
            crashes: crash.map(|crash| {
                ending(crash.after.quantiles(), crash.exit_code.unwrap_or(1), crash.out_of_memory)
            }),
            shutdown: spans(&own.shutdown, &all.shutdown, "app.shutdown.handles_sigterm"),
            ignores_term: ignores
                .unwrap_or_else(|| self.calibration.parts_per_million("app.shutdown.ignores_sigterm_prob")),
            sickens: sickens.map(crate::scenario::distribution::Distribution::quantiles),
            ..Behaviour::steady()
        };
        Image { layers: layers.into(), behaviour }
    }

    /// Shared layers first, then what is left of the size as the image's own.
    fn layers(&mut self, reference: &str, own: &Stated, all: &Stated) -> Vec<Layer> {
        let median = self.calibration.quantiles("image.size.service.compressed").value(1 << 63);
        let assumed = Bytes::new(i64::try_from(median).unwrap_or(i64::MAX));
        let size = own.size.or(all.size);
        let total = size.map_or(assumed, |size| size.value);
        let shared = own.layers.as_ref().or(all.layers.as_ref());
        let mut layers = Vec::new();
        let mut rest = total;
        for (name, layer) in shared.into_iter().flatten() {
            layers.push(Layer { digest: EntityKey::new("layer", name, 0).low(), compressed: layer.value });
            if layer.value > rest {
                let message = format!("the layers of {reference} are larger than the image ({total})");
                self.found.push(Diagnostic::new(Code::WrongValue, layer.place, message));
                return layers;
            }
            rest -= layer.value;
        }
        if rest > Bytes::ZERO {
            layers.push(Layer { digest: EntityKey::new("image", reference, 0).low(), compressed: rest });
        }
        layers
    }
}

/// Whether a pattern with `*` for any text matches a whole name.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().expect("split gives one part at least");
    for part in parts {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        let rows = [
            ("*", "", true),
            ("*/front:*", "host/front:1.0", true),
            ("*/front:*", "host/front", false),
            ("front", "front", true),
            ("front", "front:1", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
