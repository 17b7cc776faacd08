//! From text to tree: the grammar of section 4.4 by recursive descent, one function per rule.
//!
//! One pass, no backtracking, bounded recursion: time is linear in the text, apart from the
//! bounded work of compiling patterns. Knows nothing of instances.

use super::error::{Caution, Problem, QueryError, Warning};
use super::pattern::Pattern;
use super::value::{Moment, Version, whole_number};
use super::words::{ATTRIBUTE_PREFIX, OPERATORS, Operator, PLAIN_SUBJECTS, Subject};
use super::{Asks, CHARACTERS_MAX, DEPTH_MAX, Node, Predicate, Relation, Settings, Test};
use crate::mark;

/// The longest name of an attribute, in bytes (CI-21).
const ATTRIBUTE_NAME_MAX: usize = 128;

/// How much of a wrong word an error repeats, in characters.
const EXCERPT_MAX: usize = 40;

type Outcome<T> = Result<T, QueryError>;

/// Parses a whole expression.
pub(super) fn parse(text: &str, settings: Settings) -> Outcome<(Node, Vec<Warning>)> {
    if let Some((at, _)) = text.char_indices().nth(CHARACTERS_MAX) {
        mark!("PL-26");
        return Err(QueryError { at, what: Problem::TooLong });
    }
    let mut parser = Parser { text, at: 0, settings, warnings: Vec::new() };
    let root = parser.expression(0)?;
    match parser.peek() {
        None => Ok((root, parser.warnings)),
        Some(')') => parser.fail(Problem::ParenthesisClosed),
        Some(_) => parser.fail(Problem::ConnectiveExpected),
    }
}

/// Whether the character opens and closes a quoted argument.
pub(super) fn is_quote(character: char) -> bool {
    matches!(character, '\'' | '"')
}

/// How many bytes of `text` a bare argument takes: to the next whitespace or unbalanced `)`. In a
/// pattern a backslash escapes the parenthesis after it. The error is the place of a `(` that is
/// never closed.
pub(super) fn bare_length(text: &str, is_pattern: bool) -> Result<usize, usize> {
    let mut opened_at = Vec::new();
    let mut escaped = false;
    let mut length = text.len();
    for (at, character) in text.char_indices() {
        if character.is_whitespace() || (character == ')' && !escaped && opened_at.is_empty()) {
            length = at;
            break;
        }
        match character {
            '(' if !escaped => opened_at.push(at),
            ')' if !escaped => drop(opened_at.pop()),
            _ => {}
        }
        escaped = is_pattern && character == '\\' && !escaped;
    }
    opened_at.first().map_or(Ok(length), |at| Err(*at))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Connective {
    And,
    Or,
}

/// An argument without its quotes, and where it stands.
struct Token<'a> {
    at: usize,
    text: &'a str,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    settings: Settings,
    warnings: Vec<Warning>,
}

impl<'a> Parser<'a> {
    fn expression(&mut self, depth: usize) -> Outcome<Node> {
        if !self.settings.and_before_or {
            return self.left_to_right(depth);
        }
        let mut nodes = vec![self.conjunction(depth)?];
        while self.take_connective(Connective::Or) {
            nodes.push(self.conjunction(depth)?);
        }
        Ok(join(Connective::Or, nodes))
    }

    fn conjunction(&mut self, depth: usize) -> Outcome<Node> {
        let mut nodes = vec![self.unary(depth)?];
        while self.take_connective(Connective::And) {
            mark!("PL-20");
            nodes.push(self.unary(depth)?);
        }
        Ok(join(Connective::And, nodes))
    }

    fn left_to_right(&mut self, depth: usize) -> Outcome<Node> {
        let mut node = self.unary(depth)?;
        loop {
            let connective = if self.take_connective(Connective::And) {
                Connective::And
            } else if self.take_connective(Connective::Or) {
                Connective::Or
            } else {
                return Ok(node);
            };
            node = join(connective, vec![node, self.unary(depth)?]);
        }
    }

