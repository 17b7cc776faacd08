//! Floor 1: the engine of any simulation. What happens next, luck, and a fingerprint of what happened.
//!
//! Knows nothing of clusters, orchestrators or AWS.

pub mod agenda;
pub mod digest;
pub mod luck;
pub mod quantiles;

pub use agenda::Agenda;
pub use digest::Digest;
pub use luck::Luck;
pub use quantiles::Quantiles;
