//! How long the tables take that one run needs, from nothing: they are read on first use.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "shared/cpu.rs"]
mod cpu;
#[path = "shared/figure.rs"]
mod figure;
#[path = "shared/first_flight.rs"]
mod first_flight;

use std::hint::black_box;

use windtunnel::catalog::fargate::{self, Platform};
use windtunnel::catalog::{self, Item, Orchestrator, price};

fn main() {
    let before = cpu::spent();
    first_use();
    print("catalog_first_use", before, 20_000);
    let before = cpu::spent();
    let plans = first_flight::plans();
    print("lower_first_flight", before, 50_000);
    black_box(plans);
}

fn print(name: &str, before: std::time::Duration, bar: u64) {
    std::thread::yield_now();
    let spent = cpu::spent().checked_sub(before).expect("CPU time rises");
    figure::print_at_most(name, u64::try_from(spent.as_micros()).expect("seconds at most"), "us", bar);
}

/// One look into each table that a run of `first-flight` reads.
fn first_use() {
    let region = catalog::region("us-east-1").expect("a region");
    let xlarge = catalog::instance_type("m7i.xlarge").expect("a type");
    black_box((region.on_demand(xlarge), xlarge.visible_memory(Orchestrator::Ecs)));
    black_box(fargate::rates("us-east-1", Platform::LinuxX86_64));
    black_box((price::rate(Item::Gp3Storage, "us-east-1"), price::rate(Item::PublicIpv4, "us-east-1")));
    black_box(catalog::setting("ecs.task.awsvpc_extra"));
}
