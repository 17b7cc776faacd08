//! What AWS asks for: a rate, how well it is known, whose figure it is and of which day.
//!
//! Rates are read from decimal text into 1e-10 USD, never through a float. Knows nothing of usage, of
//! minimum times or of bills.

use std::fmt;
use std::sync::LazyLock;

use super::figure::{Basis, Figure};
use super::table::{self, Cells};
use crate::base::money::{HOUR_NS, MONTH_NS};
use crate::base::{Percent, Price, Unit};

/// A price with its origin, so that a bill line can say where its rate comes from.
///
/// ```
/// use windtunnel::catalog::{Item, price};
/// let rate = price::rate(Item::PublicIpv4, "eu-west-1");
/// assert_eq!(rate.price.value.nanos10(), 50_000_000);
/// assert_eq!(rate.to_string(), "listed; infracost golden (3.65 USD per 730 h); 2026-08-21");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// The price and its basis.
    pub price: Figure<Price>,
    /// Whose figure it is; empty when nobody's.
    pub source: &'static str,
    /// The day or month of the figure; empty when not known.
    pub as_of: &'static str,
}

macro_rules! items {
    ($($(#[$doc:meta])* $item:ident = $service:literal $name:literal,)*) => {
        /// What is paid for beside instances and Fargate.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Item { $($(#[$doc])* $item,)* }

        impl Item {
            /// Every item.
            pub const ALL: &'static [Item] = &[$(Item::$item),*];

            /// The service and the name under which the price table has it.
            pub const fn key(self) -> (&'static str, &'static str) {
                match self { $(Item::$item => ($service, $name),)* }
            }
        }
    };
}

items! {
    /// EBS gp3, per GiB and month.
    Gp3Storage = "ebs" "gp3_storage",
    /// EBS gp3, each operation per second above 3,000, per month.
    Gp3Operations = "ebs" "gp3_iops_above_3000",
    /// EBS gp3, each MiB/s above 125, per month.
    Gp3Throughput = "ebs" "gp3_throughput_above_125",
    /// EBS gp2, per GiB and month.
    Gp2Storage = "ebs" "gp2_storage",
    /// EBS io1, per GiB and month.
    Io1Storage = "ebs" "io1_storage",
    /// EBS io1, each operation per second, per month.
    Io1Operations = "ebs" "io1_iops",
    /// EBS st1, per GiB and month.
    St1Storage = "ebs" "st1_storage",
    /// EBS sc1, per GiB and month.
    Sc1Storage = "ebs" "sc1_storage",
    /// An application load balancer, per hour.
    ApplicationBalancer = "elb" "alb_hour",
    /// A capacity unit of an application load balancer, per hour.
    ApplicationBalancerUnit = "elb" "alb_lcu_hour",
    /// A network load balancer, per hour.
    NetworkBalancer = "elb" "nlb_hour",
    /// A capacity unit of a network load balancer, per hour.
    NetworkBalancerUnit = "elb" "nlb_lcu_hour",
    /// A NAT gateway, per hour.
    NatGateway = "vpc" "nat_gateway_hour",
    /// Bytes through a NAT gateway, per GiB.
    NatGatewayData = "vpc" "nat_gateway_data",
    /// A public IPv4 address, per hour.
    PublicIpv4 = "vpc" "public_ipv4_hour",
    /// Bytes to another zone, per GiB and direction.
    CrossZone = "vpc" "cross_az_transfer_each_direction",
    /// Bytes to another region, per GiB.
    CrossRegion = "vpc" "cross_region_transfer",
    /// Bytes to the internet, the first 10 TB of a month, per GiB.
    InternetEgress = "vpc" "internet_egress_first_10tb",
    /// An interface endpoint in one zone, per hour.
    InterfaceEndpoint = "vpc" "interface_endpoint_hour",
    /// Bytes through an interface endpoint, per GiB.
    InterfaceEndpointData = "vpc" "interface_endpoint_data",
    /// Private images kept, per GiB and month.
    RegistryStorage = "ecr" "storage_private",
    /// Images pulled in the region, per GiB.
    RegistryPull = "ecr" "pull_same_region",
    /// Logs taken in, per GiB.
    LogsIngested = "cloudwatch" "logs_ingest",
    /// Logs kept, per GiB and month.
    LogsStorage = "cloudwatch" "logs_storage",
    /// A custom metric, per month.
    CustomMetric = "cloudwatch" "custom_metric_first_10000",
    /// A standard alarm on one metric, per month.
    Alarm = "cloudwatch" "alarm_standard",
    /// A machine of somebody else under ECS, per hour.
    EcsAnywhere = "ecs" "anywhere_instance_hour",
    /// An ECS cluster, per hour: free.
    EcsControlPlane = "ecs" "control_plane",
    /// An EKS cluster, per hour.
    EksControlPlane = "eks" "control_plane_standard",
    /// Credits beyond what a burstable x86 type earns, per vCPU-hour.
    SurplusCreditsX86 = "ec2" "t_unlimited_surplus_x86_linux",
    /// Credits beyond what a burstable ARM type earns, per vCPU-hour.
    SurplusCreditsArm = "ec2" "t_unlimited_surplus_arm_linux",
}

/// The rate of an item in a region. Where the region has no figure of its own, that of us-east-1 is taken
/// and said to be assumed.
pub fn rate(item: Item, region: &str) -> Rate {
    let key = item.key();
    let line =
        |region: &str| LINES.iter().find(|line| (line.service, line.item) == key && line.region == region);
    let own = line(region).or_else(|| line("*"));
    let (line, basis) = match own {
        Some(line) => (line, line.basis),
        None => (line("us-east-1").expect("us-east-1 has every item"), Basis::Assumed),
    };
    Rate { price: Figure { value: line.price(), basis }, source: line.source, as_of: line.as_of }
}

/// The fee of ECS Managed Instances as a share of the on-demand price of the type.
pub fn managed_instances_fee() -> Figure<Percent> {
    let key = ("ecs", "managed_instances_fee_fraction");
    let line = LINES.iter().find(|line| (line.service, line.item) == key).expect("the table has the fee");
    let percent = u32::try_from(line.nanos10 / PERCENT).expect("a share below one");
    Figure { value: Percent(percent), basis: line.basis }
}

/// Exact USD text as 1e-10 USD: `0.096` is 960,000,000. None for more places than ten, and for what is no
/// decimal number.
///
/// ```
/// use windtunnel::catalog::price::usd;
/// assert_eq!(usd("0.004445"), Some(44_450_000));
/// assert_eq!(usd("0.00000000001"), None);
/// ```
pub fn usd(text: &str) -> Option<i64> {
    table::decimal(text, 10)
}

const PERCENT: i64 = 100_000_000;

/// One row of the table.
struct Line {
    service: &'static str,
    item: &'static str,
    region: &'static str,
    unit: &'static str,
    nanos10: i64,
    basis: Basis,
    source: &'static str,
    as_of: &'static str,
}

static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let table = include_str!("../../data/other_prices.csv");
    table::rows(table, "service,item,region,unit,usd,basis,source,as_of")
        .map(|mut cells| read(&mut cells))
        .collect()
});

