//! Selectors as people write them: requirements with text, the line that `kubectl -l` takes, and the
//! refusals of both in the words of the original.
//!
//! [`labels`](super::labels) has the compiled form. Knows nothing of JSON.

use std::fmt;

use crate::base::Symbols;
use crate::mark;

use super::labels::{Operator, Requirement, Selector};

/// A requirement as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written<'a> {
    /// The label.
    pub key: &'a str,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub values: Vec<&'a str>,
}

/// How a requirement compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "operators of the API")]
pub enum Comparison {
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

/// Where in a document a requirement stands, `matchExpressions[0]`; empty for none.
pub type Place<'a> = &'a str;

impl<'a> Written<'a> {
    /// A requirement.
    ///
    /// # Errors
    /// Everything that the original finds wrong in it.
    pub fn new(
        place: Place<'_>,
        key: &'a str,
        comparison: Comparison,
        values: Vec<&'a str>,
    ) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        if let Some(error) = key_error(key) {
            errors.push(invalid(&child(place, "key"), &quoted(key), &error));
        }
        let place = child(place, "values");
        if let Some(error) = comparison.count_error(values.len()) {
            errors.push(invalid(&place, &list(&values), error));
        }
        if matches!(comparison, Comparison::Gt | Comparison::Lt) {
            for (index, value) in values.iter().enumerate().filter(|(_, value)| value.parse::<i64>().is_err())
            {
                let error = "for 'Gt', 'Lt' operators, the value must be an integer";
                errors.push(invalid(&format!("{place}[{index}]"), &quoted(value), error));
            }
        }
        for (index, value) in values.iter().enumerate() {
            if let Some(error) = value_error(value) {
                errors.push(invalid(&format!("{place}[{index}][{key}]"), &quoted(value), &error));
            }
        }
        if errors.is_empty() { Ok(Written { key, comparison, values }) } else { Err(errors) }
    }

    /// Compiles it.
    pub fn compile(&self, symbols: &mut Symbols) -> Requirement {
        let mut values = || self.values.iter().map(|value| symbols.intern(value)).collect();
        let number = || self.values.first().and_then(|value| value.parse().ok()).unwrap_or_default();
        let operator = match self.comparison {
            Comparison::In | Comparison::Equals | Comparison::DoubleEquals => Operator::In(values()),
            Comparison::NotIn | Comparison::NotEquals => Operator::NotIn(values()),
            Comparison::Exists => Operator::Exists,
            Comparison::DoesNotExist => Operator::DoesNotExist,
            Comparison::Gt => Operator::Gt(number()),
            Comparison::Lt => Operator::Lt(number()),
        };
        Requirement { key: symbols.intern(self.key), operator }
    }
}

/// Compiles a selector from its requirements.
pub fn compile(requirements: &[Written<'_>], symbols: &mut Symbols) -> Selector {
    Selector::all_of(requirements.iter().map(|each| each.compile(symbols)).collect())
}

/// Reads the line that `kubectl -l` takes: `app=web,tier in (a,b),!canary,gen>3`.
///
/// ```
/// use windtunnel::control::kubernetes::labels_text::parse;
/// let requirements = parse("tier in (b, a),app = web").expect("a selector");
/// let text: Vec<String> = requirements.iter().map(ToString::to_string).collect();
/// assert_eq!(text, ["app=web", "tier in (a,b)"]);
/// assert_eq!(parse("app,").unwrap_err(), "found '', expected: identifier after ','");
/// ```
///
/// # Errors
/// The first mistake.
pub fn parse(text: &str) -> Result<Vec<Written<'_>>, String> {
    let mut parser = Parser { tokens: tokens(text), at: 0 };
    let mut requirements = Vec::new();
    loop {
        let token = parser.peek();
        match token.kind {
            Kind::End => break,
            Kind::Word | Kind::Not => {}
            _ => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", token.text)),
        }
        let requirement = parser.requirement();
        requirements.push(requirement.map_err(|error| format!("unable to parse requirement: {error}"))?);
        let token = parser.next();
        match token.kind {
            Kind::End => break,
            Kind::Comma => {
                let after = parser.peek();
                if !matches!(after.kind, Kind::Word | Kind::Not) {
                    return Err(format!("found '{}', expected: identifier after ','", after.text));
                }
            }
            _ => return Err(format!("found '{}', expected: ',' or 'end of string'", token.text)),
        }
    }
    requirements.sort_by(|left, right| left.key.cmp(right.key));
    Ok(requirements)
}

/// Several refusals as one: alone, or as a list without repetitions.
pub fn together(mut errors: Vec<String>) -> String {
    let mut seen = std::collections::BTreeSet::new();
    errors.retain(|error| seen.insert(error.clone()));
    if errors.len() == 1 { errors.remove(0) } else { format!("[{}]", errors.join(", ")) }
}

