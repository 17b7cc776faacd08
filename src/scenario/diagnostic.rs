//! Complaints about a text: what is wrong, where, and how to mend it.
//!
//! Three forms of the same complaint: an excerpt with a marker for people, one line for scripts, and
//! a serialisable struct for `--json`. All are bounded: a line of a gigabyte and a million mistakes
//! print little. Does not know what a terminal is: the caller says whether to colour.

use std::fmt::Write as _;
use std::rc::Rc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::codes::Code;

/// The largest text that is read, in bytes. Whoever reads a file stops one byte after this.
pub const SOURCE_BYTES_MAX: usize = 64 << 20;
/// The longest piece of a line that an excerpt shows, in characters.
pub const EXCERPT_CHARS_MAX: usize = 240;
/// The longest piece of a user's text that a message repeats, in characters.
pub const QUOTE_CHARS_MAX: usize = 60;
/// How many diagnostics are printed; the rest is counted.
pub const PRINTED_MAX: usize = 50;

/// One text with a name; made by [`Sources::add`].
#[derive(Debug)]
pub struct Source {
    /// The name for people: mostly a path as the user wrote it.
    pub name: String,
    /// The text; empty when the bytes were no text (then reading it reports why).
    pub text: String,
    file: u32,
    fault: Option<(Code, String)>,
}

/// Every text of one invocation, in the order of reading.
///
/// ```
/// use windtunnel::scenario::{Sources, read};
/// let mut sources = Sources::default();
/// let source = sources.add("a.yaml", b"web: 3\n".to_vec());
/// let (value, diagnostics) = read::<std::collections::BTreeMap<String, u32>>(&source);
/// assert_eq!((value.unwrap()["web"], diagnostics.len()), (3, 0));
/// ```
#[derive(Debug, Default)]
pub struct Sources(Vec<Rc<Source>>);

/// A stretch of one source. Lines and columns count from 1, columns in characters; line 0 means the
/// file as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// Which of [`Sources`].
    pub file: u32,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is run.
    Error,
    /// It is run, but not quite what was written.
    Warning,
    /// Worth knowing.
    Note,
}

/// One complaint.
///
/// ```
/// use windtunnel::scenario::{Code, Diagnostic, Place, Sources};
/// let mut sources = Sources::default();
/// sources.add("scenario.yaml", b"strategy: binpak\n".to_vec());
/// let place = Place { line: 1, column: 11, start: 10, end: 16, ..Place::default() };
/// let complaint = Diagnostic::new(Code::UnknownChoice, place, "unknown strategy \"binpak\"")
///     .hint("did you mean \"binpack\"?");
/// assert_eq!(
///     complaint.line(&sources),
///     "E0106 scenario.yaml:1:11 unknown strategy \"binpak\"; did you mean \"binpack\"?"
/// );
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Which kind of mistake.
    pub code: Code,
    /// How bad it is; `--strict` turns warnings into errors.
    pub severity: Severity,
    /// Where it stands.
    pub place: Place,
    /// What is wrong, in one clause without a full stop.
    pub message: String,
    /// A few words for the marker under the excerpt; may be empty.
    pub label: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// Whether to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// For files and pipes.
    Plain,
    /// For terminals.
    Colour,
}

/// A diagnostic as `--json` prints it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Written {
    /// `E0103`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The name of the source.
    pub file: String,
    /// Line from 1; 0 for the file as a whole.
    pub line: u32,
    /// Column from 1, in characters.
    pub column: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What is wrong.
    pub message: String,
    /// Words at the marker.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Sources {
    /// Keeps a text under a name. Bytes that are no text are kept as a fault, which reading reports.
    pub fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> Rc<Source> {
        let file = u32::try_from(self.0.len()).expect("fewer files than 2^32");
        let (text, fault) = match checked_text(bytes) {
            Ok(text) => (text, None),
            Err(fault) => (String::new(), Some(fault)),
        };
        let source = Rc::new(Source { name: name.into(), text, file, fault });
        self.0.push(Rc::clone(&source));
        source
    }

    /// The source of a place; none for a place of another collection.
    pub fn get(&self, place: Place) -> Option<&Source> {
        self.0.get(usize::try_from(place.file).expect("32 bits")).map(Rc::as_ref)
    }
}

