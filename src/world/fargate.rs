//! Fargate admits launches at its own pace, prepares each micro-VM, and takes it back.
//!
//! Gives the time at which the agent of a micro-VM starts to work; from then on it is a
//! [host](super::host). Knows nothing of quotas (control counts vCPUs), sizes, images or prices.

use super::registry::happens;
use super::settings::FargateSettings;
use crate::base::{EntityKey, Purpose, Refill, Span, Timestamp, TokenBucket};
use crate::engine::Luck;
use crate::mark;

/// Fargate in one account and region.
///
/// ```
/// use windtunnel::base::{EntityKey, Span, Timestamp};
/// use windtunnel::engine::{Luck, Quantiles};
/// use windtunnel::world::fargate::{Fargate, Market};
/// use windtunnel::world::WorldSettings;
/// let mut settings = WorldSettings::instant().fargate;
/// settings.prepare = Quantiles::constant(Span::seconds(18).as_nanos());
/// let mut fargate = Fargate::new(Luck::new(1), settings);
/// let now = Timestamp::from_nanos(0);
/// let launch = fargate.launch(now, EntityKey::new("task", "web", 0), Market::OnDemand);
/// assert_eq!((launch.admitted, launch.agent_starts), (now, now + Span::seconds(18)));
/// ```
#[derive(Clone, Debug)]
pub struct Fargate {
    luck: Luck,
    settings: FargateSettings,
    on_demand: TokenBucket,
    spot: TokenBucket,
}

/// What a task is billed as; each has a bucket of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Market {
    /// FARGATE.
    OnDemand,
    /// `FARGATE_SPOT`.
    Spot,
}

/// The stages of one launch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FargateLaunch {
    /// Its turn has come.
    pub admitted: Timestamp,
    /// The micro-VM with its network interface is there, and its agent starts to work.
    pub agent_starts: Timestamp,
}

impl Fargate {
    /// Fargate with full buckets.
    pub fn new(luck: Luck, settings: FargateSettings) -> Self {
        let Refill { tokens, per } = settings.launch_refill.at(settings.launch_efficiency);
        let bucket = TokenBucket::new(settings.launch_burst, Refill { tokens, per });
        Fargate { luck, settings, on_demand: bucket, spot: bucket }
    }

    /// Launches a task: first come, first served. A task that is stopped while it waits for its turn
    /// does not give the turn to another.
    pub fn launch(&mut self, now: Timestamp, task: EntityKey, market: Market) -> FargateLaunch {
        mark!("QT-02");
        let bucket = match market {
            Market::OnDemand => &mut self.on_demand,
            Market::Spot => &mut self.spot,
        };
        let admitted = bucket.reserve(now, 1);
        let prepared = admitted + self.prepare(task);
        FargateLaunch { admitted, agent_starts: prepared + self.extra(task) }
    }

    /// When a task is gone whose last container exited at `exited`.
    #[must_use]
    pub fn gone_at(&self, exited: Timestamp) -> Timestamp {
        exited + self.settings.deprovision
    }

    fn prepare(&self, task: EntityKey) -> Span {
        mark!("FG-02");
        let draw = self.luck.draw(Purpose::FargatePrepare, task, 0);
        Span::from_nanos(self.settings.prepare.value(draw))
    }

    fn extra(&self, task: EntityKey) -> Span {
        if !happens(self.settings.straggler, self.luck.draw(Purpose::Straggler, task, 0)) {
            return Span::ZERO;
        }
        let draw = self.luck.draw(Purpose::StragglerExtra, task, 0);
        Span::from_nanos(self.settings.straggler_extra.value(draw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Percent;
    use crate::base::mark::must_reach;
    use crate::engine::Quantiles;
    use crate::world::WorldSettings;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn task(n: u64) -> EntityKey {
        EntityKey::new("task", "web", n)
    }

    /// Burst 100 and 20/s at 90 %, as in a large region.
    fn large_region() -> FargateSettings {
        let mut settings = WorldSettings::instant().fargate;
        settings.launch_burst = 100;
        settings.launch_refill = Refill::per_second(20);
        settings.launch_efficiency = Percent(90);
        settings
    }

    #[test]
    fn launches_are_admitted_in_turn() {
        // The so-manieth task asked for at 0 -> when it is admitted: 18 a second after the burst.
        let rows = [(0, 0), (99, 0), (117, 1000), (135, 2000), (999, 50_000), (2_999, 161_112)];
        must_reach(&["QT-02"], || {
            let mut fargate = Fargate::new(Luck::new(1), large_region());
            let admitted: Vec<_> =
                (0..3000).map(|n| fargate.launch(at(0), task(n), Market::OnDemand).admitted).collect();
            assert!(admitted.is_sorted());
            for (n, millis) in rows {
                assert!(admitted[n].saturating_since(at(millis)) < Span::millis(1), "{n}: {:?}", admitted[n]);
                assert!(at(millis).saturating_since(admitted[n]) < Span::millis(1), "{n}: {:?}", admitted[n]);
            }
            let later = fargate.launch(at(1000), task(0), Market::OnDemand).admitted;
            assert!(later > admitted[2999], "who comes later waits behind the others");
            assert_eq!(fargate.launch(at(0), task(0), Market::Spot).admitted, at(0), "spot has its own");
        });
    }

    #[test]
    fn preparation_and_straggling_add_up() {
        let second = |s| Quantiles::constant(Span::seconds(s).as_nanos());
        for (straggler, millis) in [(0, 18_000), (1_000_000, 118_000)] {
            let mut settings = large_region();
            (settings.prepare, settings.straggler_extra) = (second(18), second(100));
            settings.straggler = straggler;
            settings.deprovision = Span::seconds(10);
            let mut fargate = Fargate::new(Luck::new(1), settings);
            let launch = must_reach(&["FG-02"], || fargate.launch(at(0), task(0), Market::Spot));
            assert_eq!(launch, FargateLaunch { admitted: at(0), agent_starts: at(millis) });
            assert_eq!(fargate.gone_at(at(5000)), at(15_000));
        }
    }

    #[test]
    fn stragglers_are_as_rare_as_set() {
        let mut settings = WorldSettings::instant().fargate;
        settings.straggler = 30_000;
        settings.straggler_extra = Quantiles::constant(1);
        let mut fargate = Fargate::new(Luck::new(1), settings);
        let is_late = |n| {
            let launch = fargate.launch(at(0), task(n), Market::OnDemand);
            launch.agent_starts > launch.admitted
        };
        let stragglers = (0..10_000).map(is_late).filter(|&it| it).count();
        assert!((240..360).contains(&stragglers), "{stragglers} of 10,000");
    }

    #[test]
    fn no_burst_means_never() {
        let mut settings = WorldSettings::instant().fargate;
        settings.launch_burst = 0;
        let launch = Fargate::new(Luck::new(1), settings).launch(at(0), task(0), Market::OnDemand);
        assert_eq!(launch.agent_starts, Timestamp::NEVER);
    }
}
