//! Section 12.2, zones and offerings.

use super::*;
use crate::catalog::instance_type;

fn us_east_1() -> &'static Region {
    region("us-east-1").expect("it exists")
}

const SIZES: [&str; 8] =
    ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"];

/// Section 12.2: family, then USD per hour of each of [`SIZES`].
const ON_DEMAND: &str = "
    t3 0.0832 0.1664 0.3328 - - - - -
    t4g 0.0672 0.1344 0.2688 - - - - -
    m5 0.096 0.192 0.384 0.768 1.536 2.304 3.072 4.608
    m5a 0.086 0.172 0.344 0.688 1.376 2.064 2.752 4.128
    m6i 0.096 0.192 0.384 0.768 1.536 2.304 3.072 4.608
    m6a 0.0864 0.1728 0.3456 0.6912 1.3824 2.0736 2.7648 4.1472
    m6g 0.077 0.154 0.308 0.616 1.232 1.848 2.464 -
    m7i-flex 0.09576 0.19152 0.38304 0.76608 1.53216 2.29824 3.06432 -
    m7i 0.1008 0.2016 0.4032 0.8064 1.6128 2.4192 3.2256 4.8384
    m7a 0.11592 0.23184 0.46368 0.92736 1.85472 2.78208 3.70944 5.56416
    m7g 0.0816 0.1632 0.3264 0.6528 1.3056 1.9584 2.6112 -
    m8i 0.10584 0.21168 0.42336 0.84672 1.69344 2.54016 3.38688 5.08032
    m8g 0.08976 0.17952 0.35904 0.71808 1.43616 2.15424 2.87232 4.30848
    c5 0.085 0.17 0.34 0.68 - 2.04 - 4.08
    c6i 0.085 0.17 0.34 0.68 1.36 2.04 2.72 4.08
    c6a 0.0765 0.153 0.306 0.612 1.224 1.836 2.448 3.672
    c6g 0.068 0.136 0.272 0.544 1.088 1.632 2.176 -
    c7i 0.08925 0.1785 0.357 0.714 1.428 2.142 2.856 4.284
    c7a 0.10264 0.20528 0.41056 0.82112 1.64224 2.46336 3.28448 4.92672
    c7g 0.0725 0.145 0.29 0.58 1.16 1.74 2.32 -
    c8i 0.09371 0.18742 0.37484 0.74968 1.49936 2.24904 2.99872 4.49808
    c8g 0.07976 0.15952 0.31904 0.63808 1.27616 1.91424 2.55232 3.82848
    r5 0.126 0.252 0.504 1.008 2.016 3.024 4.032 6.048
    r6i 0.126 0.252 0.504 1.008 2.016 3.024 4.032 6.048
    r6g 0.1008 0.2016 0.4032 0.8064 1.6128 2.4192 3.2256 -
    r7i 0.1323 0.2646 0.5292 1.0584 2.1168 3.1752 4.2336 6.3504
    r7a 0.15215 0.3043 0.6086 1.2172 2.4344 3.6516 4.8688 7.3032
    r7g 0.1071 0.2142 0.4284 0.8568 1.7136 2.5704 3.4272 -
    r8g 0.11782 0.23564 0.47128 0.94256 1.88512 2.82768 3.77024 5.65536
";

fn check_listed(name: &str, dollars: &str) {
    let rate = us_east_1().on_demand(instance_type(name).expect(name)).expect(name);
    assert_eq!(Some(rate.price.value.nanos10()), usd(dollars), "{name}");
    assert_eq!(rate.to_string(), "listed; AWS Price List; 2026-02-07", "{name}");
}

#[test]
fn on_demand_prices_of_section_12_2() {
    for row in ON_DEMAND.lines().filter(|row| !row.is_empty()) {
        let (family, prices) = row.trim().split_once(' ').expect("a family and its prices");
        for (size, dollars) in SIZES.iter().zip(prices.split(' ')).filter(|(_, dollars)| *dollars != "-") {
            check_listed(&format!("{family}.{size}"), dollars);
        }
    }
    let others = [
        ("t3.micro", "0.0104"),
        ("t3.small", "0.0208"),
        ("t3.medium", "0.0416"),
        ("t4g.micro", "0.0084"),
        ("t4g.small", "0.0168"),
        ("t4g.medium", "0.0336"),
        ("g4dn.xlarge", "0.526"),
        ("g5.xlarge", "1.006"),
        ("g6.xlarge", "0.8048"),
        ("p4d.24xlarge", "21.957642"),
    ];
    for (name, dollars) in others {
        check_listed(name, dollars);
    }
}

#[test]
fn prices_keep_their_basis() {
    let of = |region_name: &str, name: &str| {
        let region = region(region_name).expect(region_name);
        region.on_demand(instance_type(name).expect(name)).map(|rate| rate.price.basis)
    };
    let count = |basis| {
        let prices = instance_types().iter().filter_map(|known| us_east_1().on_demand(known));
        prices.filter(|rate| rate.price.basis == basis).count()
    };
    assert_eq!(of("eu-central-1", "m5.large"), Some(Basis::Listed));
    assert_eq!(of("us-east-1", "mac2.metal"), None);
    assert_eq!((count(Basis::Listed), count(Basis::Estimated)), (1349, 0));
}

/// Region, name of a zone, its id.
#[test]
fn zones_have_two_names() {
    let rows = [
        ("us-east-1", "us-east-1a", Some("use1-az1")),
        ("us-east-1", "us-east-1b", Some("use1-az2")),
        ("us-east-1", "us-east-1c", Some("use1-az4")),
        ("us-east-1", "us-east-1d", Some("use1-az5")),
        ("us-east-1", "us-east-1e", Some("use1-az6")),
        ("us-east-1", "us-east-1f", Some("use1-az3")),
        ("us-east-1", "us-east-1g", None),
        ("us-west-1", "us-west-1b", None),
        ("us-west-1", "us-west-1c", Some("usw1-az3")),
        ("ca-central-1", "ca-central-1d", Some("cac1-az4")),
        ("eu-central-1", "eu-central-1c", Some("euc1-az3")),
    ];
    for (region_name, name, id) in rows {
        let known = region(region_name).expect(region_name);
        assert_eq!(known.zone(name).map(|zone| zone.id), id, "{name}");
        let back = id.and_then(|id| known.zone(id));
        assert_eq!(back.map(|zone| zone.name), id.map(|_| name), "{name}");
        assert!(back.is_none_or(|zone| zone.basis == Basis::Assumed));
    }
    assert_eq!(regions().count(), 28);
}

#[test]
fn offers_are_by_zone_id() {
    let old = instance_type("a1.large").expect("it exists");
    let rows = [
        ("use1-az1", false),
        ("use1-az2", true),
        ("use1-az4", true),
        ("use1-az6", true),
        ("use1-az", false),
        ("use1-az22", false),
        ("use2-az2", false),
        ("us-east-1b", false),
        ("", false),
    ];
    for (zone_id, expected) in rows {
        assert_eq!(us_east_1().offers(old, zone_id), expected, "{zone_id}");
    }
    let names: Vec<&str> = us_east_1().zones_of(old).map(|zone| zone.name).collect();
    assert_eq!(names, ["us-east-1b", "us-east-1c", "us-east-1e"]);
}

#[test]
fn every_region_can_be_read() {
    for name in regions() {
        let region = region(name).expect(name);
        assert!(instance_types().iter().any(|known| region.on_demand(known).is_some()), "{name}");
        assert!(region.zones.iter().all(|zone| zone.name.starts_with(name)), "{name}");
    }
    assert!(region("us-est-1").is_none());
}
