//! The examples compile against the library as it is, and do what they say: each is a crate of its own, and
//! its sources are a module here.

#[expect(unreachable_pub, reason = "it is public in its crate")]
#[path = "../../examples/fewest-free-gpus/src/lib.rs"]
mod fewest_free_gpus;
