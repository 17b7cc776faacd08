//! Every rule of the scheduler, as lines of a small language: a script of what happens, and the log of
//! what the scheduler did about it. See [`record`] for the words.

mod lawful;
mod record;
mod rows;
mod traps;
