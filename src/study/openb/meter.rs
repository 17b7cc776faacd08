//! What comes out of a run: how much was allocated, and how much of the rest is of no use.
//!
//! The published figures are means over all arrivals whose requests up to then round to the same percentage
//! of the capacity; each column is averaged on its own.

/// What a run came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// How many pods arrived.
    pub arrivals: usize,
    /// How many were placed.
    pub placed: usize,
    /// Thousandths of all devices.
    pub capacity_milli: i64,
    /// Thousandths that pods hold.
    pub allocated_milli: i64,
    /// How many devices hold something.
    pub devices_touched: usize,
    /// Thousandths that usual pods cannot use, rounded.
    pub fragmented_milli: i64,
    /// By what had arrived, ascending.
    pub points: Vec<Point>,
}

/// The means at one percentage.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    /// What had been requested, in percent of the capacity, rounded.
    pub arrived_percent: i64,
    /// What was allocated, in percent of the capacity.
    pub allocated: f64,
    /// What usual pods could not use, in percent of the capacity.
    pub fragmented: f64,
    /// The same in percent of what was not allocated.
    pub of_idle: f64,
}

impl Outcome {
    /// What is not allocated, in thousandths of a device.
    pub const fn idle_milli(&self) -> i64 {
        self.capacity_milli - self.allocated_milli
    }

    /// What is allocated, in hundredths of a percent of the capacity, rounded.
    ///
    /// ```
    /// use windtunnel::study::openb::Outcome;
    /// let outcome = Outcome { capacity_milli: 3_000, allocated_milli: 2_000, ..Outcome::default() };
    /// assert_eq!(outcome.allocated_basis_points(), 6_667);
    /// ```
    pub const fn allocated_basis_points(&self) -> i64 {
        rounded(10_000, self.allocated_milli, self.capacity_milli)
    }

    /// The means at a percentage, if a pod arrived there.
    pub fn at(&self, arrived_percent: i64) -> Option<&Point> {
        let place = self.points.binary_search_by_key(&arrived_percent, |point| point.arrived_percent).ok()?;
        Some(&self.points[place])
    }
}

/// Adds up what is seen after each arrival.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    capacity_milli: i64,
    requested_milli: i64,
    /// How many arrivals are in the last point, whose columns are sums so far.
    count: u32,
    points: Vec<Point>,
}

impl Meter {
    pub(super) const fn new(capacity_milli: i64) -> Self {
        Meter { capacity_milli, requested_milli: 0, count: 0, points: Vec::new() }
    }

    /// A pod arrived that asked for so much; so much is allocated and fragmented now.
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "means of shares are shares")]
    pub(super) fn arrived(&mut self, asked_milli: i64, allocated_milli: i64, fragmented: f64) {
        self.requested_milli += asked_milli;
        let arrived_percent = rounded(100, self.requested_milli, self.capacity_milli);
        if self.points.last().is_none_or(|point| point.arrived_percent != arrived_percent) {
            self.close();
            self.points.push(Point { arrived_percent, ..Point::default() });
        }
        let point = self.points.last_mut().expect("a point was begun");
        let (capacity, idle) = (self.capacity_milli as f64, (self.capacity_milli - allocated_milli) as f64);
        let percent = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
        self.count += 1;
        point.allocated += percent(allocated_milli as f64, capacity);
        point.fragmented += percent(fragmented, capacity);
        point.of_idle += percent(fragmented, idle);
    }

    /// The means of all points.
    pub(super) fn points(mut self) -> Vec<Point> {
        self.close();
        self.points
    }

    /// Makes means of the sums of the last point.
    #[expect(clippy::float_arithmetic, reason = "means of shares are shares")]
    fn close(&mut self) {
        let count = f64::from(std::mem::take(&mut self.count));
        if let Some(point) = self.points.last_mut() {
            for column in [&mut point.allocated, &mut point.fragmented, &mut point.of_idle] {
                *column /= count;
            }
        }
    }
}

/// A part of a whole, in units of `unit` for the whole, rounded half up; 0 of nothing.
const fn rounded(unit: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 { 0 } else { (2 * unit * part + whole) / (2 * whole) }
}
