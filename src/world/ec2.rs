//! EC2 machines come and go: the calls are throttled, and each stage takes its time.
//!
//! Gives the times of a launch all at once; what the driver does with them is its business. Knows
//! nothing of instance types, prices or lack of capacity, and nothing of what registers.

use super::registry::happens;
use super::settings::{ApiLimits, Ec2Settings, MILLION};
use crate::base::{EntityKey, Purpose, Span, Timestamp, TokenBucket};
use crate::engine::{Luck, Quantiles};
use crate::mark;

/// The EC2 API of one account and region.
///
/// ```
/// use windtunnel::base::{EntityKey, Span, Timestamp};
/// use windtunnel::engine::{Luck, Quantiles};
/// use windtunnel::world::ec2::{Ec2, LaunchRequest, Outcome};
/// use windtunnel::world::WorldSettings;
/// let mut settings = WorldSettings::instant().ec2;
/// settings.launch_to_registered = Quantiles::constant(Span::seconds(42).as_nanos());
/// let mut ec2 = Ec2::new(Luck::new(1), settings);
/// let now = Timestamp::from_nanos(0);
/// let machines = [EntityKey::new("instance", "pool", 0)];
/// let pool = EntityKey::new("pool", "pool", 0);
/// let request = LaunchRequest { pool, n: 0, machines: &machines, user_data: Span::seconds(3) };
/// let launch = ec2.launch(now, request).unwrap()[0];
/// assert_eq!(launch.outcome, Outcome::Registers(now + Span::seconds(45)));
/// ```
#[derive(Clone, Debug)]
pub struct Ec2 {
    luck: Luck,
    settings: Ec2Settings,
    run_instances: Limiter,
    terminate_instances: Limiter,
}

/// One `RunInstances` call for machines of one pool in one zone.
#[derive(Clone, Copy, Debug)]
pub struct LaunchRequest<'a> {
    /// The pool's name for draws.
    pub pool: EntityKey,
    /// How many calls the pool made before.
    pub n: u32,
    /// The name of each machine for draws.
    pub machines: &'a [EntityKey],
    /// How long the user data runs; the agent waits for it.
    pub user_data: Span,
}

/// What becomes of one machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Launch {
    /// The call was answered; the machine exists and is pending.
    pub accepted: Timestamp,
    /// It is seen to be running, or to have failed.
    pub running: Timestamp,
    /// What it does then.
    pub outcome: Outcome,
}

/// How a launch ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The machine registers with its orchestrator, never before it runs.
    Registers(Timestamp),
    /// It never runs: from pending it goes to terminated.
    Fails,
}

/// A machine to terminate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaving {
    /// Its name for draws.
    pub machine: EntityKey,
    /// Whether it has accelerators, which makes it slow.
    pub accelerated: bool,
}

/// `RequestLimitExceeded`: nothing was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Throttled {
    /// The first time at which the same call can pass; never, if it asks for more than the burst.
    pub until: Timestamp,
}

/// A bucket of requests and one of instances; a call needs both.
#[derive(Clone, Copy, Debug)]
struct Limiter {
    requests: TokenBucket,
    resources: TokenBucket,
}

impl Ec2 {
    /// The API with full buckets.
    pub fn new(luck: Luck, settings: Ec2Settings) -> Self {
        let run_instances = Limiter::new(settings.run_instances);
        let terminate_instances = Limiter::new(settings.terminate_instances);
        Ec2 { luck, settings, run_instances, terminate_instances }
    }

    /// Launches machines, all or none; one launch per machine, in order.
    ///
    /// # Errors
    /// When a bucket has too few tokens.
    pub fn launch(&mut self, now: Timestamp, request: LaunchRequest<'_>) -> Result<Vec<Launch>, Throttled> {
        mark!("9.3/RunInstances");
        self.run_instances.take(now, request.machines.len())?;
        let call = self.draw(&self.settings.launch_call, Purpose::LaunchCall, request.pool, request.n);
        let accepted = now + call;
        let machine = |&machine| self.launch_one(accepted, machine, request.user_data);
        Ok(request.machines.iter().map(machine).collect())
    }