impl Source {
    /// The file as a whole.
    pub fn whole(&self) -> Place {
        Place { file: self.file, ..Place::default() }
    }

    /// Why this is no text, if it is none.
    pub fn fault(&self) -> Option<Diagnostic> {
        let (code, message) = self.fault.as_ref()?;
        Some(Diagnostic::new(*code, self.whole(), message.clone()))
    }
}

impl Diagnostic {
    /// A complaint with the severity of its code.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        let severity = code.severity();
        Diagnostic { code, severity, place, message: message.into(), label: String::new(), hint: None }
    }

    /// The same with a way to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same as something worth knowing.
    #[must_use]
    pub fn note(mut self) -> Self {
        self.severity = Severity::Note;
        self
    }

    /// The same with words at the marker.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// One line for scripts: code, place, message, hint.
    pub fn line(&self, sources: &Sources) -> String {
        let mut line = self.code.number().to_owned();
        if let Some(source) = sources.get(self.place) {
            let _ = write!(line, " {}", source.name);
        }
        if self.place.line > 0 {
            let _ = write!(line, ":{}:{}", self.place.line, self.place.column);
        }
        let _ = write!(line, " {}", self.message);
        if let Some(hint) = &self.hint {
            let _ = write!(line, "; {hint}");
        }
        line
    }

    /// The form of `--json`.
    pub fn written(&self, sources: &Sources) -> Written {
        Written {
            code: self.code.number(),
            severity: self.severity,
            file: sources.get(self.place).map_or_else(String::new, |source| source.name.clone()),
            line: self.place.line,
            column: self.place.column,
            start: self.place.start,
            end: self.place.end,
            message: self.message.clone(),
            label: self.label.clone(),
            hint: self.hint.clone(),
        }
    }

    /// The form for people: the message, the offending line with a marker, and the hint.
    pub fn excerpt(&self, sources: &Sources, style: Style) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let mut group = Group::with_title(level.primary_title(&self.message).id(self.code.number()));
        if let Some(source) = sources.get(self.place) {
            group = match Window::around(self.place, source) {
                // A cut line would count its columns from the cut, so the place is written apart.
                Some(window) if window.cut => {
                    group.element(origin(self.place, source)).element(window.snippet(&self.label))
                }
                Some(window) => group.element(window.snippet(&self.label).path(&source.name)),
                None => group.element(origin(self.place, source)),
            };
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint));
        }
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        };
        renderer.render(&[group])
    }
}

/// Sorts by file, line, column and code, and drops what was said twice.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    let key = |d: &Diagnostic| (d.place.file, d.place.line, d.place.column, d.code);
    diagnostics.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message)));
    diagnostics.dedup();
}

/// Excerpts of the first [`PRINTED_MAX`] diagnostics, then the count of the rest.
pub fn excerpts(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    bounded(diagnostics, "\n\n", |diagnostic| diagnostic.excerpt(sources, style))
}

/// Single lines of the first [`PRINTED_MAX`] diagnostics, then the count of the rest.
pub fn lines(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    bounded(diagnostics, "\n", |diagnostic| diagnostic.line(sources))
}

/// A piece of the user's text for a message: in double quotes, control characters escaped, cut after
/// [`QUOTE_CHARS_MAX`] characters.
///
/// ```
/// use windtunnel::scenario::diagnostic::quoted;
/// assert_eq!(quoted("a\tb"), r#""a\tb""#);
/// assert_eq!(quoted(&"x".repeat(100)).chars().count(), 63);
/// ```
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((cut, _)) => format!("{:?}", format_args!("{}…", &text[..cut]).to_string()),
        None => format!("{text:?}"),
    }
}

/// The known word nearest to a mistyped one, if one is near: the same letters in another case, or
/// few edits for its length. Equal distances go to the first.
///
/// ```
/// use windtunnel::scenario::diagnostic::nearest;
/// assert_eq!(nearest("binpak", &["spread", "binpack"]), Some("binpack"));
/// assert_eq!(nearest("colour", &["spread", "binpack"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.chars().count() > QUOTE_CHARS_MAX {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    if let Some(same) = known.iter().find(|candidate| plain(candidate) == plain(word)) {
        return Some(same);
    }
    let edits = |candidate: &str| strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase());
    let (distance, best) =
        known.iter().map(|&candidate| (edits(candidate), candidate)).min_by_key(|&(d, _)| d)?;
    let near = distance <= 1 + best.chars().count() / 4 && distance < best.chars().count();
    near.then_some(best)
}

