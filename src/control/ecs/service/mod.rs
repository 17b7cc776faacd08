//! The service scheduler: REPLICA services with one deployment, kept at their count (section 5).
//!
//! Start reading at [`Plan`], which says how many tasks start and stop; the rest finds out the counts,
//! carries the plan out, and holds it back where a rate or a failure asks for it. One look at one
//! service is one unit of work, and does not walk over the tasks of the service unless some of them
//! must be chosen to stop. Knows nothing of rolling deployments, load balancers or capacity providers.

mod looks;
mod notices;
mod pace;
mod plan;
mod settings;
mod tally;
mod upkeep;
mod vacancies;

pub use notices::Notice;
pub use pace::{Retry, Throttle};
pub use plan::{Bounds, Counts, Plan};
pub use settings::{LaunchRate, RetryCurve, SchedulerSettings, ThrottleCurve};
pub use tally::{Patience, Standing, Tally};
pub use vacancies::Vacancies;

pub(super) use looks::Looks;
pub(super) use upkeep::Upkeep;