    fn unary(&mut self, depth: usize) -> Outcome<Node> {
        if depth > DEPTH_MAX {
            return self.fail(Problem::TooDeep);
        }
        if self.take_not() {
            mark!("PL-20");
            let node = if self.peek() == Some('(') { self.group(depth)?.1 } else { self.unary(depth + 1)? };
            return Ok(Node::Not(Box::new(node)));
        }
        if self.peek() != Some('(') {
            return self.predicate().map(Node::Is);
        }
        let (at, node) = self.group(depth)?;
        if matches!(node, Node::Is(_)) {
            mark!("PL-20");
            self.warnings.push(Warning { at, what: Caution::LonePredicate });
        }
        Ok(node)
    }

    /// An expression in parentheses, and where it starts.
    fn group(&mut self, depth: usize) -> Outcome<(usize, Node)> {
        let opened_at = self.at;
        self.at += 1;
        let node = self.expression(depth + 1)?;
        match self.peek() {
            Some(')') => self.at += 1,
            Some(_) => return self.fail(Problem::ConnectiveExpected),
            None => {
                return Err(QueryError { at: opened_at, what: Problem::ParenthesisOpen });
            }
        }
        Ok((opened_at, node))
    }

    fn predicate(&mut self) -> Outcome<Predicate> {
        let subject = self.subject()?;
        self.peek();
        let at = self.at;
        let operator = self.operator()?;
        if !subject.takes(operator) {
            mark!("PL-21");
            let (subject, operator) = (subject.word(), operator.symbol());
            let what = Problem::OperatorRefused { subject, operator };
            return Err(QueryError { at, what });
        }
        match subject {
            Subject::AgentConnected => self.test(operator, true).map(Predicate::AgentConnected),
            Subject::Attribute(name) => {
                self.test(operator, false).map(|test| Predicate::Attribute(name.into(), test))
            }
            Subject::Ec2InstanceId => self.test(operator, false).map(Predicate::Ec2InstanceId),
            Subject::TaskGroup => self.test(operator, false).map(Predicate::TaskGroup),
            Subject::AgentVersion => {
                let version = self.value(Version::parse, Problem::NotVersion)?;
                Ok(Predicate::AgentVersion(relation_of(operator), version))
            }
            Subject::RegisteredAt => {
                let moment = self.value(Moment::parse, Problem::NotDate)?;
                Ok(Predicate::RegisteredAt(relation_of(operator), moment))
            }
            Subject::RunningTasksCount => {
                let count = self.value(whole_number, Problem::NotCount)?;
                Ok(Predicate::RunningTasksCount(relation_of(operator), count))
            }
        }
    }

