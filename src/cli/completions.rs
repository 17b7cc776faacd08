//! `windtunnel completions`: what a shell needs to complete commands and flags.

use clap::CommandFactory;

use super::args::{Arguments, Completions};
use super::{Exit, say};

pub(super) fn completions(asked: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut Arguments::command(), "windtunnel", &mut script);
    say(&String::from_utf8_lossy(&script));
    Exit::Good
}
