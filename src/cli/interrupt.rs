//! Ctrl-C: the first one asks a run to stop, and nothing is written; the second one ends the program.
//!
//! Results that are being written when it comes are finished: they are complete. Knows nothing of runs.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Exit;

static HEARD: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C only asks. Where no handler can be had it ends the program, as before.
pub(super) fn listen() {
    let _ = ctrlc::set_handler(|| {
        if HEARD.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted.code().into());
        }
    });
}

/// Whether Ctrl-C has come.
pub(super) fn heard() -> bool {
    HEARD.load(Ordering::Relaxed)
}

/// Ends a command that was asked to stop.
pub(super) fn check() -> Result<(), Exit> {
    if heard() { Err(Exit::Interrupted) } else { Ok(()) }
}