    /// Terminates machines, all or none; says when each is gone, in order.
    ///
    /// # Errors
    /// When a bucket has too few tokens.
    pub fn terminate(&mut self, now: Timestamp, machines: &[Leaving]) -> Result<Vec<Timestamp>, Throttled> {
        mark!("9.3/TerminateInstances");
        self.terminate_instances.take(now, machines.len())?;
        let gone = |leaving: &Leaving| {
            let settings = &self.settings;
            let takes =
                if leaving.accelerated { &settings.terminate_accelerated } else { &settings.terminate };
            now + self.draw(takes, Purpose::Terminate, leaving.machine, 0)
        };
        Ok(machines.iter().map(gone).collect())
    }

    fn launch_one(&self, accepted: Timestamp, machine: EntityKey, user_data: Span) -> Launch {
        let settings = &self.settings;
        let factor = settings.host_factor.value(self.luck.draw(Purpose::HostFactor, machine, 0));
        let stage = |takes, purpose| slowed(self.draw(takes, purpose, machine, 0), factor);
        let running = accepted + stage(&settings.pending_to_running, Purpose::LaunchVisible);
        if happens(settings.launch_failure, self.luck.draw(Purpose::LaunchFailure, machine, 0)) {
            return Launch { accepted, running, outcome: Outcome::Fails };
        }
        let registered = accepted + stage(&settings.launch_to_registered, Purpose::LaunchRegistered);
        let registered = (registered + user_data).max(running);
        Launch { accepted, running, outcome: Outcome::Registers(registered) }
    }

    fn draw(&self, takes: &Quantiles, purpose: Purpose, key: EntityKey, n: u32) -> Span {
        Span::from_nanos(takes.value(self.luck.draw(purpose, key, n)))
    }
}

impl Limiter {
    fn new(limits: ApiLimits) -> Self {
        Limiter {
            requests: TokenBucket::new(limits.request_burst, limits.request_refill),
            resources: TokenBucket::new(limits.resource_burst, limits.resource_refill),
        }
    }

    fn take(&mut self, now: Timestamp, machines: usize) -> Result<(), Throttled> {
        let machines = machines as u64;
        let until = self.requests.next_free(now, 1).max(self.resources.next_free(now, machines));
        if until > now {
            return Err(Throttled { until });
        }
        let taken = (self.requests.take(now, 1), self.resources.take(now, machines));
        assert_eq!(taken, (Ok(()), Ok(())), "both were free");
        Ok(())
    }
}

