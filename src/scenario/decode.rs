//! A tree to Rust structs, with every mistake that serde lets one see.
//!
//! serde gives up at the first error. So the tree is decoded again and again: each attempt leaves out
//! the nodes that were found broken, until nothing new is broken. Unknown keys need no second
//! attempt, because a derived struct tells the decoder its field names. An error that only follows
//! from a left-out node is not reported. Knows nothing of YAML or JSON.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::codes::Code;
use super::diagnostic::{Diagnostic, Place, nearest, quoted, suggestion};
use super::json_schema;
use super::text::Unmodelled;
use super::tree::{FOUND_MAX, Key, Kind, Node, Value};

/// The name by which [`super::Placed`] asks for its place.
pub(super) const PLACED: &str = "$windtunnel::Placed";
/// Nodes visited before the decoder gives up on finding more mistakes.
const VISITS_MAX: u64 = 20_000_000;
/// Separates code, message and hint in an error that passes through serde as text. No YAML text can
/// hold it, and [`refusal`] takes it out of the parts.
const MARK: char = '\u{1f}';

/// How to read.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// JSON: a number is no text.
    pub(super) strict: bool,
    /// Keys that are valid but mean nothing here.
    pub(super) unmodelled: &'static [Unmodelled],
}

/// The value of a tree, and what is wrong with it. A value comes only without errors.
pub(super) fn decode<T: DeserializeOwned>(root: &Node, manner: Manner) -> (Option<T>, Vec<Diagnostic>) {
    let session = Session {
        manner,
        unknown: RefCell::default(),
        unmodelled: RefCell::default(),
        spoilt: RefCell::default(),
        touched: RefCell::default(),
    };
    let mut errors = Vec::new();
    let mut visits = 0_u64;
    let value = loop {
        let cursor = Cursor { node: root, key: None, trail: &Trail::Root, session: &session };
        let fault = match T::deserialize(cursor) {
            Ok(value) => break Some(value),
            Err(fault) => fault,
        };
        errors.extend(fault.diagnostics());
        visits += u64::from(root.weight);
        let broken = fault.path.first().copied().unwrap_or(root.id);
        session.touched.borrow_mut().extend(&fault.path);
        let again = session.spoilt.borrow_mut().insert(broken);
        if broken == root.id || !again || errors.len() >= FOUND_MAX || visits > VISITS_MAX {
            break None;
        }
    };
    errors.extend(session.unknown.into_inner());
    let clean = errors.is_empty();
    errors.extend(session.unmodelled.into_inner());
    (value.filter(|_| clean), errors)
}

/// A refusal as text for `serde::de::Error::custom`; this decoder gets its parts back.
pub(super) fn refusal(code: Code, message: &str, hint: Option<&str>) -> String {
    let clean = |text: &str| text.replace(MARK, " ");
    format!("{MARK}{}{MARK}{}{MARK}{}", code.number(), clean(message), clean(hint.unwrap_or("")))
}

/// The parts of a [`refusal`] that another decoder than ours has passed on.
pub(super) fn refused(text: &str) -> Option<(Code, String, Option<String>)> {
    let mut parts = text.split(MARK).skip(1);
    let (code, message) = (Code::by_number(parts.next()?)?, parts.next()?.to_owned());
    let hint = parts.next().filter(|hint| !hint.is_empty()).map(str::to_owned);
    Some((code, message, hint))
}

/// What one call of [`decode`] knows over all attempts.
struct Session {
    manner: Manner,
    /// The first unknown keys.
    unknown: RefCell<Vec<Diagnostic>>,
    /// The first keys that are valid and mean nothing here.
    unmodelled: RefCell<Vec<Diagnostic>>,
    /// Nodes that are left out.
    spoilt: RefCell<BTreeSet<u32>>,
    /// Nodes with a left-out node below them.
    touched: RefCell<BTreeSet<u32>>,
}

/// Keys and indices from the root to here, linked upwards.
enum Trail<'t> {
    Root,
    Key(&'t Trail<'t>, &'t str),
    Index(&'t Trail<'t>, usize),
}

