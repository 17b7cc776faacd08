//! Floor 2: physics. Machines, bytes, links and the life of processes, the same for every
//! orchestrator.
//!
//! The truth of a run: what agents ask for happens here and takes its time. **Absence:** knows
//! nothing of tasks, pods, services, placement or the record; hears an agent only through
//! [`base::runtime`](crate::base::runtime) and answers in the same words. Decides nothing.

pub mod ec2;
pub mod fargate;
pub mod host;
mod image_cache;
pub mod network;
pub mod probe;
pub mod registry;
pub mod settings;

pub use ec2::Ec2;
pub use fargate::Fargate;
pub use host::{Effects, Host, HostEvent, Hosts};
pub use network::Link;
pub use registry::{Image, Layer, Registry};
pub use settings::WorldSettings;