/// `did you mean "x"?`, or the list of what is known when that is short.
pub fn suggestion(word: &str, known: &[&str]) -> Option<String> {
    const LISTED_MAX: usize = 12;
    match nearest(word, known) {
        Some(best) => Some(format!("did you mean {}?", quoted(best))),
        None if known.is_empty() || known.len() > LISTED_MAX => None,
        None => Some(format!("known: {}", known.join(", "))),
    }
}

/// The text of a file, or why it is none.
fn checked_text(bytes: Vec<u8>) -> Result<String, (Code, String)> {
    if bytes.len() > SOURCE_BYTES_MAX {
        let most = SOURCE_BYTES_MAX >> 20;
        return Err((Code::TextTooLarge, format!("the file is larger than {most} MiB")));
    }
    let familiar = |text: &str| Err((Code::NotText, text.to_owned()));
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return familiar("the file is UTF-16; save it as UTF-8"),
        [0x1F, 0x8B, ..] => return familiar("this is a binary file, packed with gzip; unpack it first"),
        _ => {}
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err((Code::NotText, format!("this is a binary file: byte {at} is zero")));
    }
    match String::from_utf8(bytes) {
        // Some editors write a mark of the byte order before the text; it means nothing.
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].split(|&byte| byte == b'\n').count();
            Err((Code::NotText, format!("the file is no UTF-8 text from byte {at} on, in line {line}")))
        }
    }
}

fn bounded(diagnostics: &[Diagnostic], separator: &str, print: impl Fn(&Diagnostic) -> String) -> String {
    let mut parts: Vec<String> = diagnostics.iter().take(PRINTED_MAX).map(print).collect();
    if diagnostics.len() > PRINTED_MAX {
        parts.push(format!("... and {} more", diagnostics.len() - PRINTED_MAX));
    }
    parts.join(separator)
}

fn origin(place: Place, source: &Source) -> Origin<'_> {
    let origin = Origin::path(source.name.as_str());
    match place.line {
        0 => origin,
        line => origin.line(wide(line)).char_column(wide(place.column)),
    }
}

/// The part of one line that an excerpt shows, and the marked bytes in it.
struct Window {
    line: usize,
    text: String,
    marked: std::ops::Range<usize>,
    cut: bool,
}

impl Window {
    /// None for a place without a line, or one that is not in this text.
    fn around(place: Place, source: &Source) -> Option<Window> {
        let text = source.text.as_str();
        let start = wide(place.start);
        if place.line == 0 || !text.is_char_boundary(start) {
            return None;
        }
        let before = text[..start].rsplit('\n').next().unwrap_or_default();
        let after = text[start..].split(['\n', '\r']).next().unwrap_or_default();
        let mut length = wide(place.end.saturating_sub(place.start)).min(after.len());
        while !after.is_char_boundary(length) {
            length -= 1;
        }
        let (kept_before, cut_before) = last_chars(before, EXCERPT_CHARS_MAX / 2);
        let (kept_after, cut_after) = first_chars(after, EXCERPT_CHARS_MAX / 2);
        let lead = if cut_before { "…" } else { "" };
        let trail = if cut_after { "…" } else { "" };
        let from = lead.len() + kept_before.len();
        Some(Window {
            line: wide(place.line),
            text: format!("{lead}{kept_before}{kept_after}{trail}"),
            marked: from..from + length.min(kept_after.len()),
            cut: cut_before || cut_after,
        })
    }

    fn snippet(self, label: &str) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let mark = AnnotationKind::Primary.span(self.marked).label((!label.is_empty()).then_some(label));
        Snippet::source(self.text).line_start(self.line).annotation(mark)
    }
}

fn first_chars(text: &str, count: usize) -> (&str, bool) {
    match text.char_indices().nth(count) {
        Some((cut, _)) => (&text[..cut], true),
        None => (text, false),
    }
}

fn last_chars(text: &str, count: usize) -> (&str, bool) {
    match text.char_indices().rev().nth(count) {
        Some((cut, c)) => (&text[cut + c.len_utf8()..], true),
        None => (text, false),
    }
}

