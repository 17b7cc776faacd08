//! One bottleneck, shared equally by whoever uses it: processor sharing in virtual time.
//!
//! Each flow ends at a fixed *mark*: what one flow would have received since the link exists. So a
//! start or an end moves no other flow, and one event per link is enough. Work is counted in
//! nano-bytes (bytes per second × nanoseconds), and what does not divide is carried on, so bytes are
//! conserved exactly. Knows nothing of hosts or images. Equal caps per flow fit into virtual time;
//! different caps, or a flow through two bottlenecks, do not: a rule elsewhere picks the bottleneck.

use std::collections::BTreeMap;

use crate::base::{Bandwidth, Bytes, Span, Timestamp};

/// Nano-bytes in a byte.
const NANO: u128 = 1_000_000_000;

/// A flow, by its mark and its place in the order of starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FlowKey {
    mark: u128,
    started: u64,
}

/// A link and the flows on it, each with a label `F` that says whose it is.
///
/// ```
/// use windtunnel::base::{Bandwidth, Bytes, Span, Timestamp};
/// use windtunnel::world::Link;
/// let start = Timestamp::from_nanos(0);
/// let mut link = Link::new(start, Bandwidth::per_second(10), None);
/// link.start(start, Bytes::new(10), 'a');
/// link.start(start, Bytes::new(20), 'b');
/// let mut ended = Vec::new();
/// assert_eq!(link.ends_at(), Some(start + Span::seconds(2)));
/// link.finish(start + Span::seconds(2), &mut ended);
/// assert_eq!(link.ends_at(), Some(start + Span::seconds(3)));
/// link.finish(start + Span::seconds(3), &mut ended);
/// assert_eq!(ended, ['a', 'b']);
/// ```
#[derive(Clone, Debug)]
pub struct Link<F> {
    capacity: Bandwidth,
    flow_cap: Option<Bandwidth>,
    at: Timestamp,
    /// What a flow that was always there would have received by `at`, in nano-bytes.
    progress: u128,
    /// Work done but not yet given to a flow: what does not divide, and what a flow that ended
    /// between two nanoseconds left over.
    carry: u128,
    flows: BTreeMap<FlowKey, F>,
    starts: u64,
    delivered: u128,
    unused: u128,
}

/// Where the capacity of a link went, in nano-bytes: the three sum to capacity × time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkUse {
    /// Received by flows, ended or not.
    pub delivered: u128,
    /// Received by nobody: the link was idle, or every flow was at its cap.
    pub unused: u128,
    /// Less than a nanosecond's work, still to be given.
    pub carried: u128,
}

impl<F> Link<F> {
    /// An idle link; `flow_cap` bounds every flow alike.
    pub const fn new(now: Timestamp, capacity: Bandwidth, flow_cap: Option<Bandwidth>) -> Self {
        Link {
            capacity,
            flow_cap,
            at: now,
            progress: 0,
            carry: 0,
            flows: BTreeMap::new(),
            starts: 0,
            delivered: 0,
            unused: 0,
        }
    }

    /// Starts a flow of this size; a negative one counts as empty.
    pub fn start(&mut self, now: Timestamp, size: Bytes, flow: F) -> FlowKey {
        self.advance(now);
        self.starts += 1;
        let size = u128::try_from(size.bytes()).unwrap_or(0);
        let key = FlowKey { mark: self.progress + size * NANO, started: self.starts };
        self.flows.insert(key, flow);
        key
    }

    /// Ends every flow that is complete, in order of completion, then of start.
    pub fn finish(&mut self, now: Timestamp, ended: &mut Vec<F>) {
        self.advance(now);
        while let Some(first) = self.flows.first_entry()
            && first.key().mark <= self.progress
        {
            let mark = first.key().mark;
            ended.push(first.remove());
            self.give_back(self.progress - mark);
        }
    }

    /// Stops a flow early; hands back the nano-bytes that it did not get, or nothing when it has
    /// ended before.
    pub fn cancel(&mut self, now: Timestamp, key: FlowKey) -> Option<u128> {
        self.advance(now);
        self.flows.remove(&key)?;
        self.give_back(self.progress.saturating_sub(key.mark));
        Some(key.mark.saturating_sub(self.progress))
    }

