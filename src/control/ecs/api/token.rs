//! Client tokens: the same call again brings no new tasks.
//!
//! Knows nothing of what was asked for: a token that stands for two different requests is refused
//! before the run.

use crate::base::hash::Map;
use crate::base::{Span, Symbol, Timestamp};
use crate::mark;

/// The tokens of the calls that one control plane has seen.
///
/// ```
/// use windtunnel::base::{Span, Symbols, Timestamp};
/// use windtunnel::control::ecs::api::token::ClientTokens;
/// let token = Symbols::default().intern("nightly");
/// let mut tokens = ClientTokens::new(Span::HOUR);
/// let noon = Timestamp::from_nanos(7);
/// assert!(!tokens.is_repeat(noon, token));
/// assert!(tokens.is_repeat(noon + Span::minutes(59), token));
/// assert!(!tokens.is_repeat(noon + Span::HOUR, token));
/// ```
#[derive(Debug)]
pub struct ClientTokens {
    /// How long a token is remembered (A-110).
    memory: Span,
    /// When each token was first used, or used anew.
    used: Map<Symbol, Timestamp>,
}

impl ClientTokens {
    /// No call yet.
    pub fn new(memory: Span) -> Self {
        ClientTokens { memory, used: Map::default() }
    }

    /// Whether a call with this token is one that was made before: it gets the same tasks again.
    pub fn is_repeat(&mut self, now: Timestamp, token: Symbol) -> bool {
        mark!("RT-03");
        let used = self.used.get_or_insert_with(token, || Timestamp::NEVER);
        if *used <= now && now.since(*used) < self.memory {
            return true;
        }
        *used = now;
        false
    }
}
