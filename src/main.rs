//! The program: calls [`windtunnel::cli::main`] and ends with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    windtunnel::cli::main()
}
