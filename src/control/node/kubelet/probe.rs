//! How a kubelet asks whether a container is ready, in the words of its host.
//! Upstream: kubernetes 1.36.3 `pkg/kubelet/prober`, worker and manager.

use crate::base::Span;
use crate::base::runtime::{HealthCheck, Rhythm};
use crate::control::kubernetes::objects::ReadinessProbe;
use crate::mark;

/// The check that a host makes for a readiness probe. Probes go at a beat that begins when the container
/// is seen to run; those within the initial delay are left out.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::base::runtime::Rhythm;
/// use windtunnel::control::kubernetes::objects::ReadinessProbe;
/// use windtunnel::control::node::kubelet::readiness_check;
/// let [initial_delay, period, timeout] = [15, 10, 1].map(Span::seconds);
/// let probe = ReadinessProbe { initial_delay, period, timeout, successes: 1, failures: 3 };
/// assert_eq!(readiness_check(&probe).rhythm, Rhythm::Beat { first: Span::seconds(20) });
/// ```
pub fn readiness_check(probe: &ReadinessProbe) -> HealthCheck {
    let period = probe.period.max(Span::from_nanos(1));
    mark!("K 3.10 the first probe is at the first beat that the initial delay leaves");
    let beats = probe.initial_delay.as_nanos().div_ceil(period.as_nanos());
    HealthCheck {
        rhythm: Rhythm::Beat { first: Span::from_nanos(period.as_nanos().saturating_mul(beats)) },
        interval: period,
        timeout: probe.timeout,
        retries: probe.failures,
        successes: probe.successes,
        start_period: Span::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mark::must_reach;

    #[test]
    fn the_first_probe_keeps_the_beat() {
        for (delay, period, first) in [(0, 10, 0), (1, 10, 10), (10, 10, 10), (11, 10, 20), (30, 7, 35)] {
            let [initial_delay, period, first] = [delay, period, first].map(Span::seconds);
            let timeout = Span::SECOND;
            let probe = ReadinessProbe { initial_delay, period, timeout, successes: 2, failures: 4 };
            let rule = "K 3.10 the first probe is at the first beat that the initial delay leaves";
            let check = must_reach(&[rule], || readiness_check(&probe));
            assert_eq!((check.rhythm, check.interval), (Rhythm::Beat { first }, period));
            assert_eq!((check.successes, check.retries), (2, 4));
        }
    }
}