    /// When the next flow ends if none starts or stops before: the one event of this link.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        let (first, _) = self.flows.first_key_value()?;
        let left = first.mark.saturating_sub(self.progress);
        let shared = (left * self.flows.len() as u128).saturating_sub(self.carry);
        let shared = shared.div_ceil(u128::from(self.capacity.bytes()));
        let capped = self.flow_cap.map_or(0, |cap| left.div_ceil(u128::from(cap.bytes())));
        let wait = u64::try_from(shared.max(capped)).unwrap_or(u64::MAX);
        Some(self.at + Span::from_nanos(wait))
    }

    /// What the link can carry.
    #[must_use]
    pub const fn capacity(&self) -> Bandwidth {
        self.capacity
    }

    /// When the link was last touched: [`used`](Self::used) counts until then.
    #[must_use]
    pub const fn touched_at(&self) -> Timestamp {
        self.at
    }

    /// Where the capacity went so far.
    #[must_use]
    pub const fn used(&self) -> LinkUse {
        LinkUse { delivered: self.delivered, unused: self.unused, carried: self.carry }
    }

    /// Shares out what the link did since it was last touched.
    fn advance(&mut self, now: Timestamp) {
        let span = u128::from(now.since(self.at).as_nanos());
        self.at = now;
        let work = u128::from(self.capacity.bytes()) * span + self.carry;
        let flows = self.flows.len() as u128;
        if flows == 0 {
            self.unused += work;
            self.carry = 0;
            return;
        }
        let cap = self.flow_cap.map_or(u128::MAX, |cap| u128::from(cap.bytes()) * span);
        let each = (work / flows).min(cap);
        let rest = work - each * flows;
        let indivisible = rest < flows;
        self.carry = if indivisible { rest } else { 0 };
        self.unused += if indivisible { 0 } else { rest };
        self.progress += each;
        self.delivered += each * flows;
    }

    /// What a flow received beyond its end goes to those that remain.
    fn give_back(&mut self, over: u128) {
        self.delivered -= over;
        self.carry += over;
    }
}