/// Where the decoder stands.
#[derive(Clone, Copy)]
struct Cursor<'t, 'd> {
    node: &'d Node,
    /// The place of the key that leads here: the best place for "something is missing in it".
    key: Option<Place>,
    trail: &'t Trail<'t>,
    session: &'t Session,
}

/// Why an attempt ended.
#[derive(Debug)]
pub(super) struct Fault {
    kind: FaultKind,
    place: Option<Place>,
    /// Nodes from the broken one upwards.
    path: Vec<u32>,
}

#[derive(Debug)]
enum FaultKind {
    Said {
        code: Code,
        message: String,
        hint: Option<String>,
    },
    /// Keys of one map.
    Missing(Vec<&'static str>),
    /// Only a consequence of a node that was left out.
    Follows,
}

impl Fault {
    fn said(code: Code, message: impl Into<String>) -> Self {
        Fault {
            kind: FaultKind::Said { code, message: message.into(), hint: None },
            place: None,
            path: Vec::new(),
        }
    }

    fn follows() -> Self {
        Fault { kind: FaultKind::Follows, place: None, path: Vec::new() }
    }

    fn hint(mut self, text: Option<String>) -> Self {
        if let FaultKind::Said { hint, .. } = &mut self.kind {
            *hint = text.or(hint.take());
        }
        self
    }

    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let place = self.place.unwrap_or_default();
        match &self.kind {
            FaultKind::Follows => Vec::new(),
            FaultKind::Missing(keys) => {
                let missing = |key| format!("the key {} is missing", quoted(key));
                keys.iter().map(|key| Diagnostic::new(Code::MissingKey, place, missing(key))).collect()
            }
            FaultKind::Said { code, message, hint } => {
                let diagnostic = Diagnostic::new(*code, place, message.clone());
                vec![Diagnostic { hint: hint.clone(), ..diagnostic }]
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Said { message, .. } => f.write_str(message),
            FaultKind::Missing(keys) => write!(f, "a key is missing: {}", keys.join(", ")),
            FaultKind::Follows => f.write_str("follows from another error"),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        match refused(&text) {
            Some((code, message, hint)) => Fault::said(code, message).hint(hint),
            None => Fault::said(Code::WrongValue, text),
        }
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        let yes_or_no =
            matches!(found, Unexpected::Str("yes" | "no" | "on" | "off" | "y" | "n" | "True" | "False"));
        let wanted = wanted_words(&wanted.to_string());
        if matches!(found, Unexpected::Map) && wanted == "enum" {
            return Fault::said(Code::WrongType, "a map with one key is wanted, found an empty one");
        }
        let hint = (yes_or_no && wanted == BOOL_WORDS).then(|| format!("write {BOOL_WORDS}"));
        Fault::said(Code::WrongType, format!("{wanted} is wanted, found {}", found_words(found))).hint(hint)
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        let wanted = match (&*wanted.to_string(), &found) {
            ("u8", Unexpected::Unsigned(_)) => String::from("a whole number of at most 255"),
            ("u32", Unexpected::Unsigned(_)) => String::from("a whole number of at most 4294967295"),
            (wanted, _) => wanted_words(wanted),
        };
        Fault::said(Code::WrongValue, format!("{wanted} is wanted, found {}", found_words(found)))
    }

    fn invalid_length(length: usize, wanted: &dyn de::Expected) -> Self {
        Fault::said(Code::WrongValue, format!("{wanted} is wanted, found {length} entries"))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Fault::said(Code::UnknownChoice, format!("unknown word {}", quoted(found)))
            .hint(suggestion(found, known))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        Fault::said(Code::UnknownKey, format!("unknown key {}", quoted(found))).hint(suggestion(found, known))
    }

    fn missing_field(key: &'static str) -> Self {
        Fault { kind: FaultKind::Missing(vec![key]), place: None, path: Vec::new() }
    }

    fn duplicate_field(key: &'static str) -> Self {
        Fault::said(Code::DuplicateKey, format!("the key {} stands twice", quoted(key)))
    }
}

const BOOL_WORDS: &str = "true or false";

/// serde's words for Rust types, in words of a scenario.
pub(super) fn wanted_words(wanted: &str) -> String {
    let words = match wanted {
        "a string" | "a borrowed string" => "a text",
        "a boolean" => BOOL_WORDS,
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        _ if wanted.starts_with("struct ") => "a map of keys",
        _ if wanted.starts_with("enum ") => "a word or a map with one key",
        _ => wanted,
    };
    words.to_owned()
}

fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("the text {}", quoted(text)),
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Unit | Unexpected::Option => String::from("nothing"),
        Unexpected::Map => String::from("a map"),
        Unexpected::Seq => String::from("a list"),
        other => other.to_string(),
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trail::Root => Ok(()),
            Trail::Key(Trail::Root, key) => f.write_str(key),
            Trail::Key(above, key) => write!(f, "{above}.{key}"),
            Trail::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

impl Trail<'_> {
    /// Whether this is `path`, in which `[]` stands for any index.
    fn matches(&self, path: &str) -> bool {
        match self {
            Trail::Root => path.is_empty(),
            Trail::Index(above, _) => path.strip_suffix("[]").is_some_and(|rest| above.matches(rest)),
            Trail::Key(above, key) => path.strip_suffix(key).is_some_and(|rest| match above {
                Trail::Root => rest.is_empty(),
                Trail::Key(..) | Trail::Index(..) => {
                    rest.strip_suffix('.').is_some_and(|rest| above.matches(rest))
                }
            }),
        }
    }
}

impl<'d> Cursor<'_, 'd> {
    /// Runs `read` on this node; an error gets this node's place, and becomes silent when it only
    /// follows from what was left out below.
    fn guard<R>(self, read: impl FnOnce(Self) -> Result<R, Fault>) -> Result<R, Fault> {
        read(self).map_err(|mut fault| {
            if fault.path.is_empty() {
                let follows = match &mut fault.kind {
                    FaultKind::Missing(keys) => {
                        keys.retain(|key| !self.lost(key));
                        keys.is_empty()
                    }
                    FaultKind::Said { .. } | FaultKind::Follows => {
                        self.session.touched.borrow().contains(&self.node.id)
                    }
                };
                if follows {
                    fault.kind = FaultKind::Follows;
                }
                let nothing = self.node.place.start == self.node.place.end;
                let missing = nothing || matches!(fault.kind, FaultKind::Missing(_));
                fault = fault.at(self.key.filter(|_| missing).unwrap_or(self.node.place));
            }
            if fault.path.last() != Some(&self.node.id) {
                fault.path.push(self.node.id);
            }
            fault
        })
    }