fn read(cells: &mut Cells) -> Line {
    Line {
        service: cells.text(),
        item: cells.text(),
        region: cells.text(),
        unit: cells.text(),
        nanos10: cells.optional_decimal(10).expect("a line has a price"),
        basis: cells.basis().expect("a line has a basis"),
        source: cells.text(),
        as_of: cells.text(),
    }
}

impl Line {
    fn price(&self) -> Price {
        const GIB: u128 = 1 << 30;
        let (per, unit) = match self.unit {
            "cluster-hour" => (HOUR_NS, Unit::ClusterNs),
            "hour" | "LCU-hour" | "NLCU-hour" | "endpoint-AZ-hour" => (HOUR_NS, Unit::ItemNs),
            "IOPS-month" | "MiBps-month" | "metric-month" | "alarm-metric-month" => (MONTH_NS, Unit::ItemNs),
            "instance-hour" => (HOUR_NS, Unit::InstanceNs),
            "address-hour" => (HOUR_NS, Unit::AddressNs),
            "vCPU-hour" => (Unit::CpuNs.steps_per_label(), Unit::CpuNs),
            "GB-month" => (GIB * MONTH_NS, Unit::ByteNs),
            "GB" => (GIB, Unit::Byte),
            other => panic!("{other} is no unit of an item"),
        };
        Price::new(self.nanos10, per, unit)
    }
}

