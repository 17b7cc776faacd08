//! Floor 0: the words. Places, names, time, quantity, money, beats, draws and reasons.
//!
//! Every other module speaks in these words. Knows nothing of agendas, stores, orchestrators, files
//! or clocks.

pub mod beat;
pub mod column;
pub mod hash;
pub mod id;
pub mod label;
pub mod mark;
pub mod money;
pub mod quantity;
pub mod ratio;
pub mod runtime;
pub mod time;
pub mod token_bucket;
pub mod turn;
pub mod versioned;

pub use beat::Beat;
pub use column::Column;
pub use id::{EntityKey, Handle, Name, Row, Serial};
pub use label::{Symbol, Symbols};
pub use money::{Money, Price, Unit, Usage};
pub use quantity::{Bandwidth, Bytes, Cpu};
pub use ratio::Percent;
pub use time::{Span, Timestamp};
pub use token_bucket::{Refill, TokenBucket};
pub use turn::{Draw, Note, Purpose, Subject, Turn, Why};
pub use versioned::{Edit, Reader, Revision, Table};