    /// Whether a missing key is one that was left out, or stands there misspelt.
    fn lost(self, wanted: &str) -> bool {
        let Value::Map(entries) = &self.node.value else { return false };
        let unknown_near = |key: &Key| nearest(&key.text, &[wanted]).is_some() && self.noted(key.place);
        entries.iter().any(|(key, node)| {
            (&*key.text == wanted && self.session.spoilt.borrow().contains(&node.id)) || unknown_near(key)
        })
    }

    fn noted(self, place: Place) -> bool {
        self.session.unknown.borrow().iter().any(|note| note.place == place)
    }

    fn spoilt(self, node: &Node) -> bool {
        self.session.spoilt.borrow().contains(&node.id)
    }

    fn unexpected(self) -> Unexpected<'d> {
        match &self.node.value {
            Value::Sequence(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
            Value::Scalar(_, Kind::Null) => Unexpected::Unit,
            Value::Scalar(_, Kind::Bool(value)) => Unexpected::Bool(*value),
            Value::Scalar(text, Kind::Number) => match text.parse() {
                Ok(number) => Unexpected::Signed(number),
                Err(_) => Unexpected::Other(text),
            },
            Value::Scalar(text, Kind::Plain | Kind::Quoted) => Unexpected::Str(text),
        }
    }

