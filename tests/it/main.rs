//! One test binary, one file per promise.

mod house;
