//! Which shops are connected, how, and which products are tied together.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{LocationId, ShopDomain, VariantId};
use crate::money::Currency;
use crate::order::Order;

/// A store that was registered, and what it said of itself when it was connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    pub domain: ShopDomain,
    pub registered_at: Timestamp,
    /// `None` until it was connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<ShopFacts>,
    /// It does not let us in: its work waits until it is connected again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    #[serde(default)]
    pub settings: ShopSettings,
}

/// How a shop is treated, whoever it is connected with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopSettings {
    /// How far back a backfill may reach.
    pub plan: Plan,
    /// Whether what was shipped of its own orders is kept as shipments. Off by default: between connected shops it
    /// costs a call for each shipment that the writeback has shown already.
    pub tracking_sync: bool,
}

/// A label of a shop. It decides nothing but how far back a backfill may reach. Source: the brief.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// The last seven days.
    #[default]
    Free,
    /// As far back as the shop shows its orders.
    Paid,
}

impl Shop {
    /// A shop that was just registered.
    #[must_use]
    pub fn registered(domain: ShopDomain, now: Timestamp) -> Self {
        Self { domain, registered_at: now, facts: None, paused: None, settings: ShopSettings::default() }
    }

    /// Whether it shows us orders of any age, not just of the last 60 days. Source: Shopify, "read_all_orders".
    #[must_use]
    pub fn reads_all_orders(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.scopes.iter().any(|scope| scope == "read_all_orders"))
    }
}

/// Since when a shop does not let us in, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    pub since: Timestamp,
    pub message: String,
}

/// What a shop says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopFacts {
    pub name: String,
    pub currency: Currency,
    /// IANA name, e.g. `Europe/Berlin`.
    pub time_zone: String,
    pub contact_email: Option<String>,
    /// A store on a development plan may create five orders a minute.
    pub development: bool,
    /// How many points its rate limit restores in a second. Source: `throttleStatus.restoreRate`.
    #[serde(default = "least_points_per_second")]
    pub points_per_second: u32,
    pub scopes: Vec<String>,
    pub locations: Vec<Location>,
    pub connected_at: Timestamp,
}

impl ShopFacts {
    /// What the smallest plan restores. Source: shopify.dev, "GraphQL Admin API rate limits".
    pub const LEAST_POINTS_PER_SECOND: u32 = 100;
}

fn least_points_per_second() -> u32 {
    ShopFacts::LEAST_POINTS_PER_SECOND
}

/// A place that goods are sent from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub id: LocationId,
    pub name: String,
    pub active: bool,
}

/// One destination shop and one source shop, with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub destination: ShopDomain,
    pub source: ShopDomain,
    /// Each push records the version it was made under.
    #[serde(default)]
    pub settings_version: u64,
    #[serde(default)]
    pub settings: ConnectionSettings,
}

/// How a connection behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionSettings {
    /// Push paid orders without being asked. Off by default: a merchant pushes by hand.
    pub auto_push: bool,
    /// When that was switched on: older orders wait for a person. `None`: all go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_push_since: Option<Timestamp>,
    /// Let the destination shop mail the customer when tracking is first written. On by default.
    pub notify_customer: bool,
    /// The price a source line gets.
    pub unit_price: UnitPrice,
    /// How long an order rests before it is pushed without being asked for, in seconds. 0 by default.
    pub grace_secs: u32,
    /// Push what is left of an order of which a part was refunded. Off by default.
    pub allow_partially_refunded: bool,
    /// What becomes of a shipment that has no tracking number yet.
    pub without_tracking: WithoutTracking,
    /// Replace a number that the destination shows when the label was made again. On by default; off for
    /// a destination whose own rules forbid it.
    pub overwrite_tracking: bool,
    /// Of a shipment that no longer fits its order, show the part that does; the rest stays parked. Off by
    /// default: nothing is written in part.
    pub split_ok: bool,
}

impl ConnectionSettings {
    /// Whether `order` goes without being asked for.
    #[must_use]
    pub fn pushes_by_itself(&self, order: &Order) -> bool {
        self.auto_push && self.auto_push_since.is_none_or(|since| order.created_at >= since)
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            auto_push: false,
            auto_push_since: None,
            notify_customer: true,
            unit_price: UnitPrice::Source,
            grace_secs: 0,
            allow_partially_refunded: false,
            without_tracking: WithoutTracking::Wait,
            overwrite_tracking: true,
            split_ok: false,
        }
    }
}

/// Which unit price the source order's lines carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitPrice {
    /// The source variant's own.
    Source,
    /// The destination line's, before discounts. Refused where the currencies differ.
    Destination,
}

/// What becomes of a shipment without a tracking number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutTracking {
    /// It waits for its number, a day at most; then a person is called.
    Wait,
    /// It is shown at once, without a mail; the number follows when it is known.
    FulfilNow,
}

/// Where goods were sent from, as the one who sent them names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// A location of a source shop.
    Location { shop: ShopDomain, location: LocationId },
    /// A warehouse in the words of a label tool.
    Warehouse { warehouse: String },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location { shop, location } => write!(f, "{shop}/{location}"),
            Self::Warehouse { warehouse } => write!(f, "warehouse {warehouse}"),
        }
    }
}

/// Which location of a destination shop stands for which place that goods are sent from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<LocationMapping>", into = "Vec<LocationMapping>")]
pub struct LocationMap(BTreeMap<Place, LocationId>);

/// One line of a [`LocationMap`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationMapping {
    pub from: Place,
    pub to: LocationId,
}

impl LocationMap {
    /// The location that stands for `place`; `None` if nobody said.
    #[must_use]
    pub fn get(&self, place: &Place) -> Option<LocationId> {
        self.0.get(place).copied()
    }

    /// How many places are mapped.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<LocationMapping>> for LocationMap {
    fn from(mappings: Vec<LocationMapping>) -> Self {
        Self(mappings.into_iter().map(|mapping| (mapping.from, mapping.to)).collect())
    }
}

impl From<LocationMap> for Vec<LocationMapping> {
    fn from(map: LocationMap) -> Self {
        map.0.into_iter().map(|(from, to)| LocationMapping { from, to }).collect()
    }
}

/// A destination variant tied to the source variant that is shipped for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductLink {
    pub destination: ShopDomain,
    pub destination_variant: VariantId,
    pub source: ShopDomain,
    pub source_variant: VariantId,
}

/// A shop with both sides of its connections, as one read gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedShop {
    pub shop: Shop,
    /// Where it is the destination.
    pub outbound: Vec<Connection>,
    /// The destinations that it is a source for.
    pub inbound: Vec<ShopDomain>,
    /// Which of its locations stand for the places that goods are sent from.
    pub locations: LocationMap,
}

impl ConnectedShop {
    /// Whether its own orders are kept in the ledger: to be pushed, or for their tracking.
    #[must_use]
    pub fn keeps_orders(&self) -> bool {
        !self.outbound.is_empty() || self.shop.settings.tracking_sync
    }

    /// The connection to `source`, where this shop is the destination.
    #[must_use]
    pub fn connection(&self, source: &ShopDomain) -> Option<&Connection> {
        self.outbound.iter().find(|connection| connection.source == *source)
    }
}

/// What a push needs beside the order: the links of its variants, and the source shops.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    pub by_variant: BTreeMap<VariantId, ProductLink>,
    pub sources: BTreeMap<ShopDomain, Shop>,
}
