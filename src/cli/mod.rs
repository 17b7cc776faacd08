//! Floor 7: the command line. Arguments, files, the wall clock and exit codes, and nothing else.
//!
//! The only floor that opens files, reads clocks or the environment, or prints.

mod args;
mod catalog;
mod check;
mod completions;
mod diff;
mod error;
mod explain;
mod interrupt;
mod load;
mod paths;
mod progress;
mod record;
mod run;
mod schema;
mod settings;
mod study;
mod summary;
mod swing;
mod traces;
mod write;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// How a command ended, as the shell sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// All is well.
    Good,
    /// Two results differ.
    Different,
    /// The input is wrong; nothing was written.
    WrongInput,
    /// An invariant does not hold: a bug of ours, or a result that cannot be repeated.
    Broken,
    /// A file could not be read or written.
    Files,
    /// Ctrl-C; nothing was written.
    Interrupted,
}

impl Exit {
    /// The exit status.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Good => 0,
            Exit::Different => 1,
            Exit::WrongInput => 2,
            Exit::Broken => 3,
            Exit::Files => 4,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let exit = match arguments.command {
        Command::Run(run) => run::run(&run),
        Command::Check(check) => check::check(&check),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Error(code) => error::error(&code),
        Command::Catalog(filter) => catalog::catalog(&filter),
        Command::Diff(diff) => diff::diff(&diff),
        Command::Settings(asked) => settings::settings(&asked),
        Command::Schema => schema::schema(),
        Command::Completions(shell) => completions::completions(&shell),
    };
    if exit == Exit::Interrupted {
        warn("interrupted; nothing was written\n");
    }
    exit.into()
}

/// Writes to standard output. A reader that has gone away is no error; a full disk behind it is one,
/// and ends the program: whatever else there is to write has been written before.
fn say(text: &str) {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            warn(&format!("E0802 standard output cannot be written: {error}\n"));
            std::process::exit(Exit::Files.code().into());
        }
        Ok(()) | Err(_) => {}
    }
}

/// Writes to standard error.
fn warn(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether standard error is a terminal that wants colours.
fn colours() -> bool {
    #[expect(clippy::disallowed_methods, reason = "`cli` reads the environment")]
    let refused = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !refused
}
