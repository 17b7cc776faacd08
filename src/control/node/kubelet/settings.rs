//! What an operator can set on a kubelet, with the values of Amazon EKS.
//!
//! A wait that would let the kubelet turn on the spot is raised here, so that nobody else has to ask.
//! How long a pull or a start takes is the host's.

use crate::base::Span;

use super::backoff::Backoff;

/// The settings of one kubelet; the default is that of an EKS node of Amazon Linux 2023 (K 3.10, K 4.3).
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::control::node::kubelet::KubeletSettings;
/// let hasty = KubeletSettings { retry: Span::ZERO, ..KubeletSettings::default() };
/// assert_eq!(hasty.in_force().retry, Span::SECOND);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KubeletSettings {
    /// Pulls per second: `registryPullQPS`; zero is no limit.
    pub pull_rate: u64,
    /// Pulls at once: `registryBurst`.
    pub pull_burst: u64,
    /// Pulls under way at once: 1 is `serializeImagePulls`, more is `maxParallelImagePulls`, zero is no
    /// limit. EKS sets `serializeImagePulls: false`.
    pub parallel_pulls: u32,
    /// After a failed pull of an image for a pod (K 3.10).
    pub pull_backoff: Backoff,
    /// After the exit of a container that is started again (K 3.10).
    pub crash_backoff: Backoff,
    /// From a sync that failed to the next, where no back-off says another time; below 1 s becomes 1 s.
    /// Ten seconds in the kubelet's source.
    pub retry: Span,
    /// No wait for a sync is longer: `syncFrequency`; below 1 s becomes 1 s.
    pub sync_frequency: Span,
    /// Up to this share of such a wait is added, in percent. Half in the kubelet's source.
    pub retry_jitter_percent: u64,
    /// Between two looks at which containers run; below 1 ms becomes 1 ms. One second in the kubelet's
    /// source.
    pub relist: Span,
    /// Between two looks at which syncs are due; below 1 ms becomes 1 ms. One second in the kubelet's
    /// source.
    pub tick: Span,
    /// No container gets less to stop. Two seconds in the kubelet's source.
    pub grace_min: Span,
}

impl Default for KubeletSettings {
    fn default() -> Self {
        KubeletSettings {
            pull_rate: 5,
            pull_burst: 10,
            parallel_pulls: 0,
            pull_backoff: Backoff { first: Span::seconds(10), longest: Span::seconds(300) },
            crash_backoff: Backoff { first: Span::seconds(10), longest: Span::seconds(300) },
            retry: Span::seconds(10),
            sync_frequency: Span::minutes(1),
            retry_jitter_percent: 50,
            relist: Span::SECOND,
            tick: Span::SECOND,
            grace_min: Span::seconds(2),
        }
    }
}

impl KubeletSettings {
    /// The settings that hold.
    #[must_use]
    pub fn in_force(self) -> Self {
        KubeletSettings {
            retry: self.retry.max(Span::SECOND),
            sync_frequency: self.sync_frequency.max(Span::SECOND),
            relist: self.relist.max(Span::millis(1)),
            tick: self.tick.max(Span::millis(1)),
            ..self
        }
    }
}
