//! Rules of memory and density, and rows of the catalogue.

use super::*;
use crate::base::mark::must_reach;
use crate::base::money::HOUR_NS;
use crate::base::{Price, Unit, Usage};

fn known(name: &str) -> &'static InstanceType {
    instance_type(name).unwrap_or_else(|| panic!("{name} exists"))
}

/// Type, what ECS registers in MiB, what the kubelet reports in KiB, how well each is known.
#[test]
fn visible_memory_follows_the_rule() {
    use Basis::{Estimated, Listed};
    let rows = [
        // Measured under ECS; under EKS by the sweep, or by nobody else.
        ("m4.large", 7985, 8_116_652, Listed),
        ("c5.large", 3705, 3_751_260, Listed),
        ("c4.xlarge", 7482, 7_600_556, Listed),
        ("t3a.medium", 3896, 3_947_856, Listed),
        ("t2.micro", 993, 968_336, Listed),
        ("t3.nano", 459, 433_500, Listed),
        // Measured under EKS only; ECS takes it too.
        ("m5.large", 7633, 7_816_532, Listed),
        // Not measured: one row per line of the fit.
        ("c8g.metal-24xl", 192_901, 197_531_028, Estimated),
        ("c8i.metal-48xl", 386_603, 395_881_663, Estimated),
        ("p3.2xlarge", 61_266, 62_736_796, Listed),
        ("m8g.large", 7772, 7_959_196, Estimated),
        ("m8a.large", 7733, 7_919_422, Estimated),
        ("m8i.large", 7780, 7_967_041, Estimated),
        ("t8i.micro", 920, 942_415, Estimated),
    ];
    for (name, mib, kib, basis) in rows {
        let ecs = must_reach(&["CI-12"], || known(name).visible_memory(Orchestrator::Ecs));
        let eks = known(name).visible_memory(Orchestrator::Eks);
        assert_eq!(ecs, Figure { value: Bytes::mib(mib), basis }, "{name} under ECS");
        assert_eq!(eks, Figure { value: Bytes::kib(kib), basis }, "{name} under EKS");
    }
}

/// One row per line of the fit, measured or not: type, fitted KiB.
#[test]
fn the_fit_has_seven_lines() {
    let rows = [
        ("c8g.metal-24xl", 197_531_028),
        ("c8i.metal-48xl", 395_881_663),
        ("m4.large", 8_174_495),
        ("t3.micro", 942_415),
        ("t4g.micro", 942_415),
        ("m8g.large", 7_959_196),
        ("m6a.large", 7_919_422),
        ("m8a.large", 7_919_422),
        ("m5a.large", 7_967_041),
        ("m8i.large", 7_967_041),
    ];
    for (name, kib) in rows {
        assert_eq!(known(name).fitted_kib(), kib, "{name}");
    }
}

#[test]
fn both_orchestrators_see_the_same_memory_where_there_is_one_point() {
    for instance_type in instance_types() {
        let [ecs, eks] = [Orchestrator::Ecs, Orchestrator::Eks].map(|who| instance_type.visible_memory(who));
        assert!(ecs.value > Bytes::ZERO, "{}", instance_type.name);
        if instance_type.visible.ecs.is_none() {
            assert_eq!(ecs.value.mib_down(), eks.value.mib_down(), "{}", instance_type.name);
        }
    }
}

/// The fit against every measured point: the table of residuals, in percent of the advertised memory.
#[test]
fn the_fit_is_near_the_measured_points() {
    let residuals = |instance_type: &InstanceType| {
        let measured = instance_type.visible.eks?;
        let difference = (instance_type.fitted_kib() - measured).abs();
        Some(difference * 10_000 / (instance_type.advertised.bytes() / 1024))
    };
    let mut residuals: Vec<i64> = instance_types().iter().filter_map(residuals).collect();
    residuals.sort_unstable();
    let share = |percent: usize| residuals[residuals.len() * percent / 100];
    assert!(share(50) <= 15 && share(90) <= 90 && residuals[residuals.len() - 1] <= 500);
}

#[test]
fn registration_keeps_the_reserve_back() {
    let registered = |reserved| {
        known("m4.large").registered_memory(Bytes::mib(reserved)).map(|left| left.value.mib_down())
    };
    let rows = [(0, Some(7985)), (256, Some(7729)), (7985, Some(0)), (7986, None)];
    for (reserved, left) in rows {
        assert_eq!(must_reach(&["CI-11"], || registered(reserved)), left, "{reserved}");
    }
}

#[test]
fn all_cpu_is_offered() {
    assert_eq!(must_reach(&["CI-13"], || known("m7i.4xlarge").cpu().ecs_units_down()), 16_384);
}