/// Writes basis, source and date, whatever of them is known.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.price.basis.label())?;
        for part in [self.source, self.as_of].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "; {part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Usage;

    #[test]
    fn every_item_has_a_rate_everywhere() {
        for &item in Item::ALL {
            for region in crate::catalog::regions() {
                assert!(rate(item, region).price.value.nanos10() >= 0, "{item:?} in {region}");
            }
        }
    }

    /// Section 12.3: item, region, amount of its unit, what that comes to, basis.
    #[test]
    fn other_prices() {
        const GIB: u128 = 1 << 30;
        let rows = [
            (Item::Gp3Storage, "us-east-1", 100 * GIB * MONTH_NS, "8", Basis::Listed),
            (Item::Gp3Storage, "eu-central-1", 100 * GIB * MONTH_NS, "9.52", Basis::Listed),
            (Item::Gp3Storage, "il-central-1", 100 * GIB * MONTH_NS, "8", Basis::Assumed),
            (Item::Gp3Operations, "us-east-1", 1000 * MONTH_NS, "5", Basis::Listed),
            (Item::Gp3Throughput, "us-east-1", 100 * MONTH_NS, "4", Basis::Listed),
            (Item::ApplicationBalancer, "us-east-1", 730 * HOUR_NS, "16.425", Basis::Listed),
            (Item::ApplicationBalancer, "eu-west-1", HOUR_NS, "0.0252", Basis::Estimated),
            (Item::ApplicationBalancerUnit, "us-east-1", HOUR_NS, "0.008", Basis::Listed),
            (Item::ApplicationBalancerUnit, "eu-west-1", HOUR_NS, "0.008", Basis::Assumed),
            (Item::NetworkBalancerUnit, "us-east-1", HOUR_NS, "0.006", Basis::Listed),
            (Item::NatGateway, "us-east-1", HOUR_NS, "0.045", Basis::Listed),
            (Item::NatGatewayData, "us-east-1", 2 * GIB, "0.09", Basis::Listed),
            (Item::PublicIpv4, "us-east-1", HOUR_NS, "0.005", Basis::Listed),
            (Item::CrossZone, "us-east-1", 3 * GIB, "0.03", Basis::Listed),
            (Item::InternetEgress, "us-east-1", GIB, "0.09", Basis::Listed),
            (Item::InterfaceEndpoint, "us-east-1", HOUR_NS, "0.01", Basis::Assumed),
            (Item::RegistryStorage, "us-east-1", GIB * MONTH_NS, "0.1", Basis::Listed),
            (Item::RegistryPull, "us-east-1", GIB, "0", Basis::Assumed),
            (Item::LogsIngested, "us-east-1", GIB, "0.5", Basis::Listed),
            (Item::CustomMetric, "us-east-1", MONTH_NS, "0.3", Basis::Assumed),
            (Item::Alarm, "us-east-1", MONTH_NS, "0.1", Basis::Listed),
            (Item::EcsAnywhere, "us-east-1", HOUR_NS, "0.01025", Basis::Assumed),
        ];
        for (item, region, amount, comes_to, basis) in rows {
            let price = rate(item, region).price;
            let line = price.value.line(Usage { amount, unit: price.value.unit() });
            assert_eq!((line.to_string().as_str(), price.basis), (comes_to, basis), "{item:?} in {region}");
        }
        assert_eq!(managed_instances_fee(), Figure::listed(Percent(12)));
    }
}
