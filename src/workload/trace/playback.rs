//! A trace as a run hears it: one arrival after another, in bounded memory.
//!
//! Rows of tasks arrive as they stand. Rows of requests become a task for each so many requests: evenly,
//! or as a Poisson process with the rate of the series. Knows nothing of what arrives.

use super::{Demand, Entry, Fault, FaultKind, Lifetime, Rows, Shape, Size, TraceSource};
use crate::base::{EntityKey, Purpose, Span};
use crate::engine::{Luck, Quantiles};

/// Requests are counted in thousandths, so that exponential amounts of few requests stay exact.
const PARTS: u64 = 1000;

/// How requests become tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pace {
    amounts: Quantiles,
}

/// Tasks of one size that arrive together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// When, counted from where the trace begins to be read.
    pub at: Span,
    /// How many.
    pub count: u32,
    /// How large each is.
    pub size: Size,
    /// How long each lasts.
    pub lifetime: Lifetime,
}

/// A trace that is being replayed.
#[derive(Debug)]
pub struct Playback {
    rows: Rows,
    pace: Pace,
    key: EntityKey,
    /// The hash that the trace must turn out to have.
    hash: String,
    /// The interval at hand, and how many parts of its requests have come.
    interval: Option<(Interval, u64)>,
    /// Parts of requests until the next task.
    due: u64,
    draws: u64,
}

#[derive(Clone, Copy, Debug)]
struct Interval {
    at: Span,
    during: Span,
    /// Parts of its requests; not zero.
    parts: u64,
}

impl Pace {
    /// A task after each `requests`.
    pub const fn even(requests: u64) -> Self {
        Pace { amounts: Quantiles::constant(requests.saturating_mul(PARTS)) }
    }

    /// Tasks independent of each other, one for each `requests` on average.
    #[expect(clippy::cast_precision_loss, reason = "the float island of lowering")]
    pub fn poisson(requests: u64) -> Self {
        Pace { amounts: Quantiles::exponential(requests.saturating_mul(PARTS) as f64) }
    }
}

impl Playback {
    /// Begins to replay a trace that a first pass found to have this hash.
    ///
    /// # Errors
    /// When it can no longer be opened.
    pub fn open(
        source: &dyn TraceSource,
        shape: &Shape,
        hash: &str,
        pace: &Pace,
        key: EntityKey,
    ) -> Result<Self, Fault> {
        Ok(Playback {
            rows: Rows::open(source, shape)?,
            pace: pace.clone(),
            key,
            hash: hash.to_owned(),
            interval: None,
            due: 0,
            draws: 0,
        })
    }

    /// The next arrival; none at the end.
    ///
    /// # Errors
    /// When the trace is no longer the one of the first pass.
    pub fn next_arrival(&mut self, luck: &Luck) -> Result<Option<Arrived>, Fault> {
        loop {
            if let Some(arrived) = self.next_of_interval(*luck) {
                return Ok(Some(arrived));
            }
            let Some(Entry { at, demand }) = self.next_row()? else { return Ok(None) };
            match demand {
                Demand::Tasks { count, size, lifetime } => {
                    return Ok(Some(Arrived { at, count, size, lifetime }));
                }
                Demand::Requests { count: 0, .. } => {}
                Demand::Requests { count, during } => {
                    let parts = count.saturating_mul(PARTS);
                    self.interval = Some((Interval { at, during, parts }, 0));
                }
            }
        }
    }

    fn next_row(&mut self) -> Result<Option<Entry>, Fault> {
        loop {
            match self.rows.next_row() {
                Ok(None) if self.rows.hash() != self.hash => {
                    let message = "is not what it was at the first look";
                    return Err(Fault::at(self.rows.line(), FaultKind::Broken, message));
                }
                // The first pass counted it, and whoever runs this allowed it.
                Err(fault) if fault.kind == FaultKind::Row => {}
                other => return other,
            }
        }
    }

    /// The next task of the interval at hand; none when the rest of its requests is too little.
    fn next_of_interval(&mut self, luck: Luck) -> Option<Arrived> {
        if self.draws == 0 {
            self.due = self.amount(luck);
        }
        let (interval, come) = self.interval?;
        let left = interval.parts - come;
        if self.due > left || come == interval.parts {
            self.due -= left;
            self.interval = None;
            return None;
        }
        let come = come + self.due;
        self.interval = Some((interval, come));
        self.due = self.amount(luck);
        Some(Arrived {
            at: interval.time(come),
            count: 1,
            size: Size::default(),
            lifetime: Lifetime::Unknown,
        })
    }

    fn amount(&mut self, luck: Luck) -> u64 {
        let (part, number) = (self.draws >> 32, self.draws & 0xffff_ffff);
        self.draws += 1;
        let number = u32::try_from(number).expect("32 bits");
        self.pace.amounts.value(luck.draw(Purpose::Arrival, self.key.part(part), number)).max(1)
    }
}

impl Interval {
    /// When so many parts have come; just before its end at the latest, since the next one begins there.
    fn time(&self, come: u64) -> Span {
        let nanos = u128::from(self.during.as_nanos()) * u128::from(come) / u128::from(self.parts);
        let nanos = u64::try_from(nanos).expect("a share of 64 bits");
        self.at + Span::from_nanos(nanos.min(self.during.as_nanos().saturating_sub(1)))
    }
}
