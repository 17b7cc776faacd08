//! windtunnel.
fn main() {}
