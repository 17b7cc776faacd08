//! Placement, tested: the rules one by one, and the index against a twin that only knows plain loops.

mod cluster;
mod differential;
mod rules;
mod stops;
mod twin;