/// `span` times a factor in parts per million.
fn slowed(span: Span, factor: u64) -> Span {
    let nanos = u128::from(span.as_nanos()) * u128::from(factor) / u128::from(MILLION);
    Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Refill;
    use crate::base::mark::must_reach;
    use crate::world::WorldSettings;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn seconds(seconds: u64) -> Quantiles {
        Quantiles::constant(Span::seconds(seconds).as_nanos())
    }

    fn machines(count: u64) -> Vec<EntityKey> {
        (0..count).map(|n| EntityKey::new("instance", "pool", n)).collect()
    }

    fn request(machines: &[EntityKey]) -> LaunchRequest<'_> {
        LaunchRequest { pool: EntityKey::new("pool", "pool", 0), n: 0, machines, user_data: Span::ZERO }
    }

    /// The defaults of limits 9.3.
    fn limits(request: [u64; 2], resource: [u64; 2]) -> ApiLimits {
        ApiLimits {
            request_burst: request[0],
            request_refill: Refill::per_second(request[1]),
            resource_burst: resource[0],
            resource_refill: Refill::per_second(resource[1]),
        }
    }

    #[test]
    fn stages_add_up() {
        // (call, pending to running, launch to registered, factor, user data) -> the three times
        let rows = [
            (0, 0, 0, 1_000_000, 0, [0, 0, 0]),
            (2, 6, 42, 1_000_000, 0, [2, 8, 44]),
            (2, 6, 42, 1_500_000, 0, [2, 11, 65]),
            (2, 6, 42, 1_500_000, 9, [2, 11, 74]),
            (2, 60, 42, 1_000_000, 0, [2, 62, 62]),
            (2, 60, 42, 1_000_000, 30, [2, 62, 74]),
        ];
        for (call, visible, total, factor, user_data, times) in rows {
            let mut settings = WorldSettings::instant().ec2;
            settings.launch_call = seconds(call);
            settings.pending_to_running = seconds(visible);
            settings.launch_to_registered = seconds(total);
            settings.host_factor = Quantiles::constant(factor);
            let mut ec2 = Ec2::new(Luck::new(1), settings);
            let user_data = Span::seconds(user_data);
            let launch = ec2.launch(at(0), LaunchRequest { user_data, ..request(&machines(1)) }).unwrap()[0];
            let [accepted, running, registered] = times.map(at);
            assert_eq!(launch, Launch { accepted, running, outcome: Outcome::Registers(registered) });
        }
    }

    #[test]
    fn calls_are_throttled_by_requests_and_by_machines() {
        let mut settings = WorldSettings::instant().ec2;
        settings.run_instances = limits([5, 2], [1000, 2]);
        settings.terminate_instances = limits([100, 5], [1000, 20]);
        let ec2 = Ec2::new(Luck::new(1), settings);
        // Calls of so many machines at second 0; then one more of so many: free again when?
        let launches = |calls: &[u64], then: u64| {
            let mut ec2 = ec2.clone();
            for &count in calls {
                assert!(ec2.launch(at(0), request(&machines(count))).is_ok());
            }
            ec2.launch(at(0), request(&machines(then))).map(|launches| launches.len())
        };
        let until = |nanos| Err(Throttled { until: Timestamp::from_nanos(nanos) });
        must_reach(&["9.3/RunInstances"], || {
            assert_eq!(launches(&[1; 4], 1), Ok(1));
            assert_eq!(launches(&[1; 5], 1), until(500_000_000));
            assert_eq!(launches(&[500, 500], 1), until(500_000_000));
            assert_eq!(launches(&[1000], 100), until(50_000_000_000));
            assert_eq!(launches(&[], 1001), Err(Throttled { until: Timestamp::NEVER }));
        });
        must_reach(&["9.3/TerminateInstances"], || {
            let mut ec2 = ec2.clone();
            let leaving = machines(100).into_iter().map(|machine| Leaving { machine, accelerated: false });
            let leaving: Vec<_> = leaving.collect();
            (0..10).for_each(|_| assert_eq!(ec2.terminate(at(0), &leaving).map(|gone| gone.len()), Ok(100)));
            assert_eq!(ec2.terminate(at(0), &leaving), Err(Throttled { until: at(5) }));
        });
    }

    #[test]
    fn a_refused_call_takes_nothing() {
        let mut settings = WorldSettings::instant().ec2;
        settings.run_instances = limits([1, 1], [10, 1]);
        let mut ec2 = Ec2::new(Luck::new(1), settings);
        assert!(ec2.launch(at(0), request(&machines(11))).is_err());
        assert!(ec2.launch(at(0), request(&machines(10))).is_ok());
    }

    #[test]
    fn accelerators_leave_slowly() {
        let mut settings = WorldSettings::instant().ec2;
        settings.terminate = seconds(45);
        settings.terminate_accelerated = seconds(300);
        let mut ec2 = Ec2::new(Luck::new(1), settings);
        let leaving = [false, true].map(|accelerated| Leaving { machine: machines(1)[0], accelerated });
        assert_eq!(ec2.terminate(at(1), &leaving), Ok(vec![at(46), at(301)]));
    }

    #[test]
    fn draws_belong_to_the_machine() {
        let mut settings = WorldSettings::instant().ec2;
        settings.pending_to_running = Quantiles::lognormal(1.7918, 0.35, 1e9);
        settings.launch_to_registered = Quantiles::lognormal(3.7377, 0.22, 1e9);
        settings.host_factor = Quantiles::lognormal(0.0, 0.10, 1e6);
        settings.launch_failure = 300_000;
        let mut ec2 = Ec2::new(Luck::new(7), settings);
        let all = ec2.launch(at(0), request(&machines(1000))).unwrap();
        let some = ec2.launch(at(0), request(&machines(1000)[990..])).unwrap();
        assert_eq!(all[990..], some);
        let failed = all.iter().filter(|launch| launch.outcome == Outcome::Fails).count();
        assert!((250..350).contains(&failed), "{failed} of 1000 failed");
        for launch in &all {
            assert!(launch.accepted <= launch.running);
            if let Outcome::Registers(registered) = launch.outcome {
                assert!(launch.running <= registered);
            }
        }
    }
}
