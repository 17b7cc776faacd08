//! Reading a text into structs, with all of its mistakes at once.
//!
//! # How to declare what is read
//!
//! Structs derive [`Deserialize`] and nothing else is needed: the decoder gets the field names from
//! the derived code, remarks on every key that is not among them, and goes on. A measured value is a
//! field of its type ([`Span`](crate::base::Span), [`Bytes`](crate::base::Bytes), ...). What a later
//! check may complain about is wrapped in [`Placed`], names of a map included.
//!
//! ```
//! use std::collections::BTreeMap;
//! use serde::Deserialize;
//! use windtunnel::base::{Bytes, Span};
//! use windtunnel::scenario::{Placed, Sources, read};
//!
//! #[derive(Deserialize)]
//! struct Scenario {
//!     name: String,
//!     run_for: Span,
//!     #[serde(default)]
//!     workloads: BTreeMap<Placed<String>, Workload>,
//! }
//!
//! #[derive(Deserialize)]
//! struct Workload {
//!     memory: Bytes,
//!     spot: Option<Placed<Spot>>,
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(rename_all = "snake_case")]
//! enum Spot { Tolerate, Never }
//!
//! let mut sources = Sources::default();
//! let source = sources.add("a.yaml", b"\
//! name: shop
//! run_fro: 7d
//! workloads:
//!   web: { memory: 1 gib, spot: tolerat }
//! ".to_vec());
//! let (scenario, diagnostics) = read::<Scenario>(&source);
//! assert!(scenario.is_none());
//! let lines: Vec<String> = diagnostics.iter().map(|each| each.line(&sources)).collect();
//! assert_eq!(lines, [
//!     "E0103 a.yaml:2:1 unknown key \"run_fro\"; did you mean \"run_for\"?",
//!     "E0202 a.yaml:4:18 unknown unit \"gib\" in \"1 gib\"; did you mean \"GiB\"?",
//!     "E0106 a.yaml:4:31 unknown word \"tolerat\"; did you mean \"tolerate\"?",
//! ]);
//! ```
//!
//! Four rules keep places and hints:
//! 1. no `flatten`, `untagged` or `tag = ".."`: serde would buffer the value and lose its places (a
//!    value that is a word *or* a map gets a hand-written visitor, see `distribution`);
//! 2. no `alias` and no `deny_unknown_fields`: unknown keys are found anyway, and an alias hides
//!    whether a missing key was only broken;
//! 3. a rule that joins several fields is a `try_from` whose error is
//!    [`UnitError::into_serde`](super::units::UnitError::into_serde), or a check after reading that
//!    uses [`Placed::place`];
//! 4. choices are enums with one key per variant (`{ lognormal: {..} }`) or plain words.
//!
//! Does not know what any key means.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};

use super::codes::Code;
use super::decode::{Manner, PLACED, decode};
use super::diagnostic::{Diagnostic, Place, Source, sort};
use super::tree::{Node, to_json};
use super::{change, json, yaml};

/// A value and where it stands. Compares, sorts and hashes like the value alone.
///
/// ```
/// use windtunnel::scenario::{Placed, Sources, read};
/// let source = Sources::default().add("a.yaml", b"[one, two]".to_vec());
/// let words = read::<Vec<Placed<String>>>(&source).0.unwrap();
/// assert_eq!((words[1].as_str(), words[1].place.column), ("two", 7));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands; of an alias, where the value is written.
    pub place: Place,
}

/// A key that AWS or Kubernetes knows and the simulator does not obey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unmodelled {
    /// Its path; `[]` stands for any index: `containerDefinitions[].firelensConfiguration`.
    pub path: &'static str,
    /// What the simulator does instead: `logging costs no time`.
    pub instead: &'static str,
}

/// Reads one YAML document. A value comes only without errors (warnings may stand beside it); the
/// diagnostics are sorted.
pub fn read<T: DeserializeOwned>(source: &Source) -> (Option<T>, Vec<Diagnostic>) {
    if let Some(fault) = source.fault() {
        return (None, vec![fault]);
    }
    let (root, found) = document(source);
    finish(found, || match root {
        Some(root) => decode(&root, Manner { strict: false, unmodelled: &[] }),
        None => (None, Vec::new()),
    })
}

