//! A shop: who it is, where it ships from, what it sells and what it heard.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{MetafieldDefinition, Order};
use crate::codes::CurrencyCode;
use crate::cost::Bucket;
use crate::webhooks::Topic;
use crate::words::WebhookSubscriptionFormat;

/// One `*.myshopify.com` store.
pub struct Shop {
    pub id: u64,
    pub domain: String,
    pub name: String,
    pub currency: CurrencyCode,
    pub contact_email: String,
    pub timezone: String,
    pub plan: String,
    pub partner_development: bool,
    pub locations: Vec<Location>,
    pub variants: Vec<Variant>,
    pub settings: ShopSettings,
    pub orders: BTreeMap<u64, Arc<Order>>,
    /// From a fulfillment order or fulfillment to its order.
    pub owners: HashMap<u64, u64>,
    /// Values of `id` metafields (namespace, key, value) that are taken, and by which order.
    pub unique_values: HashMap<(String, String, String), u64>,
    pub definitions: Vec<MetafieldDefinition>,
    pub subscriptions: Vec<WebhookSubscription>,
    /// Access tokens that work now.
    pub tokens: BTreeSet<String>,
    pub installed: bool,
    pub bucket: Bucket,
    /// When `orderCreate` was called in the last minute.
    pub recent_creates: VecDeque<Timestamp>,
    pub last_order_number: u32,
}

/// A place that goods are sent from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub id: u64,
    pub name: String,
    pub active: bool,
}

/// Something the shop sells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub id: u64,
    pub product_id: u64,
    pub sku: String,
    #[serde(default)]
    pub barcode: Option<String>,
    pub title: String,
    pub price: Decimal,
    /// Where it is stocked, and so which location gets the work.
    pub location_id: u64,
    pub requires_shipping: bool,
}

/// Where to send what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSubscription {
    pub id: u64,
    pub topic: Topic,
    pub uri: String,
    pub format: WebhookSubscriptionFormat,
    pub name: Option<String>,
    pub filter: Option<String>,
    pub include_fields: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What `orderCreate` does with an `id` metafield whose value another order has. Shopify documents
/// neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenKey {
    /// Refuses the order.
    #[default]
    Refuse,
    /// Makes the order without the metafield and says nothing.
    DropSilently,
}

/// How a shop behaves; may be changed while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShopSettings {
    /// How long a new order has no fulfillment orders.
    pub routing_delay: Duration,
    /// How long a new order is missing from search.
    pub index_lag: Duration,
    /// What a taken unique key does.
    pub taken_key: TakenKey,
    /// Whether `fulfillmentTrackingInfoUpdate` refuses every update.
    pub refuse_overwrite: bool,
    /// How long an order that an app had cancelled still stands.
    pub cancel_delay: Duration,
    /// How many orders an app may create in a minute (development stores: 5).
    pub order_creates_per_minute: Option<u32>,
}

impl Shop {
    /// The order of that id.
    pub fn order(&self, id: u64) -> Option<&Arc<Order>> {
        self.orders.get(&id)
    }

    /// The order that owns a fulfillment order or fulfillment.
    pub fn owner_of(&self, id: u64) -> Option<&Arc<Order>> {
        self.orders.get(self.owners.get(&id)?)
    }

    /// The definition of a metafield on orders.
    pub fn definition(&self, namespace: &str, key: &str) -> Option<&MetafieldDefinition> {
        self.definitions.iter().find(|definition| definition.namespace == namespace && definition.key == key)
    }

    /// The variant of that id.
    pub fn variant(&self, id: u64) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.id == id)
    }

    /// The variants of a product; none: there is no such product.
    pub fn variants_of(&self, product: u64) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(move |variant| variant.product_id == product)
    }

    /// The variant that a person means: gid, number or SKU.
    pub fn variant_by(&self, said: &str) -> Option<&Variant> {
        let id = super::parse_gid("ProductVariant", said);
        self.variants.iter().find(|variant| Some(variant.id) == id || variant.sku == said)
    }

    /// The location of that id.
    pub fn location(&self, id: u64) -> Option<&Location> {
        self.locations.iter().find(|location| location.id == id)
    }

    /// The order that a person means: gid, number, `#1001` or `1001`.
    pub fn order_by(&self, said: &str) -> Option<&Arc<Order>> {
        let id = super::parse_gid("Order", said);
        let found = id.and_then(|id| self.orders.get(&id));
        found.or_else(|| {
            self.orders.values().find(|order| order.name.trim_start_matches('#') == said.trim_start_matches('#'))
        })
    }
}
