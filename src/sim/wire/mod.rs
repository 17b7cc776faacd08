//! Wiring: what a command of control does to the record and the world, and who hears of it.

mod ecs;
mod machines;
