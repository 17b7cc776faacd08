//! How long one run of the openb study takes through the frame of plugins, in CPU time.
//!
//! A line is `name value unit ratio`, the ratio being the value over its bar, and whether the bar is
//! met. Arguments choose figures by a part of their name.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/figure.rs"]
mod figure;

#[path = "shared/cpu.rs"]
mod cpu;

use std::fs::File;
use std::io::BufReader;

use flate2::bufread::GzDecoder;
use windtunnel::study::openb::{Order, Policy, Trace, run};

/// CPU time of one run, in milliseconds, at most.
const BAR_MS: u64 = 300;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for name in ["default", "gpuspec33"] {
        let trace =
            Trace::read(open("machines.csv.gz"), open(&format!("pods_{name}.csv.gz"))).expect("a trace");
        let order = Order::read(open(&format!("orders/{name}_42.csv.gz")), &trace).expect("an order");
        for policy in Policy::ALL {
            let figure = format!("openb_{name}_{}", policy.name());
            if wanted.is_empty() || wanted.iter().any(|word| figure.contains(word.as_str())) {
                let milliseconds = (0..3).map(|_| milliseconds(&trace, &order, policy)).min();
                figure::print_at_most(&figure, milliseconds.expect("three runs"), "ms/run", BAR_MS);
            }
        }
    }
}

fn milliseconds(trace: &Trace, order: &Order, policy: Policy) -> u64 {
    let before = cpu::spent();
    assert!(run(trace, order, policy, 42).placed > 0);
    let spent = cpu::spent().checked_sub(before).expect("CPU time rises");
    u64::try_from(spent.as_millis()).expect("seconds at most")
}

fn open(name: &str) -> GzDecoder<BufReader<File>> {
    let path = format!("{}/scenarios/openb-fgd/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    GzDecoder::new(BufReader::new(file))
}
