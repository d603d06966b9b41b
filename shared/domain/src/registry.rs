//! Which shops are connected, how, and which products are tied together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{LocationId, ShopDomain, VariantId};
use crate::money::Currency;

/// A store that was registered, and what it said of itself when it was connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shop {
    pub domain: ShopDomain,
    pub registered_at: Timestamp,
    /// `None` until it was connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<ShopFacts>,
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
    pub scopes: Vec<String>,
    pub locations: Vec<Location>,
    pub connected_at: Timestamp,
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
    /// Let the destination shop mail the customer when tracking is first written. On by default.
    pub notify_customer: bool,
    /// The price a source line gets.
    pub unit_price: UnitPrice,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self { auto_push: false, notify_customer: true, unit_price: UnitPrice::Source }
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
}

/// What a push needs beside the order: the links of its variants, and the source shops.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    pub by_variant: BTreeMap<VariantId, ProductLink>,
    pub sources: BTreeMap<ShopDomain, Shop>,
}
