//! Regions: their zones, which types each zone offers, and what a type costs on demand.
//!
//! A region is read when it is first asked for. Knows nothing of capacity: that a zone offers a type does
//! not mean that it has one left.

use std::sync::{LazyLock, OnceLock};

use super::figure::{Basis, Figure};
use super::instance::{InstanceType, instance_types};
use super::price::{Rate, usd};
use super::table;
use crate::base::{Price, Unit};

/// A region of AWS.
///
/// ```
/// use windtunnel::catalog;
/// let region = catalog::region("us-east-1").expect("it exists");
/// let large = catalog::instance_type("m5.large").expect("it exists");
/// assert_eq!(region.on_demand(large).expect("it is sold").price.value.nanos10(), 960_000_000);
/// let third = region.zone("us-east-1c").expect("it has one");
/// assert_eq!(third.id, "use1-az4");
/// assert!(region.offers(large, third.id));
/// ```
#[derive(Debug)]
pub struct Region {
    /// `eu-central-1`.
    pub name: &'static str,
    /// Its zones, by name.
    pub zones: Vec<Zone>,
    /// By position of the instance type.
    on_demand: Vec<Option<Listing>>,
    /// By position of the instance type: a bit for each zone number.
    offered: Vec<u16>,
}

/// A zone: one place under two names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone {
    /// `eu-central-1a`: differs between accounts.
    pub name: &'static str,
    /// `euc1-az1`: the same for every account.
    pub id: &'static str,
    /// How well it is known that the two belong together.
    pub basis: Basis,
}

#[derive(Clone, Copy, Debug)]
struct Listing {
    nanos10: i64,
    origin: Origin,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    PriceList,
    Karpenter,
    Ratio,
}

/// The names of all regions.
pub fn regions() -> impl Iterator<Item = &'static str> {
    SLOTS.iter().map(|slot| slot.name)
}

/// The region of this exact name.
///
/// ```
/// use windtunnel::catalog;
/// assert!(catalog::region("eu-central-1").is_some());
/// assert!(catalog::region("eu-center-1").is_none());
/// ```
pub fn region(name: &str) -> Option<&'static Region> {
    let slot = SLOTS.iter().find(|slot| slot.name == name)?;
    Some(slot.region.get_or_init(|| read(slot)))
}

impl Region {
    /// The zone of this name (`us-east-1a`) or of this id (`use1-az1`).
    pub fn zone(&self, name_or_id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == name_or_id || zone.id == name_or_id)
    }

    /// What an hour of a type costs on demand (Linux, shared tenancy), if it has a price here.
    pub fn on_demand(&self, instance_type: &InstanceType) -> Option<Rate> {
        self.on_demand[instance_type.position].map(Listing::rate)
    }

    /// Whether the zone of this id offers a type.
    pub fn offers(&self, instance_type: &InstanceType, zone_id: &str) -> bool {
        let zone = self.zones.iter().find(|zone| zone.id == zone_id);
        zone.is_some_and(|zone| self.offered[instance_type.position] & zone.bit() != 0)
    }

    /// The zones that offer a type.
    pub fn zones_of<'a>(&'a self, instance_type: &InstanceType) -> impl Iterator<Item = &'a Zone> {
        self.zones.iter().filter(move |zone| self.offers(instance_type, zone.id))
    }
}

impl Zone {
    fn bit(&self) -> u16 {
        zone_bit(*self.id.as_bytes().last().expect("an id ends in a digit"))
    }
}

impl Listing {
    fn rate(self) -> Rate {
        let price = Price::per_hour(self.nanos10, Unit::InstanceNs);
        let (basis, source, as_of) = match self.origin {
            Origin::PriceList => (Basis::Listed, "AWS Price List", "2026-02-07"),
            Origin::Karpenter => (Basis::Listed, "Karpenter's static table", "2026-07-20"),
            Origin::Ratio => {
                (Basis::Estimated, "us-east-1 times the regional ratio of the nearest family", "")
            }
        };
        Rate { price: Figure { value: price, basis }, source, as_of }
    }
}

/// A region that may not have been read yet.
struct Slot {
    name: &'static str,
    /// `us-east-1a=use1-az1`, separated by spaces.
    zones: &'static str,
    region: OnceLock<Region>,
}

static SLOTS: LazyLock<Vec<Slot>> = LazyLock::new(|| {
    table::rows(include_str!("../../data/regions.csv"), "region,zones")
        .map(|mut cells| Slot { name: cells.text(), zones: cells.text(), region: OnceLock::new() })
        .collect()
});

fn read(slot: &Slot) -> Region {
    let zone = |pair: &'static str| {
        let (name, id) = pair.split_once('=').expect("a zone is name, equals sign, id");
        Zone { name, id, basis: Basis::Assumed }
    };
    Region {
        name: slot.name,
        zones: slot.zones.split(' ').map(zone).collect(),
        on_demand: read_column(include_str!("../../data/prices.csv"), slot.name, read_listing),
        offered: read_column(include_str!("../../data/offerings.csv"), slot.name, read_zones),
    }
}

/// One value per instance type, in their order.
fn read_column<T>(table: &'static str, region: &str, read: fn(&str) -> T) -> Vec<T> {
    let cells = table::column(table, region).expect("every region has a column");
    let values: Vec<T> = cells
        .zip(instance_types())
        .map(|((name, cell), instance_type)| {
            assert_eq!(name, instance_type.name, "the tables have the same rows");
            read(cell)
        })
        .collect();
    assert_eq!(values.len(), instance_types().len(), "the tables have the same rows");
    values
}

/// `0.096L`: the price and where it comes from.
fn read_listing(cell: &str) -> Option<Listing> {
    let (price, letter) = cell.split_at_checked(cell.len().checked_sub(1)?)?;
    let origin = match letter {
        "L" => Origin::PriceList,
        "K" => Origin::Karpenter,
        "E" => Origin::Ratio,
        other => panic!("{other} is no origin of a price"),
    };
    Some(Listing { nanos10: usd(price).expect("a price has up to ten places"), origin })
}

/// `246`: the last digits of the zone ids.
fn read_zones(cell: &str) -> u16 {
    cell.bytes().map(zone_bit).fold(0, |bits, bit| bits | bit)
}

fn zone_bit(digit: u8) -> u16 {
    assert!(digit.is_ascii_digit(), "zone ids end in one digit");
    1 << (digit - b'0')
}

#[cfg(test)]
mod tests;
