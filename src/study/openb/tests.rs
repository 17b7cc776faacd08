//! The published results come out again.