/// A refusal of a value.
pub(super) fn invalid(place: &str, value: &str, error: &str) -> String {
    format!("{place}: Invalid value: {value}: {error}")
}

/// A refusal of a value that is none of the known ones.
pub(super) fn unsupported(place: &str, value: &str, known: &[&str]) -> String {
    let known: Vec<String> = known.iter().map(|word| quoted(word)).collect();
    format!("{place}: Unsupported value: {}: supported values: {}", quoted(value), known.join(", "))
}

/// A list as JSON; an empty one is `null`.
pub(super) fn list(values: &[&str]) -> String {
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    if values.is_empty() { "null".to_owned() } else { format!("[{}]", values.join(",")) }
}

/// A field below a place.
pub(super) fn child(place: &str, field: &str) -> String {
    if place.is_empty() { field.to_owned() } else { format!("{place}.{field}") }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

impl Comparison {
    fn count_error(self, count: usize) -> Option<&'static str> {
        match self {
            Comparison::In | Comparison::NotIn => {
                (count == 0).then_some("for 'in', 'notin' operators, values set can't be empty")
            }
            Comparison::Equals | Comparison::DoubleEquals | Comparison::NotEquals => {
                (count != 1).then_some("exact-match compatibility requires one single value")
            }
            Comparison::Exists | Comparison::DoesNotExist => {
                (count != 0).then_some("values set must be empty for exists and does not exist")
            }
            Comparison::Gt | Comparison::Lt => {
                (count != 1).then_some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
        }
    }
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.values.clone();
        values.sort_unstable();
        let values = values.join(",");
        match self.comparison {
            Comparison::In => write!(f, "{} in ({values})", self.key),
            Comparison::NotIn => write!(f, "{} notin ({values})", self.key),
            Comparison::Equals => write!(f, "{}={values}", self.key),
            Comparison::DoubleEquals => write!(f, "{}=={values}", self.key),
            Comparison::NotEquals => write!(f, "{}!={values}", self.key),
            Comparison::Exists => f.write_str(self.key),
            Comparison::DoesNotExist => write!(f, "!{}", self.key),
            Comparison::Gt => write!(f, "{}>{values}", self.key),
            Comparison::Lt => write!(f, "{}<{values}", self.key),
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// What a label may be.

const NAME_MAX: usize = 63;
const PREFIX_MAX: usize = 253;
const NAME_FORM: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_FORM: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', \
    regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const PREFIX_FORM: &str = "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex \
    used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// What is wrong with the key of a label.
pub fn key_error(key: &str) -> Option<String> {
    let mut errors = Vec::new();
    let (prefix, name) = match key.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            let tail = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return Some(format!("a valid label key {NAME_FORM} {tail}"));
        }
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    match prefix {
        Some("") => errors.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            if prefix.len() > PREFIX_MAX {
                errors.push(format!("prefix part must be no more than {PREFIX_MAX} bytes"));
            }
            if !is_subdomain(prefix) {
                errors.push(PREFIX_FORM.to_owned());
            }
        }
        None => {}
    }
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > NAME_MAX {
        errors.push(format!("name part must be no more than {NAME_MAX} bytes"));
    }
    if !is_name(name) {
        errors.push(format!("name part {NAME_FORM}"));
    }
    (!errors.is_empty()).then(|| errors.join("; "))
}

/// What is wrong with the value of a label.
pub fn value_error(value: &str) -> Option<String> {
    let mut errors = Vec::new();
    if value.len() > NAME_MAX {
        errors.push(format!("must be no more than {NAME_MAX} bytes"));
    }
    if !value.is_empty() && !is_name(value) {
        errors.push(VALUE_FORM.to_owned());
    }
    (!errors.is_empty()).then(|| errors.join("; "))
}

fn is_name(name: &str) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    bytes.iter().all(inside) && ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
}

fn is_subdomain(prefix: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    prefix.split('.').all(|part| {
        let bytes = part.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
            && ends.iter().all(|end| end.is_some_and(alphanumeric))
    })
}

// ---------------------------------------------------------------------------------------------------
// The line.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    End,
    Word,
    In,
    NotIn,
    Comma,
    Open,
    Close,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

const SYMBOLS: [(&str, Kind); 9] = [
    ("==", Kind::DoubleEquals),
    ("!=", Kind::NotEquals),
    ("=", Kind::Equals),
    ("!", Kind::Not),
    ("(", Kind::Open),
    (")", Kind::Close),
    (",", Kind::Comma),
    (">", Kind::Greater),
    ("<", Kind::Less),
];

