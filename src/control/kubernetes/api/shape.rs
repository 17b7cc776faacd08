//! The parts that objects of several kinds share, in the spelling of the API, and how all shapes are
//! read: nothing is required, `null` is as good as absent, and text is borrowed from the document.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::control::kubernetes::quantity::Quantity;

/// A shape: every field is optional.
macro_rules! shape {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[allow(clippy::struct_field_names, reason = "names of the API")]
        #[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
        pub(super) struct $name<'a> {
            $(
                #[serde(deserialize_with = "crate::control::kubernetes::api::shape::or_default")]
                $(#[$inner])*
                pub(super) $field: $type,
            )*
            #[serde(skip)]
            _borrows: std::marker::PhantomData<&'a ()>,
        }
    };
}
pub(super) use shape;

/// Reads a value, or takes the default for `null`.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A text, or another one in place of the empty one.
pub(super) fn or_empty<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if text.is_empty() { instead } else { text }
}

/// Pairs of text, in the order of the document.
pub(super) type Pairs<'a> = Map<'a, &'a str>;

/// Amounts by resource.
pub(super) type Resources<'a> = Map<'a, Quantity>;

/// A map with the order of the document; names are few, and looked for one by one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Map<'a, T>(pub(super) Vec<(&'a str, T)>);

impl<T> Default for Map<'_, T> {
    fn default() -> Self {
        Map(Vec::new())
    }
}

impl<'a, T> Map<'a, T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &T)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Adds a value, or combines it with the one that is there.
    pub(super) fn merge(&mut self, name: &'a str, value: &T, combine: impl FnOnce(&mut T, &T))
    where
        T: Clone,
    {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, own)) => combine(own, value),
            None => self.0.push((name, value.clone())),
        }
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Map<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<'a, T>(PhantomData<(&'a (), T)>);
        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Entries<'a, T> {
            type Value = Map<'a, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(entry) = map.next_entry::<&'de str, T>()? {
                    entries.push(entry);
                }
                Ok(Map(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity, such as \"500m\" or \"2Gi\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
                Quantity::parse(text.trim()).map_err(|error| E::custom(format!("{text:?}: {error}")))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity::whole(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Quantity, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Quantity, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Written)
    }
}

shape! {
    /// `metadata`.
    Metadata {
        name: &'a str,
        namespace: &'a str,
        uid: &'a str,
        labels: Pairs<'a>,
        annotations: Pairs<'a>,
        owner_references: Vec<OwnerReference<'a>>,
        deletion_timestamp: Option<&'a str>,
    }
}

shape! {
    OwnerReference {
        api_version: &'a str,
        kind: &'a str,
        name: &'a str,
        uid: &'a str,
        controller: bool,
    }
}

shape! {
    LabelSelector {
        match_labels: Pairs<'a>,
        match_expressions: Vec<Expression<'a>>,
    }
}

shape! {
    Expression {
        key: &'a str,
        operator: &'a str,
        values: Vec<&'a str>,
    }
}

shape! {
    NodeSelector {
        node_selector_terms: Vec<NodeSelectorTerm<'a>>,
    }
}

shape! {
    NodeSelectorTerm {
        match_expressions: Vec<Expression<'a>>,
        match_fields: Vec<Expression<'a>>,
    }
}

shape! {
    /// `resources` of a container, a pod or a claim.
    Requirements {
        requests: Resources<'a>,
        limits: Resources<'a>,
    }
}