/// Reads one YAML document with values replaced: each change is a text such as `run_for=2h`. With the
/// value comes the document as it was read, in JSON.
///
/// ```
/// use windtunnel::scenario::text::read_changed;
/// use windtunnel::scenario::Sources;
/// let mut sources = Sources::default();
/// let document = sources.add("a.yaml", b"pools: { web: 3 }".to_vec());
/// let change = sources.add("--set", b"pools.web=many".to_vec());
/// type Pools = std::collections::BTreeMap<String, std::collections::BTreeMap<String, u32>>;
/// let (_, found) = read_changed::<Pools>(&document, &[change]);
/// assert!(found[0].line(&sources).starts_with("E0105 --set:1:11 "));
/// ```
pub fn read_changed<T: DeserializeOwned>(
    source: &Source,
    changes: &[Rc<Source>],
) -> (Option<(T, String)>, Vec<Diagnostic>) {
    if let Some(fault) = source.fault() {
        return (None, vec![fault]);
    }
    let (root, mut found) = document(source);
    let mut root = root.filter(|_| found.is_empty());
    let mut ids = root.as_ref().map_or(0, |root| root.id);
    for change in changes {
        let Some(before) = root.take() else { break };
        match change::apply(&before, change, &mut ids) {
            Ok(after) => root = Some(after),
            Err(wrong) => found.push(wrong),
        }
    }
    finish(found, || {
        let Some(root) = root else { return (None, Vec::new()) };
        let written = serde_json::to_string_pretty(&to_json(&root)).expect("a tree can be written");
        let (value, found) = decode(&root, Manner { strict: false, unmodelled: &[] });
        (value.map(|value| (value, written)), found)
    })
}

/// The tree of the one document of a text.
fn document(source: &Source) -> (Option<Rc<Node>>, Vec<Diagnostic>) {
    let (mut documents, mut found) = yaml::parse(source);
    if documents.len() == 1 {
        return (documents.pop(), found);
    }
    if found.is_empty() {
        let place = documents.get(1).map_or(source.whole(), |second| second.place);
        let message = match documents.len() {
            0 => String::from("there is nothing in this file; one YAML document is wanted"),
            count => format!("one YAML document is wanted, found {count}"),
        };
        found.push(Diagnostic::new(Code::SeveralDocuments, place, message));
    }
    (None, found)
}

/// Reads a JSON request. Unknown keys on the list of unmodelled ones are warnings, all others errors.
///
/// ```
/// use serde::Deserialize;
/// use windtunnel::scenario::text::Unmodelled;
/// use windtunnel::scenario::{Sources, read_json};
/// #[derive(Deserialize)]
/// struct Request { family: String }
/// let mut sources = Sources::default();
/// let source = sources.add("a.json", br#"{"family": "web", "tags": []}"#.to_vec());
/// let known = &[Unmodelled { path: "tags", instead: "nothing reads them" }];
/// let (request, found) = read_json::<Request>(&source, known);
/// assert_eq!(request.unwrap().family, "web");
/// assert_eq!(found[0].line(&sources), "W0101 a.json:1:19 tags is not modelled: nothing reads them");
/// ```
pub fn read_json<T: DeserializeOwned>(
    source: &Source,
    unmodelled: &'static [Unmodelled],
) -> (Option<T>, Vec<Diagnostic>) {
    if let Some(fault) = source.fault() {
        return (None, vec![fault]);
    }
    let (root, found) = json::parse(source);
    finish(found, || match root {
        Some(root) => decode(&root, Manner { strict: true, unmodelled }),
        None => (None, Vec::new()),
    })
}

/// Joins what the parser found with what the decoder finds.
fn finish<T>(
    mut found: Vec<Diagnostic>,
    decode: impl FnOnce() -> (Option<T>, Vec<Diagnostic>),
) -> (Option<T>, Vec<Diagnostic>) {
    let clean = found.is_empty();
    let (value, more) = decode();
    found.extend(more);
    sort(&mut found);
    (value.filter(|_| clean), found)
}

impl<T> Deref for Placed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Placed<T> {}

impl<T: Ord> Ord for Placed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<T: PartialOrd> PartialOrd for Placed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Hash> Hash for Placed<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl std::borrow::Borrow<str> for Placed<String> {
    fn borrow(&self) -> &str {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PLACED, PlacedVisitor(PhantomData))
    }
}

struct PlacedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PlacedVisitor<T> {
    type Value = Placed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with a place")
    }

    /// From another decoder than ours: the value without a place.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Placed<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Placed { value, place: Place::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Placed<T>, A::Error> {
        let mut number = || parts.next_element::<u32>().map(Option::unwrap_or_default);
        let place =
            Place { file: number()?, line: number()?, column: number()?, start: number()?, end: number()? };
        let value = parts.next_element()?.ok_or_else(|| A::Error::custom("a place without a value"))?;
        Ok(Placed { value, place })
    }
}

#[cfg(test)]
mod tests;