    fn subject(&mut self) -> Outcome<Subject<'a>> {
        self.peek();
        let (at, word) = (self.at, self.word(|c| c.is_ascii_alphanumeric() || "-_/\\.:".contains(c)));
        let prefix = word.get(..ATTRIBUTE_PREFIX.len()).unwrap_or_default();
        let subject = if self.is_keyword(prefix, ATTRIBUTE_PREFIX) {
            Subject::Attribute(&word[ATTRIBUTE_PREFIX.len()..])
        } else if let Some(plain) =
            PLAIN_SUBJECTS.into_iter().find(|plain| self.is_keyword(word, plain.word()))
        {
            plain
        } else if word.is_empty() || ["and", "or"].iter().any(|known| self.is_keyword(word, known)) {
            return Err(QueryError { at, what: Problem::SubjectExpected });
        } else {
            return Err(QueryError { at, what: Problem::SubjectUnknown(excerpt(word)) });
        };
        if let Subject::Attribute(name) = subject
            && (name.is_empty() || name.len() > ATTRIBUTE_NAME_MAX || name.contains(':'))
        {
            let at = at + ATTRIBUTE_PREFIX.len();
            return Err(QueryError { at, what: Problem::AttributeName });
        }
        self.at += word.len();
        Ok(subject)
    }

    fn operator(&mut self) -> Outcome<Operator> {
        let rest = self.rest();
        let is_wordy = rest.strip_prefix('!').unwrap_or(rest).starts_with(|c: char| c.is_ascii_alphabetic());
        let word = self.word(|c| c.is_ascii_alphanumeric() || "_!".contains(c));
        let known = OPERATORS.iter().find_map(|(operator, symbol, spelled)| {
            if is_wordy {
                let is_meant = self.is_keyword(word, symbol) || self.is_keyword(word, spelled);
                is_meant.then_some((*operator, word.len()))
            } else {
                rest.starts_with(symbol).then_some((*operator, symbol.len()))
            }
        });
        match known {
            Some((operator, length)) => {
                self.at += length;
                Ok(operator)
            }
            None if rest.is_empty() || rest.starts_with(')') => self.fail(Problem::OperatorExpected),
            None => {
                let unknown = self.word(|c| !c.is_whitespace() && c != ')');
                self.fail(Problem::OperatorUnknown(excerpt(unknown)))
            }
        }
    }

    /// What is asked of a text. `is_boolean`: it can only be `true` or `false`.
    fn test(&mut self, operator: Operator, is_boolean: bool) -> Outcome<Test> {
        let (asks, negated) = match operator {
            Operator::Exists { negated } => (Asks::Exists, negated),
            Operator::In { negated } => {
                let tokens = self.list()?;
                let values = tokens.iter().map(|token| self.text_value(token, is_boolean));
                (Asks::IsIn(values.collect::<Outcome<_>>()?), negated)
            }
            Operator::Matches { negated } => (Asks::Matches(self.pattern()?), negated),
            Operator::Relates(relation) => {
                let token = self.argument(false)?;
                let value = self.text_value(&token, is_boolean)?;
                match relation {
                    Relation::Equal => (Asks::Equals(value), false),
                    Relation::NotEqual => (Asks::Equals(value), true),
                    Relation::Greater | Relation::GreaterOrEqual | Relation::Less | Relation::LessOrEqual => {
                        (Asks::Compares(relation, value), false)
                    }
                }
            }
        };
        Ok(Test { asks, negated })
    }

    fn text_value(&self, token: &Token<'_>, is_boolean: bool) -> Outcome<Box<str>> {
        if !is_boolean {
            return Ok(token.text.into());
        }
        let known = ["true", "false"].into_iter().find(|known| self.is_keyword(token.text, known));
        known.map(Into::into).ok_or(QueryError { at: token.at, what: Problem::NotBoolean })
    }

    fn value<T>(&mut self, read: impl FnOnce(&str) -> Option<T>, otherwise: Problem) -> Outcome<T> {
        let token = self.argument(false)?;
        read(token.text).ok_or(QueryError { at: token.at, what: otherwise })
    }

    fn pattern(&mut self) -> Outcome<Pattern> {
        let token = self.argument(true)?;
        Pattern::compile(token.text, self.settings.patterns_match_whole_value)
            .map_err(|(offset, what)| QueryError { at: token.at + offset, what })
    }

    fn argument(&mut self, is_pattern: bool) -> Outcome<Token<'a>> {
        match self.peek() {
            None | Some(')') => self.fail(Problem::ArgumentExpected),
            Some('[') if !is_pattern => self.fail(Problem::ListRefused),
            Some(quote) if is_quote(quote) => {
                let token = self.quoted(quote)?;
                match self.rest().chars().next() {
                    Some(next) if next != ')' && !next.is_whitespace() => self.fail(Problem::QuoteFollowed),
                    _ => Ok(token),
                }
            }
            Some(_) => {
                mark!("PL-20");
                let (at, rest) = (self.at, self.rest());
                let length = bare_length(rest, is_pattern)
                    .map_err(|offset| QueryError { at: at + offset, what: Problem::ParenthesisOpen })?;
                self.at += length;
                Ok(Token { at, text: &rest[..length] })
            }
        }
    }

    /// The arguments in brackets, or the one that stands alone.
    fn list(&mut self) -> Outcome<Vec<Token<'a>>> {
        if self.peek() != Some('[') {
            let is_quoted = self.peek().is_some_and(is_quote);
            let token = self.argument(false)?;
            if !is_quoted && token.text.contains([',', ']']) {
                return Err(QueryError { at: token.at, what: Problem::ListExpected });
            }
            self.warnings.push(Warning { at: token.at, what: Caution::BareList });
            return Ok(vec![token]);
        }
        let opened_at = self.at;
        let mut tokens = Vec::new();
        loop {
            self.at += 1;
            tokens.push(self.list_item(opened_at)?);
            match self.peek() {
                Some(',') => {}
                Some(']') => {
                    self.at += 1;
                    return Ok(tokens);
                }
                Some(_) => return self.fail(Problem::QuoteFollowed),
                None => {
                    return Err(QueryError { at: opened_at, what: Problem::ListOpen });
                }
            }
        }
    }

    fn list_item(&mut self, opened_at: usize) -> Outcome<Token<'a>> {
        mark!("PL-20");
        match self.peek() {
            None => Err(QueryError { at: opened_at, what: Problem::ListOpen }),
            Some(',' | ']') => self.fail(Problem::ArgumentExpected),
            Some(quote) if is_quote(quote) => self.quoted(quote),
            Some(_) => {
                let (at, text) = (self.at, self.word(|c| !matches!(c, ',' | ']')).trim_end());
                self.at += text.len();
                Ok(Token { at, text })
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Outcome<Token<'a>> {
        mark!("PL-20");
        let at = self.at + quote.len_utf8();
        let Some(length) = self.text[at..].find(quote) else {
            return self.fail(Problem::QuoteOpen);
        };
        self.at = at + length + quote.len_utf8();
        Ok(Token { at, text: &self.text[at..at + length] })
    }

    fn take_connective(&mut self, wanted: Connective) -> bool {
        let (symbol, spelled) = match wanted {
            Connective::And => ("&&", "and"),
            Connective::Or => ("||", "or"),
        };
        self.peek();
        if self.rest().starts_with(symbol) {
            self.at += symbol.len();
            return true;
        }
        self.take_keyword(spelled)
    }

    fn take_not(&mut self) -> bool {
        if self.peek() == Some('!') {
            self.at += 1;
            return true;
        }
        self.take_keyword("not")
    }

    fn take_keyword(&mut self, spelled: &str) -> bool {
        let word = self.word(|c| c.is_ascii_alphanumeric() || "-_/\\.:".contains(c));
        let is_meant = self.is_keyword(word, spelled);
        if is_meant {
            self.at += word.len();
        }
        is_meant
    }

    fn is_keyword(&self, word: &str, spelled: &str) -> bool {
        if self.settings.keywords_ignore_case { word.eq_ignore_ascii_case(spelled) } else { word == spelled }
    }

    /// Goes to the next character that is not whitespace, and shows it.
    fn peek(&mut self) -> Option<char> {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The characters from here on that are of this sort; does not move.
    fn word(&self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())]
    }

    fn fail<T>(&self, what: Problem) -> Outcome<T> {
        Err(QueryError { at: self.at, what })
    }
}

/// One node of several; groups of the same kind become one.
fn join(connective: Connective, nodes: Vec<Node>) -> Node {
    let mut flat = Vec::with_capacity(nodes.len());
    for node in nodes {
        match (connective, node) {
            (Connective::And, Node::All(inner)) | (Connective::Or, Node::Any(inner)) => {
                flat.extend(inner);
            }
            (_, node) => flat.push(node),
        }
    }
    match (flat.len(), connective) {
        (1, _) => flat.remove(0),
        (_, Connective::And) => Node::All(flat),
        (_, Connective::Or) => Node::Any(flat),
    }
}

fn relation_of(operator: Operator) -> Relation {
    match operator {
        Operator::Relates(relation) => relation,
        Operator::Exists { .. } | Operator::In { .. } | Operator::Matches { .. } => {
            panic!("the subject takes only relations (PL-21)")
        }
    }
}

fn excerpt(word: &str) -> Box<str> {
    word.chars().take(EXCERPT_MAX).collect::<String>().into()
}
