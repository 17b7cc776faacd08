//! The scenarios under `scenarios/calibration` reproduce what was measured, within the tolerance that
//! the measurement has in the specification: means over five seeds.

#![expect(clippy::float_arithmetic, reason = "means and tolerances of a test")]

use std::fs;
use std::path::Path;
use std::rc::Rc;

use windtunnel::base::Timestamp;
use windtunnel::scenario::{Scenario, Source, Sources, lower, read};
use windtunnel::sim::{Fact, Observer, Plan, run};

const SEEDS: u64 = 5;

/// When tasks reached RUNNING, in seconds since the start of the run.
#[derive(Default)]
struct Starts(Vec<f64>);

impl Observer for Starts {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a run of an hour")]
    fn fact(&mut self, plan: &Plan, at: Timestamp, fact: &Fact<'_>) {
        if let Fact::Started(_) = fact {
            self.0.push(at.since(plan.start).as_nanos() as f64 / 1e9);
        }
    }
}

/// The starts of a scenario, seed by seed.
fn starts(name: &str) -> Vec<Starts> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/calibration").join(name);
    let mut sources = Sources::default();
    let bytes = |file: &str| fs::read(folder.join(file)).expect("a file of the scenario");
    let text = sources.add("scenario.yaml", bytes("scenario.yaml"));
    let requests: [Rc<Source>; 1] = [sources.add("services.json", bytes("requests/services.json"))];
    let (scenario, found) = read::<Scenario>(&text);
    assert!(found.is_empty(), "{found:?}");
    let (plan, found) = lower(&scenario.expect("without mistakes"), "fargate", &requests);
    assert!(found.is_empty(), "{found:?}");
    let plan = plan.expect("without mistakes");
    let runs = (1..=SEEDS).map(|seed| {
        let mut starts = Starts::default();
        run(&plan, seed, &mut starts);
        starts
    });
    runs.collect()
}

/// The mean over the seeds of when the `nth` task ran.
#[expect(clippy::cast_precision_loss, reason = "a few seeds")]
fn when(starts: &[Starts], nth: usize) -> f64 {
    starts.iter().map(|starts| starts.0[nth - 1]).sum::<f64>() / starts.len() as f64
}

/// The mean over the seeds of how many tasks had started by then, counted from a clock's zero.
#[expect(clippy::cast_precision_loss, reason = "a few thousand tasks")]
fn started_by(starts: &[Starts], zero: Clock, minutes: f64) -> f64 {
    let count = |starts: &Starts| {
        let zero = match zero {
            Clock::Request => 0.0,
            Clock::FirstStart => starts.0[0],
        };
        starts.0.iter().filter(|&&at| at <= zero + minutes * 60.0).count()
    };
    starts.iter().map(count).sum::<usize>() as f64 / starts.len() as f64
}

/// From when minutes are counted.
#[derive(Clone, Copy)]
enum Clock {
    Request,
    FirstStart,
}

fn near(found: f64, measured: f64, percent: f64, what: &str) {
    let off = (found / measured - 1.0) * 100.0;
    assert!(off.abs() <= percent, "{what}: {found:.1}, and {measured} was measured ({off:+.1} %)");
}

/// The launch quota of 2022: 1,000 tasks in 108 s, 3,000 in 216 s, and a tail.
#[test]
fn v3_five_services_on_fargate() {
    let starts = starts("v3");
    near(when(&starts, 1000), 108.0, 15.0, "1,000 tasks");
    near(when(&starts, 3000), 216.0, 15.0, "3,000 tasks");
    let slope = (started_by(&starts, Clock::Request, 3.5) - started_by(&starts, Clock::Request, 1.0)) / 150.0;
    assert!((16.5..=20.0).contains(&slope), "{slope:.2} tasks a second from 60 to 210 s");
    let (most, all) = (when(&starts, 3395), when(&starts, 3500));
    assert!(all >= 1.4 * most, "the last 3 % end at {all:.0} s, the others at {most:.0} s");
}

/// The launch quota of 2020: a straight line of about 55 tasks a minute. The measured line goes through
/// its origin, so its clock began with the first tasks and not with the request.
#[test]
fn v1_an_old_launch_quota() {
    let starts = starts("v1");
    let measured = [(10.0, 558.0), (30.0, 1691.0), (50.0, 2795.0)];
    for (minutes, count) in measured {
        near(started_by(&starts, Clock::FirstStart, minutes), count, 10.0, &format!("{minutes} minutes"));
    }
    let slope =
        (started_by(&starts, Clock::Request, 50.0) - started_by(&starts, Clock::Request, 10.0)) / 40.0;
    assert!((50.0..=60.0).contains(&slope), "{slope:.1} tasks a minute");
}
