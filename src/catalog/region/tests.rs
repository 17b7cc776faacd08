//! Section 12.2, zones and offerings.

use super::*;
use crate::catalog::instance_type;

fn us_east_1() -> &'static Region {
    region("us-east-1").expect("it exists")
}

/// Family, size, USD per hour as listed in section 12.2.
#[test]
fn on_demand_prices() {
    let rows = [
        ("t3.micro", "0.0104"),
        ("t3.large", "0.0832"),
        ("t4g.medium", "0.0336"),
        ("t4g.2xlarge", "0.2688"),
        ("m5.large", "0.096"),
        ("m5.24xlarge", "4.608"),
        ("m5a.xlarge", "0.172"),
        ("m6i.4xlarge", "0.768"),
        ("m6a.large", "0.0864"),
        ("m6g.16xlarge", "2.464"),
        ("m7i-flex.large", "0.09576"),
        ("m7i.large", "0.1008"),
        ("m7a.24xlarge", "5.56416"),
        ("m7g.8xlarge", "1.3056"),
        ("m8i.large", "0.10584"),
        ("m8g.12xlarge", "2.15424"),
        ("c5.large", "0.085"),
        ("c6i.2xlarge", "0.34"),
        ("c6a.large", "0.0765"),
        ("c6g.xlarge", "0.136"),
        ("c7i.large", "0.08925"),
        ("c7a.large", "0.10264"),
        ("c7g.large", "0.0725"),
        ("c8i.24xlarge", "4.49808"),
        ("c8g.large", "0.07976"),
        ("r5.large", "0.126"),
        ("r6i.12xlarge", "3.024"),
        ("r6g.large", "0.1008"),
        ("r7i.large", "0.1323"),
        ("r7a.16xlarge", "4.8688"),
        ("r7g.large", "0.1071"),
        ("r8g.24xlarge", "5.65536"),
        ("g4dn.xlarge", "0.526"),
        ("g5.xlarge", "1.006"),
        ("g6.xlarge", "0.8048"),
        ("p4d.24xlarge", "21.957642"),
    ];
    for (name, dollars) in rows {
        let rate = us_east_1().on_demand(instance_type(name).expect(name)).expect(name);
        assert_eq!(Some(rate.price.value.nanos10()), usd(dollars), "{name}");
        assert_eq!(rate.to_string(), "listed; AWS Price List; 2026-02-07", "{name}");
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