    fn refuse<R>(self, wanted: &dyn de::Expected) -> Result<R, Fault> {
        Err(Fault::invalid_type(self.unexpected(), wanted))
    }

    fn map<V: Visitor<'d>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Value::Map(entries) = &self.node.value else { return self.refuse(&visitor) };
        visitor.visit_map(Entries { at: self, rest: entries.iter(), fields, value: None })
    }

    /// serde tells of one missing key; a struct of the language is known to need others.
    fn with_all_missing(self, name: &str, fields: &'static [&'static str], mut fault: Fault) -> Fault {
        if let (FaultKind::Missing(keys), []) = (&mut fault.kind, &*fault.path) {
            let needed = json_schema::required(name);
            let is_needed = |field: &&&str| needed.iter().any(|key| key == **field);
            let absent = |field: &&&str| self.node.field(field).is_none() && !keys.contains(*field);
            let others: Vec<&'static str> = fields.iter().filter(is_needed).filter(absent).copied().collect();
            keys.extend(others);
        }
        fault
    }

    fn sequence<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::Sequence(all) = &self.node.value else { return self.refuse(&visitor) };
        let mut rest = Elements { at: self, rest: all.iter().enumerate() };
        let value = visitor.visit_seq(&mut rest)?;
        match rest.rest.len() {
            0 => Ok(value),
            more => Err(Fault::said(Code::WrongValue, format!("the list has {more} entries too many"))),
        }
    }

    /// The text of a scalar that may be read as text.
    fn text(self) -> Option<&'d str> {
        match &self.node.value {
            Value::Scalar(text, Kind::Plain | Kind::Quoted) => Some(text),
            Value::Scalar(text, Kind::Number | Kind::Bool(_)) if !self.session.manner.strict => Some(text),
            Value::Scalar(..) | Value::Sequence(_) | Value::Map(_) => None,
        }
    }

    fn number<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::Scalar(text, Kind::Number) = &self.node.value else { return self.refuse(&visitor) };
        let text = text.strip_prefix('+').unwrap_or(text);
        if let Ok(number) = text.parse::<u64>() {
            visitor.visit_u64(number)
        } else if let Ok(number) = text.parse::<i64>() {
            visitor.visit_i64(number)
        } else if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            Err(Fault::said(
                Code::NumberTooLarge,
                format!("{} is larger than what can be counted", quoted(text)),
            ))
        } else {
            match text.parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => self.refuse(&visitor),
            }
        }
    }

    /// Remarks on a key that the struct does not have.
    fn unknown(self, key: &Key, fields: &'static [&'static str]) {
        let trail = Trail::Key(self.trail, &key.text);
        let unmodelled = self.session.manner.unmodelled.iter().find(|known| trail.matches(known.path));
        let list = if unmodelled.is_some() { &self.session.unmodelled } else { &self.session.unknown };
        let mut list = list.borrow_mut();
        if list.len() >= FOUND_MAX || list.iter().any(|note| note.place == key.place) {
            return;
        }
        list.push(match unmodelled {
            Some(known) => {
                let message = format!("{} is not modelled: {}", cut(&trail.to_string()), known.instead);
                Diagnostic::new(Code::Unmodelled, key.place, message)
            }
            None => self.unknown_key(key, fields),
        });
    }

    fn unknown_key(self, key: &Key, fields: &'static [&'static str]) -> Diagnostic {
        #[cfg(test)]
        MET.with_borrow_mut(|met| met.push(fields));
        let inside = match self.trail {
            Trail::Root => String::new(),
            Trail::Key(..) | Trail::Index(..) => format!(" in {}", cut(&self.trail.to_string())),
        };
        let message = format!("unknown key {}{inside}", quoted(&key.text));
        let hint = suggestion(&key.text, fields);
        Diagnostic { hint, ..Diagnostic::new(Code::UnknownKey, key.place, message) }
    }
}