fn wide(number: u32) -> usize {
    usize::try_from(number).expect("32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32, start: u32, end: u32) -> Place {
        Place { file: 0, line, column, start, end }
    }

    #[test]
    fn excerpts_show_the_line_and_the_mend() {
        let mut sources = Sources::default();
        sources.add("scenario.yaml", b"name: shop\nplacement:\n  strategy: binpak\n".to_vec());
        let complaint =
            Diagnostic::new(Code::UnknownChoice, at(3, 13, 34, 40), "unknown strategy \"binpak\"")
                .label("not a strategy")
                .hint("did you mean \"binpack\"?");
        let plain = complaint.excerpt(&sources, Style::Plain);
        let expected = "\
error[E0106]: unknown strategy \"binpak\"
 --> scenario.yaml:3:13
  |
3 |   strategy: binpak
  |             ^^^^^^ not a strategy
  |
  = help: did you mean \"binpack\"?";
        assert_eq!(plain, expected);
        assert!(complaint.excerpt(&sources, Style::Colour).contains("\u{1b}["));
        assert!(!plain.contains('\u{1b}'));
        let json = serde_json::to_value(complaint.written(&sources)).unwrap();
        assert_eq!(json["code"], "E0106");
        assert_eq!((&json["line"], &json["severity"]), (&3.into(), &"error".into()));
    }

    #[test]
    fn long_lines_are_cut_and_columns_stay_true() {
        let mut sources = Sources::default();
        let text = format!("{}é bad {}\n", "x".repeat(5_000_000), "y".repeat(5_000_000));
        sources.add("one-line.json", text.into_bytes());
        let complaint =
            Diagnostic::new(Code::UnknownKey, at(1, 5_000_003, 5_000_003, 5_000_006), "unknown key");
        let plain = complaint.excerpt(&sources, Style::Plain);
        assert!(plain.chars().count() < 600, "{plain}");
        assert!(plain.contains("one-line.json:1:5000003") && plain.contains("é bad yyy"), "{plain}");
    }

    #[test]
    fn places_outside_of_the_text_print() {
        let mut sources = Sources::default();
        sources.add("a", "é".into());
        for place in [at(0, 0, 0, 0), at(1, 1, 0, 9), at(1, 2, 1, 2), at(9, 9, 99, 100), at(1, 2, 2, 2)] {
            let complaint = Diagnostic::new(Code::CannotRead, place, "no");
            assert!(complaint.excerpt(&sources, Style::Plain).contains("E0801"));
        }
        let stranger = Diagnostic::new(Code::CannotRead, Place { file: 7, ..at(1, 1, 0, 0) }, "no");
        assert!(stranger.excerpt(&sources, Style::Plain).contains("E0801"));
        let whole = Diagnostic::new(Code::CannotRead, at(0, 0, 0, 0), "no such file");
        assert_eq!(whole.line(&sources), "E0801 a no such file");
    }

    #[test]
    fn sorted_without_repeats_and_bounded() {
        let mut sources = Sources::default();
        sources.add("a", Vec::new());
        let row = |line, column, code| Diagnostic::new(code, at(line, column, 0, 0), "x");
        let mut all =
            vec![row(2, 1, Code::UnknownKey), row(1, 9, Code::YamlSyntax), row(1, 2, Code::UnknownKey)];
        all.push(row(1, 2, Code::YamlSyntax));
        all.push(row(2, 1, Code::UnknownKey));
        sort(&mut all);
        assert_eq!(lines(&all, &sources), "E0101 a:1:2 x\nE0103 a:1:2 x\nE0101 a:1:9 x\nE0103 a:2:1 x");
        let many: Vec<_> = (1..=60).map(|line| row(line, 1, Code::UnknownKey)).collect();
        assert!(lines(&many, &sources).ends_with("a:50:1 x\n... and 10 more"));
        assert!(excerpts(&many, &sources, Style::Plain).ends_with("... and 10 more"));
    }

    #[test]
    fn nearest_words() {
        let known = ["memory", "cpu", "takes", "run_for"];
        let rows = [
            ("memroy", Some("memory")),
            ("Memory", Some("memory")),
            ("runFor", Some("run_for")),
            ("cpus", Some("cpu")),
            ("tkaes", Some("takes")),
            ("x", None),
            ("", None),
            ("replicas", None),
        ];
        for (word, expected) in rows {
            assert_eq!(nearest(word, &known), expected, "for {word:?}");
        }
    }
}
