//! The openb fragmentation study: GPU sharing on 1,213 machines, and who leaves the fewest shreds.
//!
//! "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent" (Weng et
//! al., USENIX ATC 2023) published its traces, its orders of arrival and its results. Here the traces become
//! pods and nodes, the policies are score plugins over a column of devices ([`GpuShare`]), and the search
//! is that of [`scheduler::algorithm`](crate::control::kubernetes::scheduler::algorithm). The published
//! allocation of each run comes out again, by test.
//!
//! Start reading at [`run`]; [`plugin`] shows what a plugin with a column of its own looks like.

pub mod devices;
pub mod fragmentation;
pub mod meter;
pub mod plugin;
pub mod policy;
mod run;
pub mod trace;

pub use fragmentation::{Fragmentation, Typical, typical};
pub use meter::{Outcome, Point};
pub use plugin::GpuShare;
pub use policy::Policy;
pub use run::run;
pub use trace::{Invalid, Machine, Order, Shape, Trace};

#[cfg(test)]
mod tests;