#[cfg(test)]
thread_local! {
    /// The keys that were known where this thread met an unknown one.
    pub(super) static MET: RefCell<Vec<&'static [&'static str]>> = const { RefCell::new(Vec::new()) };
}

/// The end of a long path.
fn cut(path: &str) -> String {
    const PATH_CHARS_MAX: usize = 80;
    match path.char_indices().rev().nth(PATH_CHARS_MAX) {
        Some((at, c)) => format!("…{}", path[at + c.len_utf8()..].escape_debug()),
        None => path.escape_debug().to_string(),
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.guard(|at| at.number(visitor))
        }
    )*};
}

macro_rules! texts {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.guard(|at| match at.text() {
                Some(text) => visitor.visit_str(text),
                None => at.refuse(&visitor),
            })
        }
    )*};
}

impl<'d> Deserializer<'d> for Cursor<'_, 'd> {
    type Error = Fault;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }
    texts! {
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.guard(|at| match &at.node.value {
            Value::Sequence(_) => at.sequence(visitor),
            Value::Map(_) => at.map(None, visitor),
            Value::Scalar(_, Kind::Null) => visitor.visit_unit(),
            Value::Scalar(_, Kind::Bool(value)) => visitor.visit_bool(*value),
            Value::Scalar(_, Kind::Number) => at.number(visitor),
            Value::Scalar(text, Kind::Plain | Kind::Quoted) => visitor.visit_str(text),
        })
    }

    fn deserialize_bool<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.guard(|at| match at.node.value {
            Value::Scalar(_, Kind::Bool(value)) => visitor.visit_bool(value),
            Value::Scalar(..) | Value::Sequence(_) | Value::Map(_) => at.refuse(&visitor),
        })
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Scalar(_, Kind::Null) => self.guard(|_| visitor.visit_none()),
            Value::Scalar(..) | Value::Sequence(_) | Value::Map(_) => self.guard(|at| visitor.visit_some(at)),
        }
    }

    fn deserialize_unit<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.guard(|at| match at.node.value {
            Value::Scalar(_, Kind::Null) => visitor.visit_unit(),
            Value::Scalar(..) | Value::Sequence(_) | Value::Map(_) => at.refuse(&visitor),
        })
    }

    fn deserialize_unit_struct<V: Visitor<'d>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'d>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.guard(|at| match name {
            PLACED => visitor.visit_seq(Marked { place: at.node.place, next: 0, value: Some(at) }),
            _ => visitor.visit_newtype_struct(at),
        })
    }

    fn deserialize_seq<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.guard(|at| at.sequence(visitor))
    }

    fn deserialize_tuple<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.guard(|at| at.map(None, visitor))
    }

    fn deserialize_struct<V: Visitor<'d>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.guard(|at| {
            at.map(Some(fields), visitor).map_err(|fault| at.with_all_missing(name, fields, fault))
        })
    }

    fn deserialize_enum<V: Visitor<'d>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.guard(|at| match &at.node.value {
            Value::Map(entries) => {
                if let [(key, node)] = entries.as_slice() {
                    return visitor.visit_enum(Chosen { at, key, node });
                }
                let message = format!("a map with exactly one key is wanted, found {} keys", entries.len());
                Err(Fault::said(Code::WrongValue, message))
            }
            Value::Scalar(text, _) if at.text().is_some() => visitor.visit_enum(StrDeserializer::new(text)),
            Value::Scalar(..) | Value::Sequence(_) => at.refuse(&visitor),
        })
    }

    fn deserialize_ignored_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

/// The entries of a map, without those that were left out or are unknown.
struct Entries<'t, 'd> {
    at: Cursor<'t, 'd>,
    rest: std::slice::Iter<'d, (Key, std::rc::Rc<Node>)>,
    /// The known keys, when a struct is read.
    fields: Option<&'static [&'static str]>,
    value: Option<(&'d Key, &'d Node)>,
}

