//! Text, interned: a [`Symbol`] is a small number that stands for one spelling.
//!
//! Below `scenario` nothing holds a `String`. Numbers depend on the order of interning, so a symbol
//! is never written to a fact, a file or a digest; its text or its [`EntityKey`] is.

use super::hash::Map;
use super::id::EntityKey;

/// One spelling, interned in one [`Symbols`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol that sorts before all others, for the start of a range.
    pub const FIRST: Symbol = Symbol(0);
}

/// A number made of a text alone, the same in every plan: what a digest takes.
pub fn fingerprint(text: &str) -> u64 {
    EntityKey::new("text", text, 0).low()
}

/// The spellings of one plan.
///
/// ```
/// use windtunnel::base::Symbols;
/// let mut symbols = Symbols::default();
/// let web = symbols.intern("web");
/// assert_eq!(symbols.intern("web"), web);
/// assert_eq!(symbols.text(web), "web");
/// ```
#[derive(Clone, Default, Debug)]
pub struct Symbols {
    texts: Vec<Box<str>>,
    fingerprints: Vec<u64>,
    numbers: Map<Box<str>, Symbol>,
}

impl Symbols {
    /// The symbol of this text, made on first use.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&known) = self.numbers.get(text) {
            return known;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).expect("fewer than 2^32 spellings"));
        self.texts.push(text.into());
        self.fingerprints.push(fingerprint(text));
        self.numbers.insert(text.into(), symbol);
        symbol
    }

    /// The symbol of this text, if it was interned.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.numbers.get(text).copied()
    }

    /// A number made of the text alone, the same in every plan: what a digest takes.
    pub fn fingerprint(&self, symbol: Symbol) -> u64 {
        self.fingerprints[symbol.0 as usize]
    }

    /// The text of a symbol. Panics on a symbol of another plan that is out of range here.
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }
}
