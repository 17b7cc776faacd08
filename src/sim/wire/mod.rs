//! Wiring: what a command of control does to the record and the world, and who hears of it.

mod demand;
mod ecs;
mod kubelet;
mod kubernetes;
mod machines;
mod volumes;

pub(in crate::sim) use demand::Player;
