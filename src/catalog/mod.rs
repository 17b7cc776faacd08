//! Floor 1: AWS facts as data. Instance types, regions, prices, Fargate sizes, limits, calibrated settings.
//!
//! The tables are files of the `data` folder, embedded and read on first use, a region only when it is
//! asked for. Every figure says whether its source states it, whether it was computed, or whether nobody
//! confirmed it. Knows nothing of tasks, simulations or files; what a scenario overrides, the caller applies.

pub mod fargate;
pub mod figure;
pub mod instance;
pub mod limits;
pub mod price;
pub mod region;
mod search;
pub mod settings;
mod table;

pub use figure::{Basis, Figure};
pub use instance::{Arch, Hypervisor, InstanceType, Orchestrator, instance_type, instance_types};
pub use price::{Item, Rate};
pub use region::{Region, Zone, region, regions};
pub use search::{Filter, nearest_instance_type, nearest_region, search};
pub use settings::{Distribution, Setting, setting};