impl<'d> MapAccess<'d> for Entries<'_, 'd> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'d>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        for (key, node) in self.rest.by_ref() {
            if let Some(fields) = self.fields.filter(|fields| !fields.contains(&&*key.text)) {
                self.at.unknown(key, fields);
            } else if !self.at.spoilt(node) {
                self.value = Some((key, node));
                let mut fault = match seed.deserialize(KeyCursor { key }) {
                    Ok(value) => return Ok(Some(value)),
                    Err(fault) => fault.at(key.place),
                };
                fault.path.push(node.id);
                return Err(fault);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'d>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, node) = self.value.take().expect("serde asks for a key before its value");
        let trail = Trail::Key(self.at.trail, &key.text);
        seed.deserialize(Cursor { node, key: Some(key.place), trail: &trail, session: self.at.session })
    }
}

/// The elements of a list, without those that were left out.
struct Elements<'t, 'd> {
    at: Cursor<'t, 'd>,
    rest: std::iter::Enumerate<std::slice::Iter<'d, std::rc::Rc<Node>>>,
}

impl<'d> SeqAccess<'d> for &mut Elements<'_, 'd> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let at = self.at;
        let Some((index, node)) = self.rest.by_ref().find(|(_, node)| !at.spoilt(node)) else {
            return Ok(None);
        };
        let trail = Trail::Index(at.trail, index);
        seed.deserialize(Cursor { node, key: None, trail: &trail, session: at.session }).map(Some)
    }
}

/// A map with one key, read as a variant.
struct Chosen<'t, 'd> {
    at: Cursor<'t, 'd>,
    key: &'d Key,
    node: &'d Node,
}

impl<'d> Chosen<'_, 'd> {
    fn content<R>(self, read: impl FnOnce(Cursor<'_, 'd>) -> Result<R, Fault>) -> Result<R, Fault> {
        if self.at.spoilt(self.node) {
            return Err(Fault::follows());
        }
        let trail = Trail::Key(self.at.trail, &self.key.text);
        read(Cursor { node: self.node, key: Some(self.key.place), trail: &trail, session: self.at.session })
    }
}

impl<'t, 'd> EnumAccess<'d> for Chosen<'t, 'd> {
    type Error = Fault;
    type Variant = Chosen<'t, 'd>;

    fn variant_seed<V: DeserializeSeed<'d>>(self, seed: V) -> Result<(V::Value, Self::Variant), Fault> {
        let variant =
            seed.deserialize(KeyCursor { key: self.key }).map_err(|fault| fault.at(self.key.place))?;
        Ok((variant, self))
    }
}

impl<'d> VariantAccess<'d> for Chosen<'_, 'd> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        self.content(|at| at.deserialize_unit(de::IgnoredAny)).map(|_| ())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'d>>(self, seed: T) -> Result<T::Value, Fault> {
        self.content(|at| seed.deserialize(at))
    }

    fn tuple_variant<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.content(|at| at.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'d>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.content(|at| at.deserialize_struct("", fields, visitor))
    }
}

/// A key of a map.
#[derive(Clone, Copy)]
struct KeyCursor<'d> {
    key: &'d Key,
}

impl<'de> Deserializer<'de> for KeyCursor<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(&self.key.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            PLACED => visitor.visit_seq(Marked { place: self.key.place, next: 0, value: Some(self) }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(StrDeserializer::new(&self.key.text))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A place as five numbers, then the value that stands there.
struct Marked<D> {
    place: Place,
    next: usize,
    value: Option<D>,
}

impl<'d, D: Deserializer<'d, Error = Fault>> SeqAccess<'d> for Marked<D> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Place { file, line, column, start, end } = self.place;
        let number = [file, line, column, start, end].get(self.next).copied();
        self.next += 1;
        if let Some(number) = number {
            let number: U32Deserializer<Fault> = number.into_deserializer();
            return seed.deserialize(number).map(Some);
        }
        self.value.take().map(|value| seed.deserialize(value)).transpose()
    }
}