/// The tokens of a line; the last one is the end.
fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = line.split('\0').next().unwrap_or_default();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            found.push(Token { kind: Kind::End, text: "" });
            return found;
        }
        let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol));
        let (length, kind) = match symbol {
            Some((symbol, kind)) => (symbol.len(), *kind),
            None => {
                let ends = |letter: char| "=!(),>< \t\r\n".contains(letter);
                let length = rest.find(ends).unwrap_or(rest.len());
                let kind = match &rest[..length] {
                    "in" => Kind::In,
                    "notin" => Kind::NotIn,
                    _ => Kind::Word,
                };
                (length, kind)
            }
        };
        let (text, after) = rest.split_at(length);
        found.push(Token { kind, text });
        rest = after;
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    /// The token ahead, as a value: `in` and `notin` are words there.
    fn peek(&self) -> Token<'a> {
        let token = self.operator();
        match token.kind {
            Kind::In | Kind::NotIn => Token { kind: Kind::Word, text: token.text },
            _ => token,
        }
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// The token ahead, as an operator.
    fn operator(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token { kind: Kind::End, text: "" })
    }

    fn requirement(&mut self) -> Result<Written<'a>, String> {
        let mut token = self.next();
        let absent = token.kind == Kind::Not;
        if absent {
            token = self.next();
        }
        if token.kind != Kind::Word {
            return Err(format!("found '{}', expected: identifier", token.text));
        }
        let key = token.text;
        if let Some(error) = key_error(key) {
            return Err(invalid("<nil>", &quoted(key), &error));
        }
        let alone = matches!(self.peek().kind, Kind::End | Kind::Comma);
        let (comparison, values) = match (absent, alone) {
            (true, _) => (Comparison::DoesNotExist, Vec::new()),
            (false, true) => (Comparison::Exists, Vec::new()),
            (false, false) => self.comparison()?,
        };
        mark!("K 2.9 selector text follows the grammar of kubectl");
        Written::new("", key, comparison, values).map_err(together)
    }

    fn comparison(&mut self) -> Result<(Comparison, Vec<&'a str>), String> {
        let token = self.operator();
        self.at += 1;
        let comparison = match token.kind {
            Kind::In => Comparison::In,
            Kind::NotIn => Comparison::NotIn,
            Kind::Equals => Comparison::Equals,
            Kind::DoubleEquals => Comparison::DoubleEquals,
            Kind::NotEquals => Comparison::NotEquals,
            Kind::Greater => Comparison::Gt,
            Kind::Less => Comparison::Lt,
            Kind::End | Kind::Word | Kind::Comma | Kind::Open | Kind::Close | Kind::Not => {
                let known = "in, notin, =, ==, !=, gt, lt";
                return Err(format!("found '{}', expected: {known}", token.text));
            }
        };
        let values = match comparison {
            Comparison::In | Comparison::NotIn => self.values()?,
            _ => vec![self.value()?],
        };
        Ok((comparison, values))
    }

    fn value(&mut self) -> Result<&'a str, String> {
        if matches!(self.peek().kind, Kind::End | Kind::Comma) {
            return Ok("");
        }
        let token = self.next();
        if token.kind == Kind::Word {
            return Ok(token.text);
        }
        Err(format!("found '{}', expected: identifier", token.text))
    }

    /// A list in parentheses: sorted, without repetitions, with the empty value for each gap.
    fn values(&mut self) -> Result<Vec<&'a str>, String> {
        let open = self.next();
        if open.kind != Kind::Open {
            return Err(format!("found '{}' expected: '('", open.text));
        }
        let first = self.peek();
        let mut values = std::collections::BTreeSet::new();
        match first.kind {
            Kind::Close => {
                values.insert("");
            }
            Kind::Word | Kind::Comma => self.listed(&mut values)?,
            _ => return Err(format!("found '{}', expected: ',', ')' or identifier", first.text)),
        }
        let close = self.next();
        if close.kind != Kind::Close {
            return Err(format!("found '{}', expected: ')'", first.text));
        }
        Ok(values.into_iter().collect())
    }

    fn listed(&mut self, values: &mut std::collections::BTreeSet<&'a str>) -> Result<(), String> {
        loop {
            let token = self.next();
            let after = self.peek();
            match (token.kind, after.kind) {
                (Kind::Word, Kind::Comma) => {
                    values.insert(token.text);
                }
                (Kind::Word, Kind::Close) => {
                    values.insert(token.text);
                    return Ok(());
                }
                (Kind::Word, _) => return Err(format!("found '{}', expected: ',' or ')'", after.text)),
                (Kind::Comma, follower) => {
                    if values.is_empty() || matches!(follower, Kind::Close | Kind::Comma) {
                        values.insert("");
                    }
                    if follower == Kind::Close {
                        return Ok(());
                    }
                }
                _ => return Err(format!("found '{}', expected: ',', or identifier", token.text)),
            }
        }
    }
}