/// Type, tasks without and with trunking. The data wins where the specification differs.
#[test]
fn awsvpc_density() {
    let rows = [
        ("m6g.medium", 1, 4),
        ("a1.medium", 1, 10),
        ("m5.large", 2, 10),
        ("m5.xlarge", 3, 20),
        ("m5.2xlarge", 3, 40),
        ("m5.4xlarge", 7, 60),
        ("m5.8xlarge", 7, 60),
        ("m6g.8xlarge", 7, 60),
        ("m6i.8xlarge", 7, 90),
        ("c5.9xlarge", 7, 60),
        ("m5.12xlarge", 7, 60),
        ("m5.24xlarge", 14, 120),
        ("m7i.large", 2, 10),
        ("m7i.xlarge", 3, 20),
        ("m7i.2xlarge", 3, 40),
        ("m7i.4xlarge", 7, 60),
        ("m7i.8xlarge", 7, 90),
        ("m7i.12xlarge", 7, 120),
        ("m7i.48xlarge", 14, 120),
        ("m8i.8xlarge", 9, 90),
        ("m8i.12xlarge", 11, 120),
        ("m8i.24xlarge", 15, 120),
        ("m8i.32xlarge", 23, 120),
        ("m9g.12xlarge", 11, 60),
        ("m8gn.24xlarge", 23, 120),
        ("m7i-flex.large", 2, 4),
        ("m7i-flex.4xlarge", 7, 40),
        ("m6in.32xlarge", 13, 120),
        ("x2iedn.xlarge", 3, 13),
        ("i4i.32xlarge", 14, 498),
        ("g5.xlarge", 3, 6),
        ("g5.48xlarge", 6, 120),
        ("g4ad.16xlarge", 7, 12),
        ("p4d.24xlarge", 59, 120),
        ("trn1n.32xlarge", 79, 242),
        ("hpc6a.48xlarge", 1, 120),
    ];
    for (name, without, with) in rows {
        let tasks = |trunking| known(name).awsvpc_tasks(trunking).value;
        assert_eq!(tasks(false), without, "{name}");
        assert_eq!(must_reach(&["EN-01"], || tasks(true)), with, "{name} with trunking");
    }
    for (name, tasks) in [("t3.large", 2), ("i3.large", 2), ("t8i.micro", 1), ("t8i.medium", 2)] {
        let trunking = must_reach(&["EN-04"], || known(name).awsvpc_tasks(true));
        assert_eq!((trunking, known(name).trunks()), (Figure::listed(tasks), false), "{name}");
    }
    assert_eq!(known("m5.large").awsvpc_tasks(true).basis, Basis::Listed);
    assert_eq!(known("m7i.large").awsvpc_tasks(true).basis, Basis::Estimated);
}

#[test]
fn one_interface_is_the_primary() {
    let rows = [("m5.large", 2, false, 3), ("m5.large", 10, true, 2), ("t3.large", 2, true, 3)];
    for (name, tasks, trunking, enis) in rows {
        assert_eq!(must_reach(&["EN-02"], || known(name).enis_in_use(tasks, trunking)), enis, "{name}");
    }
    let exceeding = |found: &&InstanceType| found.awsvpc_tasks + 1 > found.max_enis;
    assert_eq!(instance_types().iter().find(exceeding).map(|found| found.name), None);
}

#[test]
fn rows_of_the_catalogue() {
    let large = known("m7i.large");
    assert_eq!((large.vcpus, large.advertised, large.max_enis), (2, Bytes::gib(8), 3));
    assert_eq!((large.arch, large.hypervisor), (Arch::X86_64, Hypervisor::Nitro));
    assert_eq!((large.network_baseline.bytes(), large.network_burst.bytes()), (97_625_000, 1_562_500_000));
    assert!(large.current_generation && !large.burstable && !large.bare_metal && large.gpu.is_none());
    assert_eq!((known("t3.micro").burstable, known("t3.micro").cpu_baseline), (true, Some(1000)));
    assert_eq!(
        (known("c4.xlarge").hypervisor, known("m5.metal").hypervisor),
        (Hypervisor::Xen, Hypervisor::None)
    );
    let part = known("g6f.large");
    let model = Gpu { thousandths: 125, model: "NVIDIA L4", memory: Some(Bytes::mib(2861)) };
    assert_eq!((part.gpus(), part.gpu), (1, Some(model)));
    assert_eq!((known("g5.48xlarge").gpus(), large.gpus()), (8, 0));
    assert_eq!(instance_types().len(), 1404);
    assert!(instance_type("M5.large").is_none() && instance_type("").is_none());
}

/// Section 14.9: m5.large for 45 s is billed for 60.
#[test]
fn money_vector_of_an_instance() {
    let region = crate::catalog::region("us-east-1").expect("it exists");
    let price: Price = region.on_demand(known("m5.large")).expect("it is sold").price.value;
    let line = price.line(Usage { amount: HOUR_NS / 60, unit: Unit::InstanceNs });
    assert_eq!(line.to_string(), "0.0016");
}