#[cfg(test)]
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "the naive twin is a fluid in floats"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn balances(link: &Link<usize>, began: Timestamp) {
        let LinkUse { delivered, unused, carried } = link.used();
        let all = u128::from(link.capacity.bytes()) * u128::from(link.at.since(began).as_nanos());
        assert_eq!(delivered + unused + carried, all, "capacity × time");
    }

    /// The naive twin: every rate computed anew at each start and end. Flows are (start, bytes).
    fn fluid_f64(capacity: f64, cap: f64, flows: &[(u64, u64)]) -> Vec<f64> {
        let mut left: Vec<f64> = flows.iter().map(|flow| flow.1 as f64).collect();
        let mut ends = vec![f64::NAN; flows.len()];
        let (mut now, mut next, mut live) = (0.0, 0, Vec::<usize>::new());
        while next < flows.len() || !live.is_empty() {
            let rate = (capacity / live.len().max(1) as f64).min(cap) / 1e9;
            let end = live.iter().map(|&i| now + left[i].max(0.0) / rate).fold(f64::INFINITY, f64::min);
            let start = flows.get(next).map_or(f64::INFINITY, |flow| flow.0 as f64);
            let then = end.min(start);
            for &i in &live {
                left[i] -= rate * (then - now);
            }
            now = then;
            if start <= end {
                live.push(next);
                next += 1;
                continue;
            }
            live.iter().filter(|&&i| left[i] <= 1e-6).for_each(|&i| ends[i] = now);
            live.retain(|&i| left[i] > 1e-6);
        }
        ends
    }

    fn run(link: &mut Link<usize>, flows: &[(u64, u64)]) -> Vec<u64> {
        let mut ends = vec![0; flows.len()];
        let (mut next, mut ended) = (0, Vec::new());
        loop {
            let start = flows.get(next).map(|flow| at(flow.0));
            match (link.ends_at(), start) {
                (None, None) => return ends,
                (Some(end), start) if start.is_none_or(|start| end < start) => {
                    link.finish(end, &mut ended);
                    assert!(!ended.is_empty(), "a flow ends when the link says so");
                    ended.drain(..).for_each(|i| ends[i] = end.as_nanos());
                }
                (_, Some(start)) => {
                    let size = Bytes::new(i64::try_from(flows[next].1).unwrap());
                    link.start(start, size, next);
                    next += 1;
                }
                (Some(_), None) => unreachable!("the second arm takes it"),
            }
        }
    }

    /// Sizes over many magnitudes, and some that are alike.
    fn sizes() -> impl Strategy<Value = u64> {
        prop_oneof![Just(1 << 20), Just(0), (0..28_u32, any::<u64>()).prop_map(|(bits, n)| n % (2 << bits))]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn equals_a_fluid(
            capacity in 1..2_000_000_000_u64,
            cap in prop::option::of(1..2_000_000_000_u64),
            mut flows in prop::collection::vec((0..3_000_000_000_u64, sizes()), 1..60),
        ) {
            flows.sort_unstable();
            let mut link = Link::new(at(0), Bandwidth::per_second(capacity), cap.map(Bandwidth::per_second));
            let ends = run(&mut link, &flows);
            let twin = fluid_f64(capacity as f64, cap.map_or(f64::INFINITY, |cap| cap as f64), &flows);
            for (i, (&end, expected)) in ends.iter().zip(twin).enumerate() {
                let off = (end as f64 - expected).abs();
                prop_assert!(off < 2.0 + expected * 1e-9 + flows.len() as f64, "flow {i}: {end} or {expected}");
            }
            let sizes: u128 = flows.iter().map(|flow| u128::from(flow.1) * NANO).sum();
            prop_assert_eq!(link.used().delivered, sizes, "every nano-byte");
            balances(&link, at(0));
        }

        #[test]
        fn conserves_every_nano_byte_when_flows_are_cancelled(
            capacity in 1..3_000_000_000_u64,
            cap in prop::option::of(1..2_000_000_u64),
            steps in prop::collection::vec((0..30_000_000_u64, 0..4_u8, sizes(), any::<prop::sample::Index>()), 1..200),
        ) {
            let mut link = Link::new(at(7), Bandwidth::per_second(capacity), cap.map(Bandwidth::per_second));
            let (mut now, mut keys, mut ended, mut put, mut left) = (at(7), Vec::new(), Vec::new(), 0, 0);
            for (number, (gap, kind, size, which)) in steps.into_iter().enumerate() {
                now += Span::from_nanos(gap);
                match kind {
                    0 | 1 => {
                        put += u128::from(size) * NANO;
                        keys.push(link.start(now, Bytes::new(i64::try_from(size).unwrap()), number));
                    }
                    2 if !keys.is_empty() => {
                        let key = keys.swap_remove(which.index(keys.len()));
                        left += link.cancel(now, key).unwrap_or(0);
                        prop_assert_eq!(link.cancel(now, key), None, "it is gone");
                    }
                    _ => link.finish(now, &mut ended),
                }
                balances(&link, at(7));
            }
            while let Some(end) = link.ends_at() {
                link.finish(end, &mut ended);
            }
            prop_assert_eq!(link.used().delivered, put - left);
            balances(&link, at(7));
        }
    }

    #[test]
    fn sharing_is_equal() {
        // (capacity, cap, flows as (start, bytes)) -> when they end, in seconds
        let second = |s: u64| s * 1_000_000_000;
        let check = |capacity, cap: Option<u64>, flows: &[(u64, u64)], ends: &[u64]| {
            let mut link = Link::new(at(0), Bandwidth::per_second(capacity), cap.map(Bandwidth::per_second));
            let flows: Vec<_> = flows.iter().map(|&(start, bytes)| (second(start), bytes)).collect();
            let ends: Vec<_> = ends.iter().map(|&end| second(end)).collect();
            assert_eq!(run(&mut link, &flows), ends);
        };
        check(10, None, &[(0, 100)], &[10]);
        check(10, None, &[(0, 100), (0, 100)], &[20, 20]);
        check(10, None, &[(0, 100), (4, 30)], &[13, 10]);
        check(10, Some(5), &[(0, 100)], &[20]);
        check(10, Some(5), &[(0, 20), (0, 30), (0, 30)], &[6, 8, 8]);
        check(10, Some(2), &[(0, 20), (0, 30), (0, 30)], &[10, 15, 15]);
        check(10, None, &[(3, 0)], &[3]);
    }

    #[test]
    fn what_a_flow_leaves_over_goes_to_the_others_at_once() {
        // Ten bytes a nanosecond: both flows are complete in the first one.
        let mut link = Link::new(at(0), Bandwidth::per_second(10_000_000_000), None);
        link.start(at(0), Bytes::new(2), 'a');
        link.start(at(0), Bytes::new(8), 'b');
        let mut ended = Vec::new();
        while let Some(end) = link.ends_at() {
            assert_eq!(end, at(1));
            link.finish(end, &mut ended);
        }
        assert_eq!(ended, ['a', 'b']);
    }

    #[test]
    fn what_takes_for_ever_is_never() {
        let mut link = Link::new(at(5), Bandwidth::per_second(0), None);
        link.start(at(5), Bytes::new(i64::MAX), 0);
        assert_eq!(link.ends_at(), Some(Timestamp::NEVER));
    }
}
