//! Which shops are connected, how, and which products are tied together.

mod link;
mod settings;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{LineItemId, LocationId, ShopDomain, VariantId};
use crate::money::Currency;
use crate::order::Line;

pub use link::{LinkChange, LinkTrouble, LinkTroubleCode, LinkedBy, MatchBy, ProductLink};
pub use settings::{
    ConnectionSettings, EmailContact, Inventory, Plan, SettingsChange, SettingsVersion, ShippingRate, ShopSettings,
    UnitPrice, WithoutTracking,
};

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
    /// Which version of the settings this is.
    #[serde(default)]
    pub settings_change: SettingsChange,
}

impl Shop {
    /// A shop that was just registered.
    #[must_use]
    pub fn registered(domain: ShopDomain, now: Timestamp) -> Self {
        Self {
            domain,
            registered_at: now,
            facts: None,
            paused: None,
            settings: ShopSettings::default(),
            settings_change: SettingsChange::default(),
        }
    }

    /// Whether an order that was placed then goes to the source shop of `connection` without being asked for.
    #[must_use]
    pub fn pushes_by_itself(&self, connection: &Connection, placed_at: Timestamp) -> bool {
        let on = self.settings.auto_push && connection.settings.auto_push;
        let since = self.settings.auto_push_since.max(connection.settings.auto_push_since);
        on && since.is_none_or(|since| placed_at >= since)
    }

    /// Whether it shows us orders of any age, not just of the last 60 days. Source: Shopify, "read_all_orders".
    #[must_use]
    pub fn reads_all_orders(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.scopes.iter().any(|scope| scope == "read_all_orders"))
    }
}

/// Since when a shop does not let us in, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Paused {
    pub since: Timestamp,
    pub message: String,
}

/// What a shop says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    pub id: LocationId,
    pub name: String,
    pub active: bool,
}

/// One destination shop and one source shop, with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Connection {
    pub destination: ShopDomain,
    pub source: ShopDomain,
    #[serde(default)]
    pub settings: ConnectionSettings,
    /// Which version of the settings this is.
    #[serde(default)]
    pub settings_change: SettingsChange,
}

/// Where goods were sent from, as the one who sent them names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
        self.offers_orders() || self.shop.settings.tracking_sync
    }

    /// Whether its own orders are offered for push.
    #[must_use]
    pub fn offers_orders(&self) -> bool {
        self.shop.settings.order_sync && !self.outbound.is_empty()
    }

    /// Whether the lists show an order that was placed then.
    #[must_use]
    pub fn lists(&self, placed_at: Timestamp) -> bool {
        self.offers_orders() && self.shop.settings.order_sync_since.is_none_or(|since| placed_at >= since)
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
    /// Lines of the order that left for a source shop, or may have: whoever their products are linked to since, they are
    /// not bought again.
    pub left: BTreeMap<LineItemId, ShopDomain>,
    pub by_variant: BTreeMap<VariantId, ProductLink>,
    pub sources: BTreeMap<ShopDomain, Shop>,
}

impl Links {
    /// What the line's product is linked to.
    #[must_use]
    pub fn of(&self, line: &Line) -> Option<&ProductLink> {
        self.by_variant.get(&line.variant?)
    }

    /// The source shop that has the line, or else holds it.
    #[must_use]
    pub fn source_of(&self, line: &Line) -> Option<&ShopDomain> {
        self.left.get(&line.id).or_else(|| Some(&self.of(line)?.source))
    }
}
